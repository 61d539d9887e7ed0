"""Reads TAP 12 to 14 from a command's output, in which other text may stand between the lines.

Test points of the top level count, and nested ones where the output names their subtest; their id
is `parent > child`. A plan that is missing, that does not match, or a bail-out means that the run
did not finish: one failed result named `plan`. Several documents may follow each other.
"""

import re
from dataclasses import dataclass, field

from activities.adapters.raw_result import (
    DETAIL_CHARS,
    PLAN,
    RawResult,
    State,
    UnreadableResultsError,
)
from activities.adapters.result_lines import result_lines

_POINT = re.compile(r"(not )?ok\b(?:\s+(\d+))?(?:\s+-(?=\s|$))?(?:\s+(.*))?$")
_PLAN = re.compile(r"1\.\.(\d{1,9})\s*(?:#.*)?$")
_DIRECTIVE = re.compile(r"(?:^|(?<=\s))#\s*(skip|todo)\S*", re.IGNORECASE)
_TIMING = re.compile(r"(?<=\s)#\s*(?:time|duration_ms)[=\s]\S+$")
_SUBTEST = re.compile(r"#\s*Subtest(?::\s*(.*))?$")


def read_tap(content: bytes) -> list[RawResult]:
    """Every counted test point in order, then `plan` for each document that did not finish."""
    reader = _Reader()
    for line in result_lines(content):
        reader.line(line)
    reader.close()
    if not reader.documents:
        raise UnreadableResultsError("no TAP line in the output")
    return [*(point.result() for point in reader.points), *reader.crashes]


@dataclass
class _Point:
    name: str
    state: State
    lines: list[str] = field(default_factory=list[str])
    chars: int = 0

    def add(self, line: str) -> None:
        if self.state == "failed" and self.chars < DETAIL_CHARS:
            self.lines.append(line)
            self.chars += len(line)

    def result(self) -> RawResult:
        detail = "\n".join(self.lines)[:DETAIL_CHARS]
        return RawResult(name=self.name, state=self.state, detail=detail)


class _Reader:
    """Where the reader is: the document, the open subtests by depth, an open YAML block."""

    def __init__(self) -> None:
        self.points: list[_Point] = []
        self.crashes: list[RawResult] = []
        self.documents = 0
        self._begin()

    def _begin(self) -> None:
        self._started = False
        self._seen = 0
        self._plan: int | None = None
        self._plan_last = False
        self._bailed: str | None = None
        self._parents: dict[int, str] = {}
        self._announced: dict[int, str] = {}
        self._last: _Point | None = None
        self._yaml: int | None = None

    def line(self, line: str) -> None:
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if self._yaml is not None and self._in_yaml(line, text, indent):
            return
        depth, rest = divmod(indent, 4)
        if text == "---" and rest == 2 and self._started:
            self._yaml = indent
        elif rest == 0:
            self._statement(text, depth)

    def _in_yaml(self, line: str, text: str, indent: int) -> bool:
        """Whether the line belongs to the open block; a line further left closes a cut-off one."""
        start = self._yaml or 0
        if text and indent < start:
            self._yaml = None
            return False
        if text == "..." and indent == start:
            self._yaml = None
        elif self._last:
            self._last.add(line[start:])
        return True

    def _statement(self, text: str, depth: int) -> None:
        if match := _POINT.match(text):
            self._point(match, depth)
        elif depth == 0 and text.startswith("TAP version "):
            self.close()
            self._started = True
        elif depth == 0 and (match := _PLAN.match(text)):
            self._planned(int(match[1]))
        elif match := _SUBTEST.match(text):
            self._announced[depth] = (match[1] or "").strip() or "subtest"
        elif text.startswith("Bail out!"):
            self._started = True
            self._bailed = text[:300]

    def _planned(self, count: int) -> None:
        if self._plan is not None:
            self.close()
        self._started = True
        self._plan = count
        self._plan_last = self._seen > 0

    def _point(self, match: re.Match[str], depth: int) -> None:
        if depth == 0 and self._plan_last and self._seen == self._plan:
            self.close()
        text = match[3] or ""
        block = text == "{" or text.endswith(" {")
        name, directive = _described(text[:-1] if block else text)
        name = name or f"test {match[2] or self._seen + 1}"
        self._last = None
        self._enter(name, depth)
        if any(d not in self._parents for d in range(1, depth + 1)):
            return
        self._started = True
        self._seen += depth == 0
        path = " > ".join([*(self._parents[d] for d in range(1, depth + 1)), name])
        self._last = _Point(path, _state(bool(match[1]), directive))
        self.points.append(self._last)
        if block:
            self._parents[depth + 1] = name

    def _enter(self, name: str, depth: int) -> None:
        """Leaves the deeper subtests, and opens the one that was announced for this depth.

        Runners announce at the parent's depth or, older ones, at the child's; node announces
        leaves too, whose own name then follows: they open nothing.
        """
        for deeper in [d for d in self._parents if d > depth]:
            del self._parents[deeper]
        own = [self._announced.pop(d) for d in sorted(self._announced) if d >= depth]
        if depth == 0 or depth in self._parents:
            return
        if title := self._announced.get(depth - 1):
            self._parents[depth] = title
        elif own and own[0] != name:
            self._parents[depth] = own[0]

    def close(self) -> None:
        """Ends the document; called again at once, it finds nothing to end."""
        if self._started:
            self.documents += 1
            if problem := self._problem():
                self.crashes.append(RawResult(PLAN, "failed", message=problem, synthetic=True))
        self._begin()

    def _problem(self) -> str:
        if self._bailed is not None:
            return self._bailed
        if self._plan is None:
            return f"no plan line after {self._seen} results: the run did not finish"
        if self._plan != self._seen:
            return f"planned {self._plan} results, saw {self._seen}: the run did not finish"
        return ""


def _described(text: str) -> tuple[str, str]:
    """The description and its directive: `name # SKIP why` → (`name`, `skip`)."""
    directive = ""
    if match := _DIRECTIVE.search(text):
        directive = match[1].lower()
        text = text[: match.start()]
    text = _TIMING.sub("", text.rstrip())
    return text.strip().replace("\\#", "#").replace("\\\\", "\\"), directive


def _state(red: bool, directive: str) -> State:
    if directive == "skip":
        return "skipped"
    if not red:
        return "passed"
    return "skipped" if directive == "todo" else "failed"
