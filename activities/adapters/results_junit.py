"""Reads JUnit XML, which the code under test may have written: nothing in it is trusted.

Any document type is refused (no entities, no bombs), size and nesting are bounded, and only the
beginning of each failure's text is kept. A file cut short is unreadable as a whole: half of the
results would pass for all of them.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from activities.adapters.raw_result import DETAIL_CHARS, RawResult, State, UnreadableResultsError

MAX_BYTES = 50 * 1024 * 1024
MAX_DEPTH = 100
_RED = ("failure", "error")
_SUITES = ("testsuite", "testsuites")
_NOT_RUN = ("notrun", "skipped", "disabled")
"""Values of `status` by which some runners mark a test that did not run."""


def read_junit(content: bytes) -> list[RawResult]:
    """Every testcase in document order, and suites that failed as such, for example in a hook."""
    if len(content) > MAX_BYTES:
        raise UnreadableResultsError(f"the results file is larger than {MAX_BYTES >> 20} MiB")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableResultsError(f"the results file is not XML: {error}") from error
    return reader.results


@dataclass
class _Element:
    tag: str
    attributes: dict[str, str]
    state: State = "passed"
    message: str = ""
    detail: str = ""
    parts: list[str] = field(default_factory=list[str])
    chars: int = 0


class _Reader:
    """The open elements and the results so far; a child's redness is its parent's."""

    def __init__(self) -> None:
        self.results: list[RawResult] = []
        self._open: list[_Element] = []

    def doctype(self, *_: object) -> None:
        raise UnreadableResultsError("the results file declares a document type")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if not self._open and tag not in _SUITES:
            raise UnreadableResultsError(f"the results file starts with <{tag[:40]}>, not JUnit")
        if len(self._open) >= MAX_DEPTH:
            raise UnreadableResultsError("the results file is nested too deeply")
        self._open.append(_Element(tag, attributes))

    def text(self, data: str) -> None:
        element = self._open[-1]
        if element.tag in _RED and element.chars < DETAIL_CHARS:
            element.parts.append(data[: DETAIL_CHARS - element.chars])
            element.chars += len(data)

    def end(self, _: str) -> None:
        element = self._open.pop()
        if element.tag == "testcase":
            self.results.append(_case(element))
        elif element.tag in _SUITES and element.state == "failed":
            self.results.append(_suite(element))
        elif self._open:
            _mark(self._open[-1], element)


def _mark(parent: _Element, child: _Element) -> None:
    """Only direct children count: Surefire's `rerunFailure` and the like are not verdicts."""
    if parent.tag not in ("testcase", *_SUITES):
        return
    if child.tag in _RED:
        first = parent.state != "failed"
        parent.state = "failed"
        if first:
            parent.message = child.attributes.get("message", "")
            parent.detail = "".join(child.parts)
    elif child.tag == "skipped" and parent.state == "passed":
        parent.state = "skipped"


def _case(element: _Element) -> RawResult:
    name = element.attributes.get("name", "") or "unnamed"
    group = element.attributes.get("classname", "")
    state = element.state
    if state == "passed" and element.attributes.get("status", "").lower() in _NOT_RUN:
        state = "skipped"
    places = (element.attributes.get("file", ""), group or name)
    return RawResult(
        name=f"{group}::{name}" if group else name,
        state=state,
        message=element.message,
        detail=element.detail,
        places=tuple(place for place in places if place),
    )


def _suite(element: _Element) -> RawResult:
    name = element.attributes.get("name", "") or "unnamed"
    return RawResult(
        name=f"suite {name}",
        state="failed",
        message=element.message,
        detail=element.detail,
        places=(name,),
    )
