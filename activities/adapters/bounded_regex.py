"""Patterns that a spec's author wrote, matched within a time limit.

The syntax is Python's, and what `re` would find is found; the engine is one that can be stopped,
because a pattern that backtracks for ever would take the worker with it. The limit is for all that
one pattern does with one thing, such as a file or a run's output; the GIL is free meanwhile.
"""

import re
import time
from collections.abc import Iterable

import regex

SECONDS = 20.0
_SHORTEST = 0.001
_LINES_PER_LOOK = 1000
_BRACES = re.compile(r"\\N\{[^{}]*\}|\\.|\{(?!\d+(?:,\d*)?\}|,\d*\})", re.DOTALL)


class PatternTooSlow(Exception):
    """A pattern did not come to an end in time; the text names it."""

    def __init__(self, pattern: str) -> None:
        shown = pattern if len(pattern) <= 100 else f"{pattern[:97]}..."
        super().__init__(f"the pattern `{shown}` takes too long: it backtracks; make it simpler")


class BoundedRegex:
    """A compiled pattern with a budget of time, counted from its first use or `restart`."""

    def __init__(
        self,
        pattern: str,
        seconds: float = SECONDS,
        *,
        multiline: bool = False,
        over_paths: bool = False,
    ) -> None:
        """Raises re.error for what does not compile. `multiline`: ^ and $ are at each line's;
        `over_paths`: a dot is any character, as a line end is in a path."""
        re.compile(pattern)
        try:
            # the other engine takes {e} for an edit distance, `re` takes it for itself
            flags = regex.MULTILINE if multiline else 0
            flags |= regex.DOTALL if over_paths else 0
            self._compiled = regex.compile(_BRACES.sub(_escaped, pattern), flags)
        except regex.error as error:
            raise re.error(str(error), pattern) from error
        self._pattern = pattern
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Gives it the whole time again, for the next thing."""
        self._deadline: float | None = None

    def search(self, text: str) -> "regex.Match[str] | None":
        try:
            return self._compiled.search(text, timeout=self._left())
        except TimeoutError as slow:
            raise PatternTooSlow(self._pattern) from slow

    def lines(self, lines: Iterable[str]) -> list[int]:
        """The 1-based numbers of the lines that match."""
        search, found = self._compiled.search, list[int]()
        left = self._left()
        try:
            for number, line in enumerate(lines, 1):
                if number % _LINES_PER_LOOK == 0:
                    left = self._left()
                if search(line, timeout=left):
                    found.append(number)
        except TimeoutError as slow:
            raise PatternTooSlow(self._pattern) from slow
        return found

    def fullmatch(self, text: str) -> "regex.Match[str] | None":
        try:
            return self._compiled.fullmatch(text, timeout=self._left())
        except TimeoutError as slow:
            raise PatternTooSlow(self._pattern) from slow

    def replace(self, template: str, text: str) -> str:
        r"""Every match replaced; the template's \1 and \g<name> are what the groups hold."""
        try:
            return self._compiled.sub(template, text, timeout=self._left())
        except TimeoutError as slow:
            raise PatternTooSlow(self._pattern) from slow

    def _left(self) -> float:
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._seconds
        return max(self._deadline - now, _SHORTEST)


def groups(pattern: str) -> set[str]:
    """The names and numbers of a pattern's groups; raises re.error."""
    compiled = re.compile(pattern)
    return {*compiled.groupindex, *(str(number) for number in range(compiled.groups + 1))}


def template_problem(pattern: str, template: str) -> str:
    """Why `replace` could not fill in a template; empty if it can. The pattern compiles."""
    try:
        re.sub(pattern, template, "")
    except (re.error, IndexError) as error:
        return str(error)
    return ""


def _escaped(found: re.Match[str]) -> str:
    return rf"\{found[0]}" if found[0] == "{" else found[0]
