"""Every recorded run, whole and cut short: what is missing from it is never taken for green."""

import random
from pathlib import Path

import pytest

from activities.adapters.results import ParsedResults, parse
from activities.contracts.check_forms import ResultKind, ResultPatterns
from activities.contracts.evidence import CheckOutcome, ResultSet
from activities.contracts.expectations import judge
from activities.contracts.spec import Check

RECORDED = Path(__file__).parent / "recorded"
LINE = r"^ *\d+/\d+ Test +#\d+: (?P<id>.+?) \.+"
NOT_RUN = r"(?:Skipped|Not Run \(Disabled)"
CTEST = ResultPatterns.model_validate(
    {
        "pass": rf"{LINE}   Passed",
        "fail": rf"{LINE}\*\*\*(?!{NOT_RUN})",
        "skip": rf"{LINE}\*\*\*{NOT_RUN}",
        "count": r"tests failed out of (?P<n>\d+)$",
    }
)
KINDS: dict[str, ResultKind | ResultPatterns] = {
    "ctest.txt": CTEST,
    "ctest.xml": ResultKind.JUNIT,
    "pytest-": ResultKind.JUNIT,
    "go-": ResultKind.GO,
    "cargo-": ResultKind.CARGO,
    "unittest-": ResultKind.UNITTEST,
    "tape-": ResultKind.TAP,
    "node-": ResultKind.TAP,
}
RECORDINGS = sorted(path.name for path in RECORDED.iterdir() if path.name != "README.md")
CUTS = 40
"""Per recording, beside the ends of its lines."""


def kind_of(name: str) -> ResultKind | ResultPatterns:
    return next(kind for start, kind in KINDS.items() if name.startswith(start))


def read(name: str, content: bytes, exit: int | None = 0, ended: str = "exit") -> ParsedResults:
    kind = kind_of(name)
    if kind is ResultKind.JUNIT:
        return parse(kind, exit=exit, ended=ended, output=b"", reports=(content,))
    return parse(kind, exit=exit, ended=ended, output=content)


def cuts(name: str, content: bytes) -> list[int]:
    """Up to 40 ends of lines, a byte before and after each, and as many places inside lines."""
    chance = random.Random(name)
    ends = [at for at, byte in enumerate(content) if byte == ord("\n")]
    ends = chance.sample(ends, min(CUTS, len(ends)))
    inside = [chance.randrange(len(content)) for _ in range(CUTS)]
    near = {end + step for end in ends for step in (-1, 0, 1)}
    return sorted(at for at in {0, *near, *inside} if 0 <= at < len(content))


def as_results(found: ParsedResults) -> ResultSet:
    return ResultSet(
        tree="a" * 40,
        check="unit",
        environment="e",
        exit=0,
        parsed=found.parsed,
        passed=found.passed,
        failed=found.failed,
        skipped=found.skipped,
    )


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_cut_at_any_byte_is_red_or_unreadable_or_says_all_of_it(name: str) -> None:
    content = (RECORDED / name).read_bytes()
    whole = read(name, content)
    check = Check(run="x", results=kind_of(name))
    for at in cuts(name, content):
        cut = read(name, content[:at])
        same = (cut.passed, cut.failed) == (whole.passed, whole.failed)
        said = judge("unit", check, as_results(whole), as_results(cut))
        # a base that did not finish either forgives it: the run's own redness is what counts
        red = said.outcome is CheckOutcome.RED or "plan" in cut.failed
        assert not cut.parsed or red or same, at
        killed = read(name, content[:at], exit=None, ended="timeout")
        assert not killed.parsed or killed.failed, at


@pytest.mark.parametrize("name", ["go-twice.json", "cargo-green.txt"])
def test_a_green_recording_is_green_only_from_its_last_verdict_on(name: str) -> None:
    content = (RECORDED / name).read_bytes()
    whole = read(name, content)
    assert whole.parsed
    assert not whole.failed
    check = Check(run="x", results=kind_of(name))
    outcomes = [
        judge("unit", check, as_results(whole), as_results(read(name, content[:at]))).outcome
        for at in range(0, len(content), 101)
    ]
    green = [outcome is CheckOutcome.GREEN for outcome in outcomes]
    assert not any(green[: -len(green) // 10])


def test_what_xml_cannot_hold_is_read_as_the_runner_spelled_it() -> None:
    """Control bytes, lone surrogates, `]]>` and markup, printed, raised and in names."""
    found = read("pytest-control.xml", (RECORDED / "pytest-control.xml").read_bytes(), exit=1)
    test = "tests.test_control"
    assert found.passed == dict.fromkeys(
        [
            f"{test}::test_prints_every_control_byte",
            *(f"{test}::test_named[{name}]" for name in (r"a\x00b", r"c\x1bd", r"e\x0bf", "i]]>j")),
            *(f"{test}::test_named[{name}]" for name in (r"m\nn", r"o\u2028p")),
            *(f"{test}::test_ids_alike_once_escaped[x\\x0{n}y]" for n in (1, 2)),
        ],
        1,
    )
    assert found.failed == dict.fromkeys(
        [
            f"{test}::test_fails_with_control_bytes",
            f"{test}::test_named[k<l>&\"']",
            f"{test}::test_surrogates_in_the_message",
            f"{test}::test_says_much",
            f"{test}.TestError::test_errors",
        ],
        1,
    )
    assert found.skipped == {f"{test}::test_skips_with_control": 1}
    assert not any("forged" in name for name in (*found.passed, *found.failed))
    assert "expected" in found.messages[f"{test}::test_fails_with_control_bytes"]


def test_packages_that_go_tests_at_the_same_time_are_told_apart() -> None:
    """Subtests in parallel, a panic beside a paused test, an exit, code and tests that do not
    build; all events between each other."""
    found = read("go-parallel.json", (RECORDED / "go-parallel.json").read_bytes(), exit=1)
    root = "example.com/parallel"
    wrong = ["TestParallel", "TestParallel/case_2", "TestParallel/case_2/inner"]
    assert found.failed == dict.fromkeys(
        [
            *(f"{root}/{package}::{test}" for package in "ab" for test in wrong),
            f"{root}/panics::TestPanicsBeside",
            f"{root}/panics::TestPanicsBeside/deep",
            f"{root}/panics::TestWaits",
            f"{root}/exits::TestExits",
            f"{root}/badtest",
            f"{root}/broken",
        ],
        1,
    )
    cases = [f"TestParallel/case_{n}{inner}" for n in range(4) for inner in ("", "/inner")]
    right = [case for case in cases if "case_2" not in case]
    assert found.passed == dict.fromkeys(
        [
            *(f"{root}/{p}::{t}" for p in "ab" for t in (*right, "TestOther", "TestAnother")),
            *(f"{root}/c::{test}" for test in (*cases, "TestParallel", "TestAnother")),
            f"{root}/exits::TestFine",
            f"{root}/panics::TestBefore",
        ],
        1,
    )
    assert found.skipped == {f"{root}/c::TestOther": 1}


def test_ctest_is_read_by_patterns_and_by_its_junit_report() -> None:
    by_lines = read("ctest.txt", (RECORDED / "ctest.txt").read_bytes(), exit=8)
    long = "a_name_that_is_longer_than_the_dots_which_ctest_prints_between"
    named = ["adds", "with space", long, "passes_although_it_prints_failed"]
    # ctest counts a skipped test among those that ran
    assert by_lines.passed == {**dict.fromkeys(named, 1), "unnamed results": 1}
    assert by_lines.failed == dict.fromkeys(["fails", "missing", "slow", "crashes"], 1)
    assert by_lines.skipped == dict.fromkeys(["skipped", "disabled"], 1)
    report = read("ctest.xml", (RECORDED / "ctest.xml").read_bytes(), exit=8)
    assert set(report.passed) == {f"{name}::{name}" for name in named}
    # its report calls a test whose program is missing skipped
    assert set(report.failed) == {f"{name}::{name}" for name in ("fails", "slow", "crashes")}
    assert set(report.skipped) == {f"{n}::{n}" for n in ("skipped", "disabled", "missing")}
