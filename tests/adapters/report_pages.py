"""Reports that say all that a report can, and pages as a browser would have them."""

from collections.abc import Iterator
from html.parser import HTMLParser

from test_reporting import BASE, a_report

from activities.contracts.commands import HumanDecision
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.moving_base import BaseMerge
from activities.contracts.news import DeepNews
from activities.contracts.reds import OpenRed
from activities.contracts.report import LandedCommit, MigrationReport
from activities.contracts.work import (
    Attempt,
    CommandRun,
    Handoff,
    PutBack,
    RungOutcome,
    TaskStatus,
)

VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """A page as a browser would have it: its elements, its texts by element, its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.append((self.open[-1], data))

    def within(self, tag: str) -> list[str]:
        return [" ".join(text.split()) for inside, text in self.texts if inside == tag]

    @property
    def text(self) -> str:
        spoken = [text for inside, text in self.texts if inside not in ("script", "style")]
        return " ".join(" ".join(spoken).split())

    def having(self, attribute: str) -> Iterator[tuple[str, str]]:
        return ((tag, given[attribute]) for tag, given in self.elements if attribute in given)


def a_check(outcome: CheckOutcome, *reasons: str, tail: str = "") -> CheckResult:
    return CheckResult(
        check="unit", outcome=outcome, reasons=reasons, tail=tail, count_after=546, seconds=3.2
    )


def an_attempt(number: int, *checks: CheckResult, **fields: object) -> Attempt:
    evidence = Evidence(tree=BASE, moment=Moment.TASK, checks=checks)
    told = {"number": number, "rung": 0, "kind": "codemod", "outcome": RungOutcome.CHANGED}
    return Attempt.model_validate({**told, "evidence": evidence, **fields})


def landed(number: int, files: int = 3) -> Handoff:
    return Handoff(
        task=f"c1-{number:04}",
        title=f"src/part{number} ({files} files)",
        sites=2 * files,
        status=TaskStatus.LANDED,
        landed=f"{number:040x}",
        files=tuple(f"src/part{number}/module_{n}.py" for n in range(files)),
        attempts=(an_attempt(1, a_check(CheckOutcome.GREEN)),),
        seconds=61,
    )


def partial(number: int) -> Handoff:
    why = "unit: newly failing: tests.test_b::test_x"
    red = a_check(CheckOutcome.RED, why, tail="E   AssertionError: 1 != 2\n1 failed\n")
    return landed(number).model_copy(
        update={
            "status": TaskStatus.PARTIAL,
            "put_back": (PutBack(path="src/b.py", reason=why),),
            "attempts": (an_attempt(1, red),),
        }
    )


def landing(minute: int, *tasks: int, files: int = 3) -> LandedCommit:
    return LandedCommit(
        commit=f"{minute:040x}",
        at=f"2026-01-01T00:{minute:02}:00+00:00",
        tasks=tuple(f"c1-{task:04}" for task in tasks),
        files=files * len(tasks),
    )


def a_base_merge(*anew: str) -> BaseMerge:
    at = "2026-01-01T00:04:00+00:00"
    return BaseMerge(commit="4" * 40, head="5" * 40, at=at, commits=2, taken_anew=anew)


def a_red() -> OpenRed:
    return OpenRed(
        check="e2e", reasons=("newly failing: t",), since="2026-01-01", good=BASE, bad=BASE
    )


def a_story(**fields: object) -> MigrationReport:
    """Three tasks in two commits, one of them partial, and all else that a report can say."""
    decided = HumanDecision(
        id="1",
        verb="approve",
        actor="ann@host",
        reason="looks right",
        at="2026-01-01T00:00:10+00:00",
    )
    told: dict[str, object] = {
        "finished_at": "2026-01-01T00:10:00+00:00",
        "sites_at_start": 20,
        "sites_left": 2,
        "landed_files": 9,
        "landings": (landing(2, 1, 2), landing(5, 3)),
        "decisions": (decided,),
        "baseline_failures": {"unit": ("tests.test_old::test_z",)},
        "flaky": {"unit": ("tests.test_clock::test_now",)},
        "deep": DeepNews(green=BASE, behind=2, reds=(a_red(),)),
        "flaky_landings": {"unit": 3, "lint": 1},
        "base_merges": (a_base_merge("src/a.py"),),
        "base_sites": 3,
        "base_told": "the base at 222222222222 could not be merged: unit: newly failing: t",
        "blind_checks": ("lint",),
        "unplaced": ("suite::setup",),
        "outside": ("README",),
        "dropped": ("stray.txt",),
        "sandbox": "strict",
    }
    return a_report(landed(1), landed(2), partial(3), **{**told, **fields})


def a_large_report(tasks: int = 500, files: int = 20, name: str = "") -> MigrationReport:
    """Tasks of which every third failed, with long paths, reasons and outputs."""
    loud = "\n".join(f"{n}: " + "assert <left> & 'right' " * 8 for n in range(12))[:1500]

    def path(task: int, n: int) -> str:
        return f"services/payments/component_{task}/internal/{name}/implementation_{n}.py"

    handoffs: list[Handoff] = []
    for task in range(tasks):
        paths = tuple(path(task, n) for n in range(files))
        why = f"unit: newly failing: tests.component_{task}::test_{name}"
        red = a_check(CheckOutcome.RED, *[f"{why}_{n}" for n in range(20)], tail=loud)
        run = CommandRun(exit=1, seconds=9, tail=loud)
        failed = an_attempt(1, red, outcome=RungOutcome.FAILED, run=run)
        done = Handoff(
            task=f"c1-{task:04}",
            title=f"services/payments/component_{task} ({files} files)",
            sites=files,
            status=TaskStatus.LANDED if task % 3 else TaskStatus.NEEDS_PERSON,
            landed=f"{task:040x}" if task % 3 else None,
            files=paths if task % 3 else (),
            put_back=tuple(
                PutBack(path=p, reason=f"{why}_{n}") for n, p in enumerate(paths) if task % 3 == 0
            ),
            attempts=(failed, an_attempt(2, a_check(CheckOutcome.GREEN)), failed),
            seconds=700 + task,
        )
        handoffs.append(done)
    landings = [
        LandedCommit(
            commit=f"{task:040x}",
            at=f"2026-01-{1 + task // 24:02}T{task % 24:02}:00:00+00:00",
            tasks=(f"c1-{task:04}",),
            files=files,
        )
        for task in range(tasks)
        if task % 3
    ]
    return a_report(
        *handoffs,
        objective=loud,
        reason=loud,
        landings=tuple(landings),
        finished_at="2026-01-22T00:00:00+00:00",
        sites_at_start=tasks * files,
        sites_left=sum(len(h.put_back) for h in handoffs),
        landed_files=sum(len(h.files) for h in handoffs),
        baseline_failures={"unit": tuple(f"tests.old::{name}{n}" for n in range(5000))},
        unplaced=tuple(f"suite::{n} {loud}" for n in range(200)),
        outside=tuple(path(0, n) for n in range(3000)),
    )
