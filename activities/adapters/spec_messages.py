"""What pydantic found wrong with a draft, in the words of the spec.

Shorthands and unions make one mistake fail in several ways: the failures at one path are told as
one, and a failure that only repeats what is wrong inside it is not told.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from activities.adapters.spec_problem import Fault, Path
from activities.adapters.spec_source import Source

_SHAPES = {
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
_PATTERNS = {
    "^[a-z0-9][a-z0-9-]{0,62}$": ("a name", "use lower-case letters, digits and hyphens"),
    r"\S": ("a reason", "say in one line why"),
    "^[1-9][0-9]*[smhd]$": ("a duration", "write a number and s, m, h or d, such as 10m"),
    "^([1-9][0-9]*[smhd]|never)$": (
        "a duration",
        "write a number and a unit, such as 15m, or never",
    ),
    "^[1-9][0-9]*(KiB|MiB|GiB)$": ("a size", "write a number and a unit, such as 4GiB"),
    r"^(static|claude|.*\.json)$": (
        "who plans",
        "write static, claude, or the path of a plan of your own, such as plan.json",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$": (
        "the name of a model",
        "write it as its provider does, such as claude-sonnet-5-5",
    ),
    r"^[23]\.[0-9]{1,2}$": ("a Python version", 'write major and minor, such as "3.11"'),
}
_GUESS = re.compile(r"did you mean `(.*)`")
_UNITS = {
    "timeout": "write a number and a unit, such as 10m",
    "memory": "write it as 4GiB",
    "follow": "write a number and a unit, such as 15m, or never",
}
_MISSING = {
    "reason": "say in one line why",
    "paths": 'name the files, as patterns such as "/tests/test_a.py"',
    "version": "write `version: 1`",
    "checks": "name at least one command that tells whether a tree is good",
    "same_as": "name the check",
    "objective": "say in a sentence what the code looks like when it is done",
    "repository": "give the repository's URL or path",
}
_ELSEWHERE = {"grants": "a plan's task has `grants`; a phase has `claims` and `creates`"}
"""Fields that a spec has nowhere."""
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "more than"),
}


def told(error: ValidationError, source: Source, schema: Mapping[str, Any]) -> list[Fault]:
    """The faults behind a validation error."""
    groups: dict[Path, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        groups.setdefault(_path(details, source.data), []).append(details)
    faults = [
        _fault(path, group, source, schema)
        for path, group in groups.items()
        if not (_echoes(group) and _is_inside(path, groups))
    ]
    meant = {(*f.path[:-1], guess[1]) for f in faults if (guess := _GUESS.match(f.advice))}
    return [f for f in faults if f.path not in meant]  # what is misspelt is not missing too


def choices(wrong: str, known: Iterable[str]) -> str:
    """Advice for a name that is not known."""
    names = sorted(known)
    begin = [name for name in names if wrong and name.startswith(wrong)]
    close = begin or difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(names)}"


def _only_shapes(group: list[ErrorDetails]) -> bool:
    return all(details["type"] in _SHAPES for details in group)


def _echoes(group: list[ErrorDetails]) -> bool:
    """Whether these are only what a failure further inside makes of what is around it."""
    return all(_is_echo(details) for details in group)


def _is_echo(details: ErrorDetails) -> bool:
    """A map or a list is no word either: what is wrong inside it says more."""
    kind, given = details["type"], details["input"]
    no_word = (kind == "enum" and isinstance(given, dict)) or (
        kind == "literal_error" and isinstance(given, list)
    )
    return no_word or details["type"] in (*_SHAPES, "too_short")


def _is_inside(path: Path, others: Iterable[Path]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in others)


def _path(details: ErrorDetails, data: Any) -> Path:
    """Where the error stands in the file, without the steps that shorthands and unions add."""
    path: Path = ()
    for part in details["loc"]:
        if isinstance(data, dict) and part in data:
            data = cast("dict[str, Any]", data)[str(part)]
        elif isinstance(data, list) and isinstance(part, int):
            data = cast("list[Any]", data)[part]
        else:
            continue
        path = (*path, part)
    return (*path, details["loc"][-1]) if details["type"] == "missing" else path


def _fault(
    path: Path, group: list[ErrorDetails], source: Source, schema: Mapping[str, Any]
) -> Fault:
    details = next((d for d in group if not _is_echo(d)), group[0])
    kind, context = details["type"], details.get("ctx", {})
    name = str(path[-1]) if path else ""
    if _only_shapes(group):
        return _shape(path, group, source)
    if kind == "missing":
        return Fault(path, f"`{name}` is missing", _MISSING.get(name, "add it"))
    if kind == "extra_forbidden":
        known = _fields(schema, schema, path[:-1])
        advice = _ELSEWHERE.get(name) or choices(name, known)
        return Fault(path, f"unknown field `{name}`", advice, on_key=True)
    if kind in ("enum", "literal_error"):
        return _choice(path, group, details, source)
    if kind == "string_pattern_mismatch":
        noun, advice = _PATTERNS[str(context["pattern"])]
        on_key = "[key]" in details["loc"]
        return Fault(path, f"`{details['input']}` is not {noun}", advice, on_key)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return Fault(path, f"must be {words} {context[key]}", f"not {details['input']}")
    if any(other["type"] in ("too_short", "string_too_short") for other in group):
        return Fault(path, "is empty", _MISSING.get(name, "give a value or remove it"))
    what, _, advice = str(context.get("error", details["msg"])).partition("; ")
    return Fault(path, what, advice or "look at the examples in docs/how-to-say-it.md")


def _choice(path: Path, group: list[ErrorDetails], details: ErrorDetails, source: Source) -> Fault:
    """One word out of several was expected."""
    expected = str(details.get("ctx", {})["expected"])
    if expected == "True":
        return Fault(path, "can only be true", "write true, or remove it")
    known = expected.replace(" or ", ", ").replace("'", "").split(", ")
    if isinstance(details["input"], dict | list):
        return Fault(path, "must be a single word", choices("", known))
    wrong = source.written(path) if isinstance(details["input"], bool) else str(details["input"])
    others = any(other["type"] == "tuple_type" for other in group)
    listed = f", or write a list: [{source.written(path)}]" if others else ""
    advice = choices(wrong, known) + listed
    return Fault(path, f"`{wrong}` is not known", advice, "[key]" in details["loc"])


def _shape(path: Path, group: list[ErrorDetails], source: Source) -> Fault:
    shapes = list(dict.fromkeys(_SHAPES[details["type"]] for details in group))
    given: Any = group[0]["input"]
    written = source.written(path)
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    what = f"must be {' or '.join(shapes)}"
    if "text" in shapes and isinstance(given, bool | int | float):
        kind = "true or false" if isinstance(given, bool) else "a number"
        advice = _UNITS.get(name, f'quote it: "{written}"')
        return Fault(path, f"{what}, and {written} is {kind}", advice)
    if isinstance(given, str) and _unquoted(given, shapes):
        return Fault(path, what, f"take the quotes away: {given}")
    if shapes == ["a list"] and written:
        return Fault(path, what, f"write [{written}]")
    return Fault(path, what, f"write {shapes[0]}")


def _unquoted(text: str, shapes: list[str]) -> bool:
    """Whether text would be of one of the shapes if it had no quotes."""
    number = r"-?\d+(\.\d+)?" if "a number" in shapes else r"-?\d+"
    if "true or false" in shapes:
        return text in ("true", "false")
    return any("number" in shape for shape in shapes) and re.fullmatch(number, text) is not None


def _fields(schema: Mapping[str, Any], node: Mapping[str, Any], path: Path) -> set[str]:
    """The names that a map at a path of the document may have."""
    node = _resolved(schema, node)
    fields: set[str] = set()
    for option in cast("list[dict[str, Any]]", node.get("anyOf", [])):
        fields |= _fields(schema, option, path)
    properties = cast("dict[str, dict[str, Any]]", node.get("properties", {}))
    if not path:
        return fields | set(properties)
    named = cast("dict[str, object]", node.get("patternProperties", {}))
    anyhow = next(iter(named.values()), node.get("additionalProperties"))
    inner: object = properties.get(str(path[0]), anyhow)
    if isinstance(path[0], int):
        inner = node.get("items")
    if not isinstance(inner, dict):
        return fields
    return fields | _fields(schema, cast("dict[str, Any]", inner), path[1:])


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    return cast("Mapping[str, Any]", schema["$defs"][reference.rpartition("/")[2]])
