"""The report says first what was not done and why; what repositories say cannot become markup."""

from activities.adapters.reporting import duration, render_report
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.migration import HumanDecision, MigrationReport, Stage
from activities.contracts.work import Attempt, Handoff, PutBack, RungOutcome, TaskStatus

BASE, TIP = "b" * 40, "c" * 40

GOLDEN = """\
# Migration bare-asserts

> Tests use bare asserts.

**Done with leftovers: what is left needs a person.** two files need more than the codemod

- Landed: 2 of 3 tasks, 9 files
- Sites: 4 left of 40
- Branch: `whimbrel/bare-asserts` at `cccccccccccc`, from `bbbbbbbbbbbb`
- Time: 3 min 20 s, 1 cycle
- Sandbox: strict

## Not done

| Task | What | Why |
| --- | --- | --- |
| `c1-0002` | `tests/test_b.py` | newly failing: tests.test\\_b::test\\_x |
| `c1-0003` | the whole task | newly failing: tests.test\\_c::test\\_y |

## Tasks

| Task | Outcome | Files | Attempts | Bounces | Time | Commit |
| --- | --- | --- | --- | --- | --- | --- |
| `c1-0001` | landed | 1 | codemod: changed | 0 | 12 s | `cccccccccccc` |
| `c1-0002` | partial | 0 |  | 1 | 1 min 1 s | `cccccccccccc` |
| `c1-0003` | needs person | 0 | codemod: changed | 0 | 0 s |  |

## Red before the migration

| Check | Result |
| --- | --- |
| `unit` | `tests.test_old::test_z` |

## What people decided

| When | Who | What | Why |
| --- | --- | --- | --- |
| 2026-01-01T00:00:10+00:00 | ann@host | approve | looks right |

## How to look at it

    starter.py diff bare-asserts --stat    what changed, by file
    starter.py show bare-asserts TASK      one task, its attempts and its evidence
    starter.py report bare-asserts --json  this report as data
"""


def an_attempt(*reasons: str) -> Attempt:
    red = CheckResult(check="unit", outcome=CheckOutcome.RED, reasons=reasons)
    evidence = Evidence(tree=BASE, moment=Moment.TASK, checks=(red,) if reasons else ())
    return Attempt(number=1, rung=0, kind="codemod", outcome=RungOutcome.CHANGED, evidence=evidence)


def a_report(*handoffs: Handoff, **fields: object) -> MigrationReport:
    return MigrationReport.model_validate(
        {
            "name": "bare-asserts",
            "objective": "Tests use bare asserts.",
            "repository": "app-1a2b3c4d",
            "base": BASE,
            "branch": "whimbrel/bare-asserts",
            "tip": TIP,
            "outcome": Stage.DONE_WITH_LEFTOVERS,
            "started_at": "2026-01-01T00:00:00+00:00",
            "finished_at": "2026-01-01T00:03:20+00:00",
            "sites_at_start": 40,
            "sites_left": 4,
            "cycles": 1,
            "handoffs": handoffs,
            **fields,
        }
    )


def test_the_report_says_what_was_not_done_before_everything_else() -> None:
    report = a_report(
        Handoff(
            task="c1-0003",
            status=TaskStatus.NEEDS_PERSON,
            attempts=(an_attempt("newly failing: tests.test_c::test_y"),),
        ),
        Handoff(
            task="c1-0001",
            status=TaskStatus.LANDED,
            landed=TIP,
            files=("tests/test_a.py",),
            attempts=(an_attempt(),),
            seconds=12.2,
        ),
        Handoff(
            task="c1-0002",
            status=TaskStatus.PARTIAL,
            landed=TIP,
            put_back=(
                PutBack(path="tests/test_b.py", reason="newly failing: tests.test_b::test_x"),
            ),
            bounces=1,
            seconds=61,
        ),
        reason="two files need more than the codemod",
        landed_files=9,
        sandbox="strict",
        baseline_failures={"unit": ("tests.test_old::test_z",)},
        decisions=(
            HumanDecision(
                id="1",
                verb="approve",
                actor="ann@host",
                reason="looks right",
                at="2026-01-01T00:00:10+00:00",
            ),
        ),
    )
    rendered = render_report(report)
    assert rendered == GOLDEN
    assert rendered.index("## Not done") < rendered.index("## Tasks")


def test_a_migration_without_leftovers_says_so() -> None:
    done = Handoff(task="c1-0001", status=TaskStatus.LANDED, landed=TIP)
    rendered = render_report(a_report(done, outcome=Stage.DONE, sites_left=0))
    assert "Nothing: every task landed whole." in rendered
    assert "Done: every site is migrated and landed." in rendered


def test_text_from_a_repository_cannot_become_markup_or_another_row() -> None:
    hostile = Handoff(
        task="c1-0001",
        status=TaskStatus.CANNOT,
        concerns=("<script>x</script> | landed |\n| `c1-0002` | [a](http://b) " + "x" * 9000,),
    )
    rendered = render_report(a_report(hostile, objective="# Title\n<img src=x>"))
    [row] = [line for line in rendered.splitlines() if "the whole task" in line]
    assert len(row) < 600
    assert "\\<script\\>" in row
    assert "\\| landed \\|" in row
    assert "> \\# Title" in rendered
    assert "<img" not in rendered.replace("\\<img", "")


def test_durations_read_as_people_say_them() -> None:
    assert [duration(s) for s in (0.4, 59.6, 3599, 18_420)] == [
        "0 s",
        "1 min 0 s",
        "59 min 59 s",
        "5 h 7 min",
    ]
