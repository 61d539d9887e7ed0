"""Starting a fleet, or a migration alone: what `start` does with a spec of either kind."""

import getpass
from datetime import timedelta
from pathlib import Path

from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.contracts.base import digest_of
from activities.contracts.fleet import FleetInput, FleetResult, FleetSpec
from activities.contracts.spec import MigrationSpec
from cli import starting
from cli.boundary import Code, Refused, give, say
from cli.fleet_watching import follow_fleet
from cli.fleets import FleetHandle
from cli.render import counted, first_line
from cli.retention import KEPT_AFTER_END, keep_history
from cli.session import Session, session, warn_if_guest
from cli.starting import read_any
from cli.watching import Following
from workflows import options

WORKFLOW = "FleetWorkflow"


async def start(path: Path, local: bool, saved: Path | None, following: Following) -> int:
    """Starts what a spec says, or joins the open run of the same spec."""
    spec = read_any(path, "later" if saved else "all")
    if isinstance(spec, MigrationSpec):
        return await starting.start(path, local, saved, following)
    if saved:
        raise Refused(Code.USAGE, "A saved plan is of one repository, and this spec is a fleet.")
    async with session(local=local) as connected:
        warn_if_guest(connected, local)
        fleet = await begin_fleet(connected, spec)
        if not (following.wanted or local or connected.local):
            give(fleet.id)
            return Code.OK
        return await follow_fleet(connected, fleet, following)


async def begin_fleet(connected: Session, spec: FleetSpec) -> FleetHandle:
    """The fleet's handle, started if it was not; says where to look at it."""
    for member in spec.members:
        await starting.check_unless_open(connected, member, options.migration_id(member.name))
    asks = starting.has_model(connected)
    for note in dict.fromkeys(n for member in spec.members for n in starting.notices(member, asks)):
        say(note)
    if connected.local:
        days = max(member.limits.days for member in spec.members)
        await keep_history(connected, timedelta(days=days) + KEPT_AFTER_END)
    given = FleetInput(
        name=spec.name,
        objective=spec.objective,
        spec_digest=digest_of(spec),
        fleet=spec.fleet,
        members=tuple(starting.migration_input(connected, member) for member in spec.members),
    )
    fleet = await _start_or_join(connected, given)
    if connected.link(fleet.id):
        say(f"web UI   {connected.link(fleet.id)}")
    say(f"watch    starter.py watch {spec.name}")
    return fleet


async def _start_or_join(connected: Session, given: FleetInput) -> FleetHandle:
    id = options.fleet_id(given.name)
    attributes = {
        options.MIGRATION_NAME: given.name,
        options.STAGE: "work",
        options.OWNER: getpass.getuser(),
    }
    try:
        fleet: FleetHandle = await connected.client.start_workflow(
            WORKFLOW,
            given,
            id=id,
            task_queue=options.CONTROL,
            result_type=FleetResult,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            memo={"spec_digest": given.spec_digest},
            static_summary=first_line(given.objective),
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(key, value) for key, value in attributes.items()]
            ),
        )
        say(f"Started {given.name}: {counted(len(given.members), 'migration')}.")
        return fleet
    except WorkflowAlreadyStartedError:
        fleet = connected.client.get_workflow_handle(id, result_type=FleetResult)
    await starting.join(fleet, given.name, given.spec_digest)
    return fleet
