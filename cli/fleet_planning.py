"""Planning a fleet, or a migration alone: what `plan` does with a spec of either kind."""

from pathlib import Path
from typing import Any

from activities.contracts.spec import MigrationSpec
from cli import planning
from cli.boundary import Code, Refused, give, give_json, say
from cli.plan_text import plan_text
from cli.render import counted
from cli.session import Session, session
from cli.starting import read_any

OF_ONE = (Code.NOT_DONE, Code.USAGE)
"""What one repository is refused with; anything else would meet the others too."""


async def plan(
    path: Path,
    local: bool,
    as_json: bool,
    saved: Path | None,
    patience: float | None,
    phase: str = "",
) -> int:
    """Shows the plan of what a spec says; of a fleet, each repository's in turn.

    A repository that cannot be planned is told and does not hide the others; the exit code is then
    NOT_DONE.
    """
    spec = read_any(path, "none" if saved else "all")
    if isinstance(spec, MigrationSpec):
        return await planning.plan(spec, path, local, as_json, saved, patience, phase)
    if saved:
        raise Refused(Code.USAGE, "A saved plan is of one repository, and this spec is a fleet.")
    plans: list[dict[str, Any]] = []
    async with session(local=local) as connected:
        for member in spec.members:
            plans.append(await _plan_member(connected, member, as_json, patience))
    failed = sum("error" in plan for plan in plans)
    if as_json:
        give_json("plans", {"name": spec.name, "plans": plans})
    say(f"{spec.name}: {len(plans) - failed} of {counted(len(plans), 'plan')} made")
    return Code.NOT_DONE if failed else Code.OK


async def _plan_member(
    connected: Session, member: MigrationSpec, as_json: bool, patience: float | None
) -> dict[str, Any]:
    """Shows one repository's plan as soon as it is there; the same as data."""
    try:
        planned = await planning.plan_of(connected, member, patience)
    except Refused as refused:
        if refused.code not in OF_ONE:
            raise
        say(f"{member.name}: {refused}")
        return {"name": member.name, "error": str(refused)}
    if not as_json:
        give(f"{plan_text(member, planned)}\n\n")
    return {"name": member.name, "phases": planning.plan_data(member, planned)}
