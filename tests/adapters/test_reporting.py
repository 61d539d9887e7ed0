"""The report says first what was not done and why; what repositories say cannot become markup."""

from decimal import Decimal

from activities.adapters.html_report import render_html
from activities.adapters.report_words import duration
from activities.adapters.reporting import Undone, render_report, undone
from activities.baselines import Baseline, read_baseline
from activities.contracts.commands import HumanDecision
from activities.contracts.contention import HotFile
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.file_requests import Grant
from activities.contracts.migration import Stage
from activities.contracts.money import Spend
from activities.contracts.report import KeptWork, MigrationReport
from activities.contracts.work import (
    Attempt,
    CommandRun,
    Handoff,
    PutBack,
    RungOutcome,
    TaskStatus,
)

BASE, TIP = "b" * 40, "c" * 40

GOLDEN = """\
# Migration bare-asserts

> Tests use bare asserts.

**Done with leftovers: what is left needs a person.** two files need more than the codemod

- Landed: 2 of 3 tasks, 9 files
- Sites: 4 left of 40
- Repository: `app-1a2b3c4d`
- Branch: `whimbrel/bare-asserts` at `cccccccccccc`, from `bbbbbbbbbbbb`
- Time: 3 min 20 s, 1 cycle
- Sandbox: strict

## Not done

| Task | What | Why |
| --- | --- | --- |
| `c1-0002` | `tests/test_b.py` | newly failing: tests.test\\_b::test\\_x |
| `c1-0003` | the whole task | unit: newly failing: tests.test\\_c::test\\_y |

## Kept: the last work of tasks that did not land whole

Nothing of it is lost: `git fetch HUB REF` brings it into a repository of yours.

| Task | Files | Ref |
| --- | --- | --- |
| `c1-0002` | 2 | `refs/whimbrel/host/h/bare-asserts/c1-0002/0-1-0` |

## Tasks

| Task | Outcome | Files | Attempts | Bounces | Time | Commit |
| --- | --- | --- | --- | --- | --- | --- |
| `c1-0001` | landed | 1 | codemod: changed | 0 | 12 s | `cccccccccccc` |
| `c1-0002` | partial | 0 |  | 1 | 1 min 1 s | `cccccccccccc` |
| `c1-0003` | needs person | 0 | codemod: changed | 0 | 0 s |  |

## Red before the migration

`unit`: 1 result

- `tests.test_old::test_z`

## What people decided

| When | Who | What | Of | Why | That is |
| --- | --- | --- | --- | --- | --- |
| 2026-01-01T00:00:10+00:00 | ann@host | approve | all | looks right |  |
| 2026-01-01T00:00:20+00:00 | bob@host | steer | task c1-0002 |  | Use the new \\| API. |

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


def test_what_died_meanwhile_is_told() -> None:
    told = render_report(a_report(interruptions={"worker": 2, "server": 1}))
    assert "- Interrupted: server once, worker twice; each was started again" in told
    assert "Interrupted" not in render_report(a_report())


def test_files_beyond_a_claim_and_those_that_tasks_contended_for_are_told() -> None:
    granted = (Grant(path="b.py", reason="its callers change"),)
    follow_ups = ("ci.yml: it is protected",)
    handoff = Handoff(
        task="c1-0001", status=TaskStatus.LANDED, granted=granted, follow_ups=follow_ups
    )
    report = a_report(handoff, hot=(HotFile(path="a.py", waited=2, conflicts=1),))
    lines = (
        "c1-0001: b.py: granted: its callers change",
        "c1-0001: ci.yml: it is protected",
        "a.py: 2 waited at once, 1 conflict",
    )
    for page in (render_report(report), render_html(report)):
        assert all(line in page for line in lines)
        assert "Files that tasks contended for" in page
    assert "contended" not in render_report(a_report())


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
        kept=(
            KeptWork(
                task="c1-0002",
                ref="refs/whimbrel/host/h/bare-asserts/c1-0002/0-1-0",
                commit=TIP,
                files=2,
            ),
        ),
        baseline_failures={"unit": ("tests.test_old::test_z",)},
        decisions=(
            HumanDecision(
                id="1",
                verb="approve",
                actor="ann@host",
                reason="looks right",
                at="2026-01-01T00:00:10+00:00",
            ),
            HumanDecision(
                id="2",
                verb="steer",
                actor="bob@host",
                at="2026-01-01T00:00:20+00:00",
                target="task c1-0002",
                said="Use the new | API.",
            ),
        ),
    )
    rendered = render_report(report)
    assert rendered == GOLDEN
    assert rendered.index("## Not done") < rendered.index("## Tasks")


def test_what_each_area_cost_is_told_where_there_are_several() -> None:
    def of(area: str, usd: str, lost: str = "0") -> Handoff:
        spend = Spend(recorded=Decimal(usd), unconfirmed=Decimal(lost))
        return Handoff(task="c1-0001", status=TaskStatus.LANDED, area=area, spend=spend)

    both = render_report(a_report(of("rest/db", "1.25", "0.25"), of("root", "2"), of("root", "1")))
    assert "- Models by area, in USD: rest/db 1.50, root 3.00\n" in both
    assert "by area" not in render_report(a_report(of("root", "2"), of("rest", "0")))


def test_phases_that_never_started_are_not_passed_over() -> None:
    said = render_report(a_report(unbegun=("calls", "flip")))
    assert "- **Not begun**: `calls`, `flip`; nobody has looked for the sites" in said
    assert "Not begun" not in render_report(a_report())


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


def a_failed_run(tail: str) -> Attempt:
    run = CommandRun(exit=127, seconds=0.1, tail=tail)
    return Attempt(number=1, rung=0, kind="codemod", outcome=RungOutcome.FAILED, run=run)


def test_each_file_that_was_not_done_is_named_once_with_what_the_tool_said() -> None:
    stuck = Handoff(
        task="c1-0001",
        status=TaskStatus.NEEDS_PERSON,
        left=("src/b.py", "src/a.py"),
        concerns=("codemod: failed",),
        attempts=(a_failed_run("line 1\nbash: no-such-tool: command not found\n"),),
    )
    assert undone([stuck]) == [
        Undone(
            "c1-0001",
            ("src/a.py", "src/b.py"),
            "codemod: failed (exit 127: bash: no-such-tool: command not found)",
        )
    ]
    back = PutBack(path="src/a.py", reason="unit: newly failing: tests.a::test_x")
    half = stuck.model_copy(update={"status": TaskStatus.PARTIAL, "put_back": (back,)})
    assert [u.paths for u in undone([half])] == [("src/a.py",), ("src/b.py",)]
    over = Handoff(task="c1-0002", status=TaskStatus.NOTHING_TO_DO, did="nothing changed")
    assert undone([over]) == []


def test_a_tool_that_changed_nothing_is_quoted_too() -> None:
    run = CommandRun(exit=0, seconds=0.1, tail="src/a.py: cannot parse\n")
    idle = Attempt(number=1, rung=0, kind="codemod", outcome=RungOutcome.NO_CHANGE, run=run)
    stuck = Handoff(
        task="c1-0001", status=TaskStatus.NEEDS_PERSON, left=("src/a.py",), attempts=(idle,)
    )
    [entry] = undone([stuck])
    assert entry.why == "codemod: no change (exit 0: src/a.py: cannot parse)"
    absent = Attempt(
        number=2, rung=1, kind="claude", outcome=RungOutcome.UNAVAILABLE, note="no model worker"
    )
    words = ("codemod: no_change", "claude: unavailable no model worker")
    [entry] = undone([stuck.model_copy(update={"attempts": (idle, absent), "concerns": words})])
    assert entry.why == (
        "codemod: no change (exit 0: src/a.py: cannot parse); "
        "then claude: unavailable (no model worker)"
    )


def test_a_bare_exit_code_comes_with_what_the_command_printed() -> None:
    red = CheckResult(
        check="unit",
        outcome=CheckOutcome.RED,
        reasons=("failing: exit: exit 1",),
        exit=1,
        tail="…\nboom: no database\n",
    )
    evidence = Evidence(tree=BASE, moment=Moment.TASK, checks=(red,))
    attempt = an_attempt().model_copy(update={"evidence": evidence})
    back = PutBack(path="src/a.py", reason="unit: failing: exit: exit 1")
    stuck = Handoff(
        task="c1-0001", status=TaskStatus.NEEDS_PERSON, put_back=(back,), attempts=(attempt,)
    )
    [found] = undone([stuck])
    assert found.why == "unit: failing: exit: exit 1: boom: no database"


def test_a_long_list_of_files_or_of_red_results_is_bounded() -> None:
    files = tuple(f"src/m{n:03}.py" for n in range(300))
    stuck = Handoff(task="c1-0001", status=TaskStatus.CANNOT, left=files, concerns=("no way",))
    ids = tuple(f"tests::test_{n}" for n in range(400))
    rendered = render_report(a_report(stuck, baseline_failures={"unit": ids}))
    assert "and 280 more | no way |" in rendered
    assert "`unit`: 400 results" in rendered
    assert "- and 350 more, which are in the JSON report" in rendered
    assert len(rendered) < 10_000


def test_a_check_that_was_red_as_a_whole_is_called_one_that_verified_nothing() -> None:
    done = Handoff(task="c1-0001", status=TaskStatus.LANDED, landed=TIP)
    rendered = render_report(a_report(done, outcome=Stage.DONE, blind_checks=("unit",)))
    said = "**NOT VERIFIED: check 'unit' failed on the base already, as a whole"
    assert said in rendered[: rendered.index("- Landed")]


def test_red_checks_at_the_end_are_not_done_although_every_task_landed() -> None:
    done = Handoff(task="c1-0001", status=TaskStatus.LANDED, landed=TIP)
    reason = "checks at the end are red: unit: failing: a::x; unit: failing: a::y"
    rendered = render_report(a_report(done, outcome=Stage.STOPPED, reason=reason, sites_left=0))
    assert "every task landed whole" not in rendered
    section = rendered[rendered.index("## Not done") : rendered.index("## Tasks")]
    assert "- unit: failing: a::y" in section


def test_red_results_that_no_task_could_take_are_not_done() -> None:
    done = Handoff(task="c1-0001", status=TaskStatus.LANDED, landed=TIP)
    ids = tuple(f"a::test_{n}" for n in range(60))
    for handoffs in ((done,), ()):
        rendered = render_report(a_report(*handoffs, unplaced=ids))
        section = rendered[rendered.index("## Not done") : rendered.index("## How to look")]
        assert "Nothing" not in section
        assert "Sites that no task could take" in section
        assert "- `a::test_0`\n" in section
        assert "- and 10 more, which are in the JSON report" in section
    stuck = Handoff(task="c1-0002", status=TaskStatus.CANNOT, left=("b.py",))
    rendered = render_report(a_report(stuck, unplaced=ids[:1]))
    assert rendered.index("`b.py`") < rendered.index("- `a::test_0`")


def test_what_a_codemod_changed_outside_all_claims_is_listed() -> None:
    done = Handoff(task="c1-0001", status=TaskStatus.LANDED, landed=TIP)
    report = a_report(done, outside=("README", "conf/a`b.cfg"), dropped=("stray.txt",))
    section = render_report(report).split("## Changed by a codemod")[1].split("## Tasks")[0]
    assert "- `README`\n- `conf/a'b.cfg`\n" in section
    assert "New files, which `creates` does not name:\n\n- `stray.txt`\n" in section
    assert "Changed by a codemod" not in render_report(a_report(done))


def test_the_repositorys_credentials_are_not_in_the_report() -> None:
    rendered = render_report(a_report(repository="https://ann:hunter2@git.example.com/app.git"))
    assert "`https://***@git.example.com/app.git`" in rendered
    assert "hunter2" not in rendered


def test_what_was_never_red_is_no_flaky_result_and_nothing_is_listed_twice() -> None:
    record = {
        "failed": ["always", "once"],
        "flaky": ["once", "second", "took 12 ms", "took 13 ms"],
        "red": ["always", "once", "second"],
        "total": 900,
    }
    assert read_baseline(record) == Baseline(("always",), ("once", "second"), blind=False)
    assert read_baseline({}) == Baseline((), (), blind=False)
    assert read_baseline({"failed": ["exit"], "total": 1}).blind
    # The suite ended badly, but its own results can still be compared.
    assert not read_baseline({"failed": ["exit"], "total": 901}).blind


def test_durations_read_as_people_say_them() -> None:
    assert [duration(s) for s in (0.4, 59.6, 3599, 18_420, 1_825_200)] == [
        "0 s",
        "1 min 0 s",
        "59 min 59 s",
        "5 h 7 min",
        "21 d 3 h",
    ]
