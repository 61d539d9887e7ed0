"""The verb `plan`: a run of its own that surveys and plans every phase, and begins nothing."""

import asyncio
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.contracts.migration import MigrationResult
from activities.contracts.plan import PhaseOutlook, Plan
from activities.contracts.spec import MigrationSpec
from cli.boundary import Code, Refused, give, give_json, say
from cli.plan_files import without_unfit
from cli.plan_text import Planned, known_later, plan_text
from cli.session import Session, session
from cli.starting import check_unless_open, launch, migration_input
from cli.watching import ended
from workflows import options


async def plan(
    spec: MigrationSpec,
    path: Path,
    local: bool,
    as_json: bool,
    saved: Path | None,
    patience: float | None,
    phase: str,
) -> int:
    """Shows every phase's tasks and what they will take; saves the plan of one (empty: the first),
    which is made anew for that where the spec names one of the user's own."""
    names = [of.name for of in spec.phases]
    if phase and (phase not in names or not saved):
        what = f"there are {', '.join(names)}" if saved else "say where to save it, with -o"
        raise Refused(Code.USAGE, f"--phase {phase}: {what}")
    wanted = names.index(phase) if phase else 0
    if saved:
        spec, unfit = without_unfit(spec.without_plan(names[wanted]), names)
        for what in unfit:
            say(what)
        await asyncio.to_thread(check_writable, saved)
    async with session(local=local) as connected:
        planned = await plan_of(connected, spec, patience)
    if saved:
        await _save(saved, planned, wanted, path)
    if as_json:
        phases = plan_data(spec, planned)
        give_json("plan", {**phases[0], "phases": phases})
    else:
        give(plan_text(spec, planned))
    return Code.OK


async def _save(saved: Path, planned: list[Planned], number: int, path: Path) -> None:
    plan, phase = planned[number].plan, planned[number].outlook.phase
    if plan is None:
        raise Refused(Code.NOT_DONE, f"Nothing to save: phase {phase} has no plan on the base yet.")
    await asyncio.to_thread(saved.write_text, plan.model_dump_json(indent=2) + "\n")
    if number:
        say(f"Saved to {saved}; run it with `plan: {saved}` in phase {phase} of {path}")
        return
    of = f" (phase {phase})" if len(planned) > 1 else ""
    say(f"Saved to {saved}{of}; run exactly it with: starter.py start {path} --plan {saved}")


async def plan_of(connected: Session, spec: MigrationSpec, patience: float | None) -> list[Planned]:
    """Every phase as far as it is known on the base. The same spec joins the run that is open."""
    given = migration_input(connected, spec, until="plan")
    workflow_id = options.plan_id(spec.name, given.identity)
    await check_unless_open(connected, spec, workflow_id)
    try:
        handle = await launch(connected, given, spec, workflow_id, f"plan of {spec.name}")
    except WorkflowAlreadyStartedError:
        handle = connected.client.get_workflow_handle(workflow_id, result_type=MigrationResult)
    try:
        result = await connected.outlast(handle.result(), patience)
    except WorkflowFailureError as failure:
        raise ended(failure) from failure
    if result.plan is None:
        raise Refused(Code.NOT_DONE, f"No plan: {result.reason or result.stage.value}")
    return [await _read(connected, outlook) for outlook in result.outlook]


async def _read(connected: Session, outlook: PhaseOutlook) -> Planned:
    plan = await connected.read(outlook.plan.plan, Plan) if outlook.plan else None
    return Planned(outlook, plan)


def plan_data(spec: MigrationSpec, planned: list[Planned]) -> list[dict[str, Any]]:
    """Each phase as data: its plan, its forecast and what is only known later."""
    phases: list[dict[str, Any]] = []
    for number, (outlook, plan) in enumerate((of.outlook, of.plan) for of in planned):
        phases.append(
            {
                "phase": outlook.phase,
                "plan": plan and plan.model_dump(mode="json"),
                "forecast": outlook.plan and outlook.plan.forecast.model_dump(mode="json"),
                "known_later": known_later(planned, number, spec.phase(outlook.phase)),
            }
        )
    return phases


def check_writable(saved: Path) -> None:
    """Raises OSError before anything is planned for nothing; leaves what is there."""
    existed = saved.exists()
    with saved.open("a"):
        pass
    if not existed:
        saved.unlink()
