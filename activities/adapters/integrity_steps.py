"""Steps of CI, and scripts of a package, that ran something and run nothing now, or are gone."""

import re
from collections.abc import Iterator, Sequence

from activities.adapters.integrity_paths import is_of_ci

LOOKED_FOR = 200
"""Steps that are looked for as a part of other lines."""
_NOTHING = r"(?:echo|printf|true|/bin/true|:|exit\s+0|ls|pwd|date|sleep|cat)(?:\s[^&|;]*)?"
"""A command that always says yes."""
_STEP = re.compile(
    r"\s*(?:-\s+)?(?:(?:run|script|commands?|before_script|after_script|bash|uses|sh)\s*:\s*)?"
    r"(?P<q>[\"']?)(?P<command>[^\s\"'#|>][^\n]*?)(?P=q)\s*"
)
_SCRIPT = re.compile(
    r'\s*"[\w:.-]*(?:test|lint|check|cov|types?|ci)[\w:.-]*"\s*:\s*"(?P<command>[^"]+)",?\s*'
)
_IN_FLOW = re.compile(
    r"[{,]\s*(?:run|script|command|bash|uses|sh)\s*:\s*[\"']?(?P<command>[^,}\]\"']+)"
)
"""As in `steps: [{run: make test}]`."""
_MAPPING = re.compile(r"[\w.-]+\s*:(?:\s|$)")
_JUDGES = re.compile(
    r"(?<![a-z0-9])(?:(?:py|go)?tests?|gotestsum|unittest|tox|nox|nosetests|lint\w*|\w+lint|flake8|ruff"
    r"|mypy|pyright|tsc|jest|vitest|mocha|karma|cypress|playwright|tap|checks?|verify|vet|clippy"
    r"|staticcheck|coverage|codecov|coveralls|codeql|pre-commit|bandit|black|isort|prettier|fmt"
    r"|rspec|phpunit|phpstan|ctest|e2e|audit)(?![a-z0-9])",
    re.IGNORECASE,
)
"""A command that may say no to the code."""
_PREPARES = re.compile(
    r"\b(?:pip3?|pipx|npm|yarn|pnpm|apt(?:-get)?|apk|brew|gem|conda|poetry|uv|cargo|go|rustup|bundle)"
    r"\s+(?:-\S+\s+)*(?:install|add|ci|sync|get|update|component|download)\b"
    r"|^(?:mkdir|cd|export|docker|git|curl|wget|source)\b|\b(?:publish|deploy|upload|release)\b"
)
_COMMENT = re.compile(r"(?:^|\s)#.*|^\s*//.*")
_VERSION = re.compile(r"@[\w.-]+|\b(?:py|python)?v?\d[\w.]*")
_IDLE = re.compile(rf"{_NOTHING}(?:(?:&&|;)\s*{_NOTHING})*")


def idle_steps(path: str, old: str, new: str) -> Iterator[tuple[int, str]]:
    """1-based lines that run nothing, where fewer lines run something than before."""
    pattern = _STEP if is_of_ci(path) else _SCRIPT if path.endswith("package.json") else None
    if pattern is None:
        return
    before, after = _commands(pattern, old), _commands(pattern, new)
    had = {command for _, command in before}
    if sum(map(_works, after)) >= sum(map(_works, before)):
        return
    for line, command in after:
        if _IDLE.fullmatch(command) and command not in had:
            yield line, f"`{command[:60]}` runs nothing, and something ran before"


def steps_gone(
    path: str, old: str, new: str, before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """1-based lines of the old text with steps that judged the code and that no file of CI of the
    change has any more; none where new steps may do the same, or run nothing, which is told
    already. `before`, `after`: all those files.

    A step for one more version of a tool is none that another has not: versions do not count.
    """
    if not is_of_ci(path) or any(idle_steps(path, old, new)):
        return
    had = {_plain(line) for text in before for line in text.split("\n")}
    has = [_plain(line) for text in after for line in text.split("\n")]
    ran = {_plain(command) for text in before for _, command in _commands(_STEP, text)}
    runs = {_plain(command) for text in after for _, command in _commands(_STEP, text)}
    new_lines = (line for line in has if line not in had)
    fresh = (c for line in new_lines for _, c in _commands(_STEP, line) if _plain(c) not in ran)
    if any(map(_may_stand_for_others, fresh)):
        return
    judged = ((n, c) for n, c in _commands(_STEP, old) if _JUDGES.search(c))
    gone = ((n, c) for n, c in judged if _does_something(c) and _plain(c) not in runs)
    left = "\n".join(has)
    for number, (line, command) in enumerate(gone):
        same = rf"(?<![\w-]){re.escape(_plain(command)[:500])}(?![\w-])"
        if number >= LOOKED_FOR or not re.search(same, left):
            yield line, f"`{command[:60]}` ran before, and does not any more"


def _may_stand_for_others(command: str) -> bool:
    """A new step: it judges, or runs what nobody here knows."""
    known = _JUDGES.search(command) is not None
    unknown = " " in command or ("/" in command and not command.startswith("actions/"))
    return (known or unknown) and _does_something(command)


def _does_something(command: str) -> bool:
    return not _IDLE.fullmatch(command) and not _PREPARES.search(command)


def _plain(line: str) -> str:
    """A line without its comment, as it is for every version."""
    return " ".join(_VERSION.sub("", _COMMENT.sub("", line)).split())


def _commands(pattern: re.Pattern[str], text: str) -> list[tuple[int, str]]:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return [(n, c) for n, line in enumerate(lines, 1) for c in _of_line(pattern, line)]


def _of_line(pattern: re.Pattern[str], line: str) -> Iterator[str]:
    """The commands of a line, those of a list in it too."""
    found = pattern.fullmatch(line)
    command = found["command"] if found else ""
    if pattern is _STEP and command.startswith("["):
        yield from (one.strip(" \"'") for one in command.strip("[]").split(","))
    elif command and not _MAPPING.match(command):
        yield command
    elif pattern is _STEP:
        yield from (one["command"].strip() for one in _IN_FLOW.finditer(line))


def _works(step: tuple[int, str]) -> bool:
    return not _IDLE.fullmatch(step[1])
