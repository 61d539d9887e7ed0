"""Parts of a draft, each validated alone, so that one broken part hides nothing of the others.

Fields that are broken, and reported elsewhere, count as left out.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from activities.adapters.spec_problem import Fault, Path
from activities.adapters.spec_words import Wrong, pattern
from activities.contracts.base import Form

FormT = TypeVar("FormT", bound=Form)


def part(form: type[FormT], value: Any) -> FormT | None:
    """The part without its broken fields; None when too little of it is left."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        broken = {details["loc"][0] for details in error.errors() if details["loc"]}
    rest = {name: inner for name, inner in table(value).items() if name not in broken}
    try:
        return form.model_validate(rest)
    except ValidationError:
        return None


def table(value: Any) -> dict[str, Any]:
    """The value if it is a map, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def judged(
    word: Any, path: Path, rule: Callable[[str], Wrong], *, on_key: bool = False
) -> Iterator[Fault]:
    """The fault of a single word, if it is text at all."""
    wrong = rule(word) if isinstance(word, str) else None
    if wrong is not None:
        what, advice, *offset = wrong
        yield Fault(path, what, advice, on_key, offset=offset[0] if offset else None)


def all_judged(words: Any, path: Path, rule: Callable[[str], Wrong]) -> Iterator[Fault]:
    """The faults of a list of words."""
    for number, word in enumerate(items(words)):
        yield from judged(word, (*path, number), rule)


def all_patterns(words: Any, path: Path) -> Iterator[Fault]:
    """The faults of a list of patterns of which some have to match something."""
    yield from all_judged(words, path, pattern)
    found = [word for word in items(words) if isinstance(word, str) and pattern(word) is None]
    if found and all(word.startswith("!") for word in found):
        advice = f"write what it is an exception to before it, such as [/**, {found[0]}]"
        yield Fault(path, "has exceptions only, so it matches nothing", advice)
