"""What the tests of a change lost, judged over all of its files.

A test that is in another file afterwards has moved; where a file has a new one for each that is
gone, they were renamed. What remains is lost.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from activities.adapters.integrity_cases import assertions_of, calls, cases, helpers
from activities.adapters.integrity_paths import may_be_collected
from activities.adapters.integrity_tests import FoundTest, TestFile
from activities.adapters.violation import Violation
from activities.contracts.integrity import IntegrityRule as Rule

NAMED = 3
"""Tests that one violation names."""
_COMPARED = 100
"""Names beyond which nobody looks for the most similar one."""


@dataclass(frozen=True)
class ChangedTests:
    """A file of tests before and after; one that is not there has none."""

    path: str
    before: TestFile
    after: TestFile
    added: bool = False
    deleted: bool = False


@dataclass
class _Fate:
    """What became of the tests of one file."""

    file: ChangedTests
    is_run: bool
    """Whether a runner looks there."""
    lost: list[FoundTest]
    fresh: list[FoundTest]
    """Those that were not in this file before."""
    moved_to: list["_Fate"] = field(default_factory=list["_Fate"])
    renamed: list[FoundTest] = field(default_factory=list[FoundTest])
    """What they are called now."""
    spared: int = 0
    """Assertions that one test of several cases makes in place of several tests."""


def losses(
    files: Sequence[ChangedTests], collects: Callable[[str], bool] = may_be_collected
) -> Iterator[Violation]:
    """Every rule about tests that these files break together; `collects`: whether a runner looks
    for tests at a path."""
    fates = [_fate(file, collects) for file in files]
    _find_moved(fates)
    _find_renamed(fates)
    _find_joined(fates)
    for fate in fates:
        if fate.lost:
            first = min(fate.lost, key=lambda test: test.offset)
            what = f"{_named(fate.lost)} {'is' if len(fate.lost) == 1 else 'are'} gone"
            line = fate.file.before.line(first.offset)
            yield Violation(Rule.TESTS_DELETED, fate.file.path, line, what)
    yield from _skipped(files)
    yield from _emptied(fates)
    yield from _caught(files)
    for fate in fates:
        yield from _dropped(fate, fates)


def _fate(file: ChangedTests, collects: Callable[[str], bool]) -> _Fate:
    lost = _without(file.before.tests, file.after.tests)
    fresh = _without(file.after.tests, file.before.tests)
    return _Fate(file, collects(file.path) if lost or fresh else False, lost, fresh)


def _without(tests: Sequence[FoundTest], others: Sequence[FoundTest]) -> list[FoundTest]:
    """Those whose name the others have not, as often as they have it more."""
    left = Counter(test.name for test in others)
    found: list[FoundTest] = []
    for test in tests:
        left[test.name] -= 1
        if left[test.name] < 0:
            found.append(test)
    return found


def _find_moved(fates: Sequence[_Fate]) -> None:
    pool: dict[tuple[str, bool], list[tuple[_Fate, FoundTest]]] = {}
    for fate in fates:
        for test in fate.fresh:
            pool.setdefault((test.name, fate.is_run), []).append((fate, test))
    for fate in fates:
        for test in list(fate.lost):
            there = pool.get((test.name, True))
            if not there and not fate.is_run:
                there = pool.get((test.name, False))
            if there:
                to, found = there.pop()
                to.fresh.remove(found)
                fate.lost.remove(test)
                fate.moved_to.append(to)


def _find_renamed(fates: Sequence[_Fate]) -> None:
    """In the same file; those of a file that is gone may be in one that is new."""
    added = [fate for fate in fates if fate.file.added]
    for fate in fates:
        places = [to for to in added if to.is_run or not fate.is_run]
        for to in places if fate.file.deleted else [fate]:
            while fate.lost and to.fresh:
                now = to.fresh.pop()
                to.renamed.append(now)
                fate.lost.remove(_closest(now, fate.lost))
                if to is not fate:
                    fate.moved_to.append(to)


def _find_joined(fates: Sequence[_Fate]) -> None:
    """Tests that became cases of one: as many as it has more than before."""
    for fate in fates:
        if not fate.lost:
            continue
        before, after = fate.file.before, fate.file.after
        named = {test.name: test for test in before.tests}
        for now in after.tests[:_COMPARED]:
            had = cases(before, named[now.name]) if now.name in named else 1
            more = max(0, cases(after, now) - had)
            fate.spared += min(more, len(fate.lost)) * assertions_of(after, now)
            fate.lost = fate.lost[more:]


def _closest(test: FoundTest, lost: Sequence[FoundTest]) -> FoundTest:
    if len(lost) > _COMPARED:
        return lost[0]
    matcher = difflib.SequenceMatcher(b=test.name)

    def likeness(other: FoundTest) -> float:
        matcher.set_seq1(other.name)
        return matcher.ratio()

    return max(lost, key=likeness)


def _more_of(
    files: Sequence[ChangedTests], places: Callable[[TestFile], Sequence[int]]
) -> Iterator[tuple[str, int, str]]:
    """Files with more such places than before, unless the change as a whole has no more of them:
    path, first new line and its text."""
    more = [len(places(file.after)) - len(places(file.before)) for file in files]
    if sum(more) <= 0:
        return
    for file, here in zip(files, more, strict=True):
        if here > 0:
            yield file.path, *_first_of(file.after, places(file.after), file.before)


def _skipped(files: Sequence[ChangedTests]) -> Iterator[Violation]:
    for path, line, said in _more_of(files, lambda file: file.skips):
        yield Violation(Rule.TESTS_SKIPPED, path, line, f"skips: {said}")


def _caught(files: Sequence[ChangedTests]) -> Iterator[Violation]:
    for path, line, said in _more_of(files, lambda file: file.caught):
        what = f"nothing comes of a failed assertion: {said}"
        yield Violation(Rule.ASSERTIONS_DROPPED, path, line, what)


def _emptied(fates: Sequence[_Fate]) -> Iterator[Violation]:
    """Tests that do nothing and did something, under their old name or their new one."""
    before = [test for fate in fates for test in fate.file.before.tests]
    working = {test.name for test in before if not test.empty}
    were_empty = Counter(test.name for test in before if test.empty)
    for fate in fates:
        found: list[FoundTest] = []
        for test in fate.file.after.tests:
            if test.empty and (test.name in working or test in fate.renamed):
                were_empty[test.name] -= 1
                if were_empty[test.name] < 0:
                    found.append(test)
        if found:
            line = fate.file.after.line(found[0].offset)
            what = f"{_named(found)} {'does' if len(found) == 1 else 'do'} nothing any more"
            yield Violation(Rule.TESTS_EMPTIED, fate.file.path, line, what)


def _dropped(fate: _Fate, fates: Sequence[_Fate]) -> Iterator[Violation]:
    """Fewer assertions in a file and those that its tests moved to; without tests: in all files.

    Not told where tests are lost: theirs went with them.
    """
    file = fate.file
    if fate.lost or len(file.after.assertions) >= len(file.before.assertions):
        return
    others = fate.moved_to if file.before.tests else list(fates)
    if file.deleted and not others:
        return
    group = {id(one): one.file for one in (fate, *others)}.values()
    spared = sum(one.spared for one in {id(one): one for one in (fate, *others)}.values())
    spared += max(0, sum(f.before.setups - f.after.setups for f in group))
    balance = sum(len(f.after.assertions) - len(f.before.assertions) for f in group) + spared
    if balance < 0:
        named = {name for one in fates for name in islice(helpers(one.file.after), _COMPARED)}
        balance += sum(
            calls(f.after, name) - calls(f.before, name) for f in group for name in named
        )
    if balance < 0:
        line, said = _first_of(file.before, file.before.assertions, file.after)
        counts = f"{len(file.before.assertions)} assertions became {len(file.after.assertions)}"
        yield Violation(Rule.ASSERTIONS_DROPPED, file.path, line, f"{counts}, first gone: {said}")


def _first_of(file: TestFile, offsets: Sequence[int], other: TestFile) -> tuple[int, str]:
    """The first of these lines that the other file has not: its number and text."""
    known = {line.strip() for line in other.text.split("\n")}
    lines = file.text.split("\n")
    fresh = (number for number in map(file.line, offsets) if lines[number - 1].strip() not in known)
    number = next(fresh, None) or file.line(offsets[0])
    return number, lines[number - 1].strip()[:100]


def _named(tests: Sequence[FoundTest]) -> str:
    names = ", ".join(test.name[:80] for test in tests[:NAMED])
    return names if len(tests) <= NAMED else f"{names} and {len(tests) - NAMED} more"
