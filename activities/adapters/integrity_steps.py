"""Steps of CI, and scripts of a package, that ran something and run nothing now."""

import re
from collections.abc import Iterator

from activities.adapters.integrity_paths import is_of_ci

_NOTHING = r"(?:echo|printf|true|/bin/true|:|exit\s+0)(?:\s[^&|;]*)?"
"""A command that always says yes."""
_STEP = re.compile(
    r"\s*(?:-\s+)?(?:(?:run|script|command|before_script|after_script)\s*:\s*)?"
    r"(?P<q>[\"']?)(?P<command>[^\s\"'#|>][^\n]*?)(?P=q)\s*"
)
_SCRIPT = re.compile(
    r'\s*"[\w:.-]*(?:test|lint|check|cov|types?|ci)[\w:.-]*"\s*:\s*"(?P<command>[^"]+)",?\s*'
)
_MAPPING = re.compile(r"[\w.-]+\s*:(?:\s|$)")
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


def _commands(pattern: re.Pattern[str], text: str) -> list[tuple[int, str]]:
    found = ((n, pattern.fullmatch(line)) for n, line in enumerate(text.split("\n"), 1))
    return [(n, m["command"]) for n, m in found if m and not _MAPPING.match(m["command"])]


def _works(step: tuple[int, str]) -> bool:
    return not _IDLE.fullmatch(step[1])
