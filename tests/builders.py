"""The smallest valid contracts, for tests that care about one field of them."""

from collections.abc import Sequence

from activities.contracts.children import AreaRow
from activities.contracts.climb import Work
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.file_requests import Grant
from activities.contracts.landing import Candidate
from activities.contracts.plan import Plan, Task, TaskRow
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.spec import MigrationSpec
from activities.contracts.work import Checkpoint, CommandRun, Handoff, RungRun

COMMIT = "1" * 40
OTHER = "2" * 40
TREE = "3" * 40
REPOSITORY = Repository(url="https://git.example.com/team/app.git", id="app-1a2b3c4d")


def a_row(
    id: str,
    *claims: str,
    needs: tuple[str, ...] = (),
    state: str = "waiting",
    grants: Sequence[str] = (),
) -> AreaRow:
    claims = claims or (f"{id}.py",)
    task = TaskRow(id=id, title=id, claims=claims, needs=needs, sites=len(claims))
    granted = tuple(Grant(path=path, reason=f"{id} has to") for path in grants)
    return AreaRow(task=task, state=state, granted_files=granted)


def a_task(id: str = "c1-0001", *claims: str, **fields: object) -> Task:
    """A task with a site in each of its files."""
    claims = claims or (f"{id}.py",)
    return Task.model_validate(
        {"id": id, "title": f"change {id}", "claims": claims, "sites": len(claims), **fields}
    )


def a_plan(name: str, base: str, *tasks: Task) -> Plan:
    return Plan(migration=name, spec_digest="0" * 64, base=base, phase="main", cycle=1, tasks=tasks)


def a_spec(
    name: str,
    ladder: Sequence[str | dict[str, object]] = ("codemod",),
    phases: Sequence[str] = ("main",),
    pilot: int = 0,
    gates: Sequence[str] = ("unit",),
    find: Sequence[dict[str, object]] = (),
    resolver: str = "",
    plan: str = "static",
    judge: str = "none",
    **fields: object,
) -> MigrationSpec:
    """A spec whose phases have one ladder of these rungs; a kind stands for its smallest one."""
    how = {"codemod": {"run": "true"}, "command": {"run": "true"}, "claude": {}}
    rungs = [{kind: how[kind]} if isinstance(kind, str) else kind for kind in ladder]
    return MigrationSpec.model_validate(
        {
            "version": 1,
            "name": name,
            "repository": REPOSITORY.url,
            "objective": "Everything old becomes new.",
            "checks": {"unit": {"run": "true"}},
            "phases": [
                {
                    "name": phase,
                    "plan": plan,
                    "judge": judge,
                    "ladder": rungs,
                    "checks": list(gates),
                    "pilot": pilot,
                    "sites": {"find": find},
                    "resolver": {resolver: how[resolver]} if resolver else None,
                }
                for phase in phases
            ],
            **fields,
        }
    )


def a_branch(name: str) -> GreenBranch:
    return GreenBranch(repository=REPOSITORY.id, name=f"whimbrel/{name}", migration=name)


def a_candidate(
    task: str, priority: int = 3, commit: str = COMMIT, asking: int = 0, chain: int = 0
) -> Candidate:
    return Candidate(
        migration="m",
        task=task,
        commit=commit,
        base=OTHER,
        title=task,
        claims=(f"{task}.py",),
        priority=priority,
        reply_to=f"migration/m/task/{task}/0",
        asking=asking,
        chain=chain,
    )


def some_evidence(*red: str, files: tuple[str, ...] = (), ids: tuple[str, ...] = ()) -> Evidence:
    """Green, or red with these reasons, naming these files and results."""
    outcome = CheckOutcome.RED if red else CheckOutcome.GREEN
    check = CheckResult(
        check="unit", outcome=outcome, reasons=red, failing_files=files, new_failures=ids
    )
    return Evidence(tree=TREE, moment=Moment.TASK, checks=(check,))


def a_checkpoint(**fields: object) -> Checkpoint:
    return Checkpoint.model_validate(
        {"commit": COMMIT, "tree": TREE, "base": OTHER, "moved": True, **fields}
    )


def a_run(exit: int | None = 0, ended: str = "exit") -> CommandRun:
    return CommandRun(exit=exit, ended=ended, seconds=0.1)


def a_rung_run() -> RungRun:
    return RungRun(run=a_run(), allowed=True, checkpoint=a_checkpoint())


def some_work(**fields: object) -> Work:
    """Green, with nothing left."""
    smallest = {"commit": COMMIT, "base": OTHER, "files": ("a.py",), "evidence": some_evidence()}
    return Work.model_validate({**smallest, **fields})


def a_handoff(**fields: object) -> Handoff:
    return Handoff.model_validate({"task": "c1-0001", "status": "landed", **fields})
