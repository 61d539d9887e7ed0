"""Reads what `python -m unittest -v` prints, of Python 2.7 and of every 3.

Ids are `module.Class.test`, whatever the version calls them. Failures are what the sections at the
end say, since tests print into the lines that name them; what passed or was skipped is read from
those lines. Without -v only failures have names and the rest is counted. A run that does not say
how many tests ran did not finish.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from activities.adapters.raw_result import (
    UNNAMED,
    Detail,
    RawResult,
    UnreadableResultsError,
    did_not_finish,
)
from activities.adapters.result_lines import result_lines

_TEST = re.compile(r"\s*(\w[\w.]*) \(([\w.<>]+)\)(.*)$")
_VERDICT = re.compile(r"(ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)$")
_SECTION = re.compile(r"(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.+)$")
_RAN = re.compile(r"Ran (\d+) tests? in ")
_SUMMARY = re.compile(r"(?:OK|FAILED|NO TESTS RAN)(?: \((.+)\))?$")
_COUNT = re.compile(r"([a-z ]+)=(\d+)")
_HEAVY, _LIGHT = "=" * 70, "-" * 70
_LOADERS = ("unittest.loader._FailedTest.", "unittest.loader.ModuleImportFailure.")
"""Stand-ins for modules that could not be imported."""


def read_unittest(content: bytes) -> list[RawResult]:
    """What passed and was skipped, then failures, then `plan` where a run did not finish."""
    reader = _Reader()
    for line in result_lines(content):
        reader.line(line)
    reader.close()
    if not reader.results:
        raise UnreadableResultsError("no result of unittest in the output")
    return reader.results


@dataclass
class _Run:
    """What one run of a suite said so far."""

    verdicts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """id, verdict; empty where the test printed over it."""
    failures: list[tuple[str, Detail]] = field(default_factory=list[tuple[str, Detail]])
    pending: str = ""
    awaits_section: bool = False
    ran: int | None = None

    def settle(self) -> None:
        """The pending test's verdict will not come any more."""
        if self.pending:
            self.verdicts.append((self.pending, ""))
        self.pending = ""


class _Reader:
    """The run that is being read, and the results of those that ended."""

    def __init__(self) -> None:
        self.results: list[RawResult] = []
        self._run = _Run()

    def line(self, line: str) -> None:
        run = self._run
        if run.ran is not None:
            if found := _SUMMARY.fullmatch(line):
                self._finish(_counts(found[1] or ""))
        elif line == _HEAVY:
            run.settle()
            run.awaits_section = True
        elif run.awaits_section and (found := _SECTION.match(line)):
            run.failures.append((_id(found[1]), Detail()))
            run.awaits_section = False
        elif found := _RAN.match(line):
            run.settle()
            run.ran = int(found[1])
        elif run.failures:
            if line != _LIGHT:
                run.failures[-1][1].add(line)
        else:
            self._test(run, line)

    def _test(self, run: _Run, line: str) -> None:
        """A test's name, its verdict, or both; before 3.11 a test may end without a word."""
        part = ""
        for part in line.split(" ... "):
            if found := _TEST.match(part):
                run.settle()
                run.pending = _id(f"{found[1]} ({found[2]})")
        if run.pending and _VERDICT.match(part):
            run.verdicts.append((run.pending, part))
            run.pending = ""

    def _finish(self, counts: Counter[str]) -> None:
        """Ends a run: what its summary counts and no line named is unnamed, never passed twice."""
        run, self._run = self._run, _Run()
        red = {name for name, _ in run.failures}
        # a test with failing subtests has no verdict of its own: they are its results
        parents = {name.partition(" ")[0] for name in red}
        named = [(name, said) for name, said in run.verdicts if name not in red | parents]
        skipped = [name for name, said in named if said.startswith(("skipped", "expected"))]
        passed = [name for name, said in named if said == "ok"]
        unclear = [name for name, said in named if not said]
        unseen = counts["skipped"] + counts["expected failures"] - len(skipped)
        self.results += [RawResult(name, "passed") for name in passed]
        self.results += [RawResult(name, "skipped") for name in skipped]
        self.results += [RawResult(name, "skipped" if unseen > 0 else "passed") for name in unclear]
        self.results += [
            RawResult(name, "failed", said) for name, said in named if said.startswith("unexpected")
        ]
        self._failures(run)
        if unseen - len(unclear) > 0:
            self.results.append(RawResult(UNNAMED, "skipped", times=unseen - len(unclear)))
        rest = (run.ran or 0) - len(named) - max(unseen - len(unclear), 0) - len(_tests(red))
        if rest > 0:
            self.results.append(RawResult(UNNAMED, "passed", times=rest))

    def _failures(self, run: _Run) -> None:
        for name, detail in run.failures:
            text = detail.text().strip()
            last = text.rpartition("\n")[2]
            places = (name.partition(" ")[0],)
            self.results.append(RawResult(name, "failed", last, text, places))

    def close(self) -> None:
        """The output ends: what began and was not summed up did not finish."""
        run = self._run
        run.settle()
        if run.verdicts or run.failures or run.ran is not None:
            self.results += [RawResult(n, "passed") for n, said in run.verdicts if said == "ok"]
            self._failures(run)
            self.results.append(did_not_finish("unittest's summary is missing"))


def _id(text: str) -> str:
    """`test_a (m.T)` and `test_a (m.T.test_a)` → `m.T.test_a`; what follows stays behind it."""
    found = _TEST.match(text)
    if found is None:
        return text
    name, group, rest = found[1], found[2], found[3]
    whole = group if group == name or group.endswith(f".{name}") else f"{group}.{name}"
    for loader in _LOADERS:
        whole = whole.removeprefix(loader)
    return whole + rest


def _tests(red: set[str]) -> set[str]:
    """The tests that failures belong to: those of fixtures and modules are none that ran."""
    fixtures = (".setUpClass", ".tearDownClass", ".setUpModule", ".tearDownModule")
    names = {name.partition(" ")[0] for name in red}
    return {name for name in names if not name.endswith(fixtures)}


def _counts(summary: str) -> Counter[str]:
    """`failures=1, skipped=2` → by name."""
    return Counter({name.strip(): int(count) for name, count in _COUNT.findall(summary)})
