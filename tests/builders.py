"""The smallest valid contracts, for tests that care about one field of them."""

from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.landing import Candidate
from activities.contracts.migration import AreaRow
from activities.contracts.plan import TaskRow
from activities.contracts.work import Checkpoint, CommandRun

COMMIT = "1" * 40
OTHER = "2" * 40
TREE = "3" * 40


def a_row(id: str, *claims: str, needs: tuple[str, ...] = (), state: str = "waiting") -> AreaRow:
    task = TaskRow(id=id, title=id, claims=claims or (f"{id}.py",), needs=needs)
    return AreaRow(task=task, state=state)


def a_candidate(task: str, priority: int = 3, commit: str = COMMIT) -> Candidate:
    return Candidate(
        migration="m",
        task=task,
        commit=commit,
        base=OTHER,
        title=task,
        claims=(f"{task}.py",),
        priority=priority,
        reply_to=f"migration/m/task/{task}/0",
    )


def some_evidence(*red: str, files: tuple[str, ...] = ()) -> Evidence:
    """Green, or red with these reasons, naming these files."""
    outcome = CheckOutcome.RED if red else CheckOutcome.GREEN
    check = CheckResult(check="unit", outcome=outcome, reasons=red, failing_files=files)
    return Evidence(tree=TREE, moment=Moment.TASK, checks=(check,))


def a_checkpoint(**fields: object) -> Checkpoint:
    return Checkpoint.model_validate(
        {"commit": COMMIT, "tree": TREE, "base": OTHER, "moved": True, **fields}
    )


def a_run(exit: int | None = 0, ended: str = "exit") -> CommandRun:
    return CommandRun(exit=exit, ended=ended, seconds=0.1)
