"""Verbs that start something: validate, start.

Starting is idempotent by name: the same spec joins the run that is open, another one is refused.
"""

import getpass
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.model_key import names_model
from activities.adapters.spec_file import SpecErrors, load_any
from activities.contracts.fleet import FleetSpec
from activities.contracts.migration import MigrationInput, MigrationResult
from activities.contracts.repository import Repository, repository_id
from activities.contracts.spec import CLAUDE, MigrationSpec, Phase
from cli.asking import Handle
from cli.boundary import Code, Refused, give, say
from cli.plan_files import UnfitPlan, own_plans, read_plan, with_first_plan
from cli.preflight import check_prices, check_repository, covering_nothing
from cli.render import counted, first_line
from cli.retention import KEPT_AFTER_END, keep_history
from cli.session import Session, session, warn_if_guest
from cli.watching import Following, follow
from workflows import options

WORKFLOW = "MigrationWorkflow"


Judged = Literal["all", "later", "none"]
"""Which of the plan files that a spec names are looked at: `later` are those of all phases but the
first, where another plan takes its place."""


def read_spec(path: Path, plans: Judged = "all") -> MigrationSpec:
    """As `read_any`, of one repository."""
    spec = read_any(path, plans)
    if isinstance(spec, FleetSpec):
        raise Refused(
            Code.USAGE,
            f"{path} is a fleet of {len(spec.members)} repositories: start it, or write "
            "`repository` with one of them for this",
        )
    return spec


def read_any(path: Path, plans: Judged = "all") -> MigrationSpec | FleetSpec:
    """The spec of a migration or a fleet, with local repositories' paths made absolute; all its
    errors at once, those of the plans that it names too."""

    def wrong_plan(spec: MigrationSpec, phase: Phase) -> tuple[str, str] | None:
        if plans == "none" or (plans == "later" and phase.name == spec.phases[0].name):
            return None
        try:
            read_plan(Path(phase.plan_file), _placed(spec, path), phase.name, str(path))
        except UnfitPlan as unfit:
            return unfit.what, unfit.advice
        return None

    try:
        spec = load_any(path, plan_rule=wrong_plan)
    except SpecErrors as errors:
        problems = "\n".join(str(problem) for problem in errors.problems)
        raise Refused(Code.USAGE, problems) from errors
    except OSError as error:
        raise Refused(Code.USAGE, f"{path}: {error.strerror}") from error
    if isinstance(spec, MigrationSpec):
        return _placed(spec, path)
    members = tuple(_placed(member, path) for member in spec.members)
    return spec.model_copy(update={"members": members})


def _placed(spec: MigrationSpec, path: Path) -> MigrationSpec:
    where = spec.repository
    if "://" in where or (":" in where.split("/", 1)[0]):
        return spec
    return spec.model_copy(
        update={"repository": str((path.parent / Path(where).expanduser()).resolve())}
    )


async def validate(path: Path) -> int:
    """Whether a spec can be started, as far as the file alone tells."""
    read = read_any(path)
    members = [read] if isinstance(read, MigrationSpec) else read.members
    spec = members[0]
    phases, checks = counted(len(spec.phases), "phase"), counted(len(spec.checks), "check")
    fleet = f"{len(members)} repositories, " if isinstance(read, FleetSpec) else ""
    say(f"{path}: {read.name}, {fleet}{phases}, {checks}: ok")
    for note in notices(spec):
        say(f"{path}: {note}")
    return Code.OK


def notices(spec: MigrationSpec, has_model: bool = False) -> list[str]:
    """What the spec says that may have no effect. `has_model`: a worker that asks one is there."""
    notes = [] if has_model else _without_model(spec)
    if spec.limits.usd is not None and not _without_model(spec):
        notes.append("note: `limits.usd` has no effect: nothing asks a model")
    return notes


def has_model(connected: Session) -> bool:
    """Whether the workers that run for this process have been given a key, or an address."""
    return connected.local and names_model(os.environ, connected.settings.provider)


def _without_model(spec: MigrationSpec) -> list[str]:
    notes: list[str] = []
    if any(phase.judge == CLAUDE for phase in spec.phases):
        notes.append(
            "note: `judge: claude` needs a worker of the role `model`; where there is none a cycle "
            "has no opinion, and the report says so"
        )
    if any(phase.plan == CLAUDE for phase in spec.phases):
        notes.append(
            "note: `plan: claude` needs a worker of the role `model`, which has a key; where there "
            "is none when a phase is planned, its split divides it and the plan says so"
        )
    if any(rung.kind == CLAUDE for phase in spec.phases for rung in phase.ways):
        notes.append(
            "note: `claude` rungs need a worker of the role `model`, which has a key; where a task "
            "gets to one and there is none, it is reported as unavailable and goes to a person"
        )
    return notes


async def check_unless_open(connected: Session, spec: MigrationSpec, workflow_id: str) -> None:
    """Looks at what a run that is not there yet needs: prices where it has a budget; its
    repository, where the workers see the same."""
    try:
        found = await connected.client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    else:
        if found.status is WorkflowExecutionStatus.RUNNING:
            return
    check_prices(spec, connected.settings)
    if connected.local or connected.here:
        await check_repository(spec)
        for note in await covering_nothing(spec):
            say(note)


def migration_input(connected: Session, spec: MigrationSpec, **more: Any) -> MigrationInput:
    url = spec.repository
    plans = own_plans(spec)
    return MigrationInput(
        name=spec.name,
        repository=Repository(url=url, id=repository_id(url), base=spec.base),
        spec=connected.blobs.put_model(spec.name, spec),
        spec_digest=spec.plan_digest,
        plans={phase: connected.blobs.put_model(spec.name, plans[phase]) for phase in plans},
        **more,
    )


async def launch(
    connected: Session, given: MigrationInput, spec: MigrationSpec, workflow_id: str, summary: str
) -> Handle:
    attributes = {
        options.MIGRATION_NAME: spec.name,
        options.STAGE: "survey",
        options.REPO: given.repository.id,
        options.OWNER: getpass.getuser(),
    }
    return await connected.client.start_workflow(
        WORKFLOW,
        given,
        id=workflow_id,
        task_queue=options.CONTROL,
        result_type=MigrationResult,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        memo={"spec_digest": given.identity},
        static_summary=summary,
        static_details=_details(spec),
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(key, value) for key, value in attributes.items()]
        ),
    )


def _details(spec: MigrationSpec) -> str:
    phases = ", ".join(phase.name for phase in spec.phases)
    text = f"{spec.objective.strip()[:10_000]}\n\n"
    text += f"- repository: `{spec.repository}`, base `{spec.base}`\n- phases: {phases}\n"
    return text + f"- green branch: `{spec.branch}`\n- watch: `starter.py watch {spec.name}`\n"


async def start(path: Path, local: bool, saved: Path | None, following: Following) -> int:
    """Starts a migration, or joins the open run of the same spec."""
    spec = read_spec(path, "later" if saved else "all")
    if saved:
        spec = with_first_plan(spec, saved, path)
    async with session(local=local) as connected:
        warn_if_guest(connected, local)
        handle = await begin(connected, spec)
        if not (following.wanted or local or connected.local):
            give(handle.id)
            return Code.OK
        return await follow(connected, handle, following)


async def begin(connected: Session, spec: MigrationSpec) -> Handle:
    """The migration's handle, started if it was not; says where to look at it."""
    await check_unless_open(connected, spec, options.migration_id(spec.name))
    for note in notices(spec, has_model(connected)):
        say(note)
    given = migration_input(connected, spec)
    if connected.local:
        await keep_history(connected, timedelta(days=spec.limits.days) + KEPT_AFTER_END)
    handle = await _start_or_join(connected, given, spec)
    say(f"branch   {spec.branch}")
    if connected.link(handle.id):
        say(f"web UI   {connected.link(handle.id)}")
    say(f"watch    starter.py watch {spec.name}")
    return handle


async def _start_or_join(connected: Session, given: MigrationInput, spec: MigrationSpec) -> Handle:
    workflow_id = options.migration_id(spec.name)
    try:
        handle = await launch(connected, given, spec, workflow_id, first_line(spec.objective))
        say(f"Started {spec.name}.")
        return handle
    except WorkflowAlreadyStartedError:
        handle = connected.client.get_workflow_handle(workflow_id, result_type=MigrationResult)
    await join(handle, spec.name, given.identity)
    return handle


async def join(handle: WorkflowHandle[Any, Any], name: str, digest: str) -> None:
    """Says that the open run of this spec was joined; one of another spec is refused."""
    theirs = await (await handle.describe()).memo_value("spec_digest", "")
    if theirs != digest:
        raise Refused(
            Code.REJECTED,
            f"{name} is running with another spec or plan ({theirs[:12]}, these are {digest[:12]})."
            f" Let it end, or: starter.py cancel {name}",
        )
    say(f"{name} is running already with this spec: joined.")
