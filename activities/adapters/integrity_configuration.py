"""What the configuration of tests, lint, types, coverage and CI asks for, before and after.

One reading for all formats: a file is a list of keys with words. So nothing depends on a format's
parser, comments never count, and what only moves within its file is no change. Only what is known
to ask for less is told; what is unknown is let go.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from activities.adapters.integrity_steps import idle_steps

_IGNORES = re.compile(
    r"(?:extend-|per-file-|--)?ignores?(?:-glob|-paths|-patterns)?|extend-per-file-ignores"
    r"|disable(?:d|_error_code)?|omit|(?:extend-|force-)?excludes?(?:_lines|_also|-rules|-dirs)?"
    r"|skips?|--deselect|norecursedirs|collect_ignore|(?:test|coverage|module)PathIgnorePatterns"
    r"|ignorePatterns|paths-ignore|-[km]"
)
_NAMES_ALL = re.compile(
    r"testpaths|python_(?:files|classes|functions)|(?:extend-)?select|enable|testMatch|testRegex"
)
"""Keys of what is looked at: nothing may only go from them."""
_NAMES_HERE = {
    ".pre-commit-config.yaml": re.compile("id"),
    "checkstyle.xml": re.compile("name"),
    "jest.config.": re.compile("roots"),
    "vitest.config.": re.compile("include"),
    "package.json": re.compile("roots"),
}
"""How a file's name begins → more such keys."""
_ADDS_TO_DEFAULTS = re.compile(r"extend-select|enable")
_WARNINGS, _ACTIONS = "filterwarnings", ("ignore", "error", "default", "once", "always", "module")
"""`ignore: ...` there is about a warning, and no key of what is left out."""
_EXPECTED_ON = re.compile(
    r"strict\w*|alwaysStrict|noImplicit\w+|noUnchecked\w+|disallow_\w+|check_untyped_defs|warn_\w+"
    r"|xfail_strict|fail_ci_if_error|forbidOnly"
)
_STRICTER = re.compile(r"strict|extends|typeCheckingMode")
"""Keys that may say the same for several of these."""
_SWITCHED_ON = re.compile(
    r"ignore_errors|ignore_missing_imports|continue-on-error|allow_failure|passWithNoTests|ignore_outcome"
    r"|skipLibCheck|allow_untyped_\w+|allow_any_\w+|skip_covered|skip_empty"
)
_SWITCHED_OFF = re.compile(
    r"strict\w*|no[A-Z]\w+|disallow_\w+|check_\w+|checkJs|warn_\w+|alwaysStrict|xfail_strict"
    r"|branch|fail_ci_if_error|required|exactOptionalPropertyTypes|forbidOnly"
)
_THRESHOLDS = re.compile(
    r"fail[_-]under|(?:--)?cov-fail-under|--fail-under|minimum_coverage|min_coverage"
)
_PERCENT = {
    "codecov": re.compile(r"target"),
    "jest nyc c8rc vitest karma package.json": re.compile(r"branches|functions|lines|statements"),
}
"""Keys that are thresholds in some files only."""
_JUDGED_SECTIONS = re.compile(
    r"pytest|coverage|ruff|flake8|mypy|pylint|pyright|bandit|pycodestyle|tox|testenv|nosetests"
)
_CALLED_OFF = re.compile(
    r"\|\|\s*(?:true\b|:|exit 0)|--exit-zero\b|--passWithNoTests\b|--no-verify\b|^\s*if:\s*false\b"
)
_WORD = re.compile(
    r"""(?P<q>["']?)(?P<key>(?:--)?[A-Za-z@][\w.@/*-]*)(?P=q)\s*(?::(?!:)(?=\s|["'\[{\d]|$)|=(?!=))"""
    r"""|(?P<word>[^\s,\[\]{}"'();=]+)"""
)
_SECTION = re.compile(r"\s*\[{1,2}([\w.:\" -]+)\]{1,2}\s*$")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "none")
_HASH, _SLASHES = re.compile(r"(?:^|\s)[#;].*"), re.compile(r"(?:^|\s)//.*")
_LONGEST_LINE = 2_000
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)%?")
_LEVELS = ("error", "warn")
_LINTERS = re.compile(r"eslint|tslint|biome|package\.json")


@dataclass(frozen=True)
class Said:
    """One word that a key has, and where."""

    key: str
    word: str
    line: int


Texts = Sequence[tuple[str, str, str]]
"""Path, text before and text after of each file of configuration that a change has."""
_RUNS_TESTS = frozenset(("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"))


def weakened(
    path: str, old: str, new: str, all_of_them: Texts, around: Sequence[Said] = ()
) -> Iterator[tuple[int, str]]:
    """What the new text asks less for: 1-based lines of it (of the old one for what is gone).

    What another of the files said before may have moved here. `around`: what the tree says already
    to the tool that a new file configures.
    """
    gone = [one for other, text, now in all_of_them if not now for one in said_in(text, other)]
    before, after = list(said_in(old, path)), list(said_in(new, path))
    if not old:
        if path.rpartition("/")[2] in _RUNS_TESTS:
            left_out = [said for said in after if said.key.startswith("-")]
            yield from _ignoring(before, left_out, gone)
        if around:
            known = [*around, *gone]
            yield from _ignoring(known, after, known)
            yield from _narrowed(path, known, after)
            yield from _switched(path, known, after)
        return
    known = set(old.split("\n"))
    for number, line in enumerate(new.split("\n"), 1):
        if line not in known and (found := _CALLED_OFF.search(line)):
            yield number, f"`{found[0].strip()}` makes a failure pass"
    yield from idle_steps(path, old, new)
    yield from _ignoring(before, after, gone)
    yield from _narrowed(path, before, after)
    yield from _switched(path, before, after)
    said = [one for other, _, now in all_of_them for one in said_in(now, other)]
    yield from _not_said_any_more(path, before, said)


def thresholds(path: str, text: str) -> dict[str, tuple[float, int]]:
    """key → the highest number it asks for, and its line."""
    found: dict[str, tuple[float, int]] = {}
    for said in said_in(text, path):
        number = _NUMBER.fullmatch(said.word)
        if number and any(keys.fullmatch(said.key) for keys in _threshold_keys(path)):
            found[said.key] = max(found.get(said.key, (0.0, 0)), (float(number[1]), said.line))
    return found


def _threshold_keys(path: str) -> Iterator[re.Pattern[str]]:
    yield _THRESHOLDS
    for names, keys in _PERCENT.items():
        if any(name in path for name in names.split()):
            yield keys


def _ignoring(before: list[Said], after: list[Said], gone: list[Said]) -> Iterator[tuple[int, str]]:
    """Keys of what is left out that name more than before, here and in a file that is gone."""
    elsewhere = {said.word for said in gone}
    old, new = (_by_key(said, _IGNORES) for said in (before, after))
    for key, found in new.items():
        had = Counter(said.word for said in old.get(key, []))
        fresh = [said for said in found if not had[said.word] and said.word not in elsewhere]
        if fresh and len(found) > had.total():
            names = ", ".join(said.word for said in fresh[:3])
            yield fresh[0].line, f"`{key}` leaves out more: {names}"


def _narrowed(path: str, before: list[Said], after: list[Said]) -> Iterator[tuple[int, str]]:
    """Keys of what is looked at that name less than before and nothing new."""
    name = path.rpartition("/")[2]
    here = [keys for begin, keys in _NAMES_HERE.items() if name.startswith(begin)]
    old, new = (
        {key: all_of for keys in (_NAMES_ALL, *here) for key, all_of in _by_key(said, keys).items()}
        for said in (before, after)
    )
    for key, found in new.items():
        had, has = ({said.word for said in many if said.word} for many in (old.get(key, []), found))
        if has < had:
            yield found[0].line, f"`{key}` names no longer {', '.join(sorted(had - has)[:3])}"


def _not_said_any_more(
    path: str, before: list[Said], after: list[Said]
) -> Iterator[tuple[int, str]]:
    """Switches and rules that were on and that nobody names now."""
    named = {said.key for said in after}
    stricter = {(s.key, s.word) for s in after if _STRICTER.fullmatch(s.key) and s.word}
    if stricter - {(said.key, said.word) for said in before}:
        return
    for said in before:
        adds = said.word and _ADDS_TO_DEFAULTS.fullmatch(said.key)
        on = said.word.lower() in _TRUE and _EXPECTED_ON.fullmatch(said.key)
        rule = _is_level(path, said.word)
        if (on or rule or adds) and said.key not in named:
            named.add(said.key)
            yield said.line, f"`{said.key}` was {said.word}, is gone"


def _is_level(path: str, word: str) -> bool:
    """Whether a word of a linter's file is how much a rule matters."""
    by_number = word in ("1", "2") and re.search(r"[et]slint", path) is not None
    return by_number or (word in _LEVELS and _LINTERS.search(path) is not None)


def _switched(path: str, before: list[Said], after: list[Said]) -> Iterator[tuple[int, str]]:
    """Switches that were turned to where less is asked for."""
    had = {(said.key, said.word.lower()) for said in before}
    linter = _LINTERS.search(path) is not None
    for said in after:
        word = said.word.lower()
        if (said.key, word) in had:
            continue
        was_on = any((said.key, true) in had for true in _TRUE)
        was_rule = any((said.key, level) in had for level in ("error", "warn", "2"))
        on = _SWITCHED_ON.fullmatch(said.key) and word in _TRUE
        off = _SWITCHED_OFF.fullmatch(said.key) and word in _FALSE and was_on
        rule = linter and (word == "off" or (word in ("0", "1", "warn") and was_rule))
        if on or off or rule:
            yield said.line, f"`{said.key}` is {said.word} now"


def _by_key(said: list[Said], keys: re.Pattern[str]) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for one in said:
        if keys.fullmatch(one.key) and one.word.lower() not in _FALSE:
            found.setdefault(one.key, []).append(one)
    return found


def said_in(text: str, path: str) -> Iterator[Said]:
    """Every word with its key; in a section of ignores, the section is the key."""
    name = path.rpartition("/")[2]
    shared = name in ("pyproject.toml", "setup.cfg", "tox.ini")
    comment = _SLASHES if name.endswith(("js", "ts", "json", "jsonc")) else _HASH
    section, key = "", "ignore" if name.endswith("ignore") else ""
    judged = not shared
    for number, line in enumerate(text.split("\n"), 1):
        bare = comment.sub("", line[:_LONGEST_LINE])
        if heading := _SECTION.fullmatch(bare):
            section, key = heading[1].rpartition(".")[2], ""
            judged = not shared or _JUDGED_SECTIONS.search(heading[1]) is not None
        elif judged:
            for named, word in _words(bare, key, section):
                key = named
                if word:
                    yield Said(key, word, number)


def _words(line: str, key: str, section: str) -> Iterator[tuple[str, str]]:
    """Each word of a line with its key; the last key goes on, so a key alone has an empty word."""
    named = key
    for found in _WORD.finditer(line):
        if named == _WARNINGS and found["key"] in _ACTIONS:
            yield key, found["key"]
        elif found["key"]:
            key = named = section if _IGNORES.fullmatch(section) else found["key"]
            yield key, ""
        elif _IGNORES.fullmatch(found["word"]) and found["word"].startswith(
            "-" if named == "addopts" else "--"
        ):
            key = found["word"]
            yield key, ""
        else:
            word = found["word"].strip(":`")
            yield key, "" if word == "-" else word
