"""A fleet: one objective on several repositories, a migration each. What starts it, what it is
asked and how it ends."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from activities.contracts.base import BlobRef, CommitId, Contract, Form
from activities.contracts.commands import Command, Hold, HumanDecision
from activities.contracts.migration import MigrationInput, MigrationResult, Stage, Steerable
from activities.contracts.run_form import Name, Whole
from activities.contracts.spec import MigrationSpec

ORDER = "order"
"""Signal, fleet → migration, with a FleetOrder."""
WAITING, RUNNING, NOT_STARTED = "waiting", "running", "not started"
MAX_REPOSITORIES = 300
"""A fleet's whole state travels through continue-as-new."""


class FleetBounds(Form):
    """How a fleet goes through its repositories."""

    canary: Annotated[Whole, Field(ge=0)] = 1
    """The first so many go alone; the rest starts when they have ended well."""
    concurrency: Annotated[Whole, Field(ge=1, le=100)] = 5
    """Migrations at once."""
    stop_after: Annotated[Whole, Field(ge=1)] = 3
    """So many that ended badly (stopped, failed), and no more are started."""


def _as_entry(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


class RepositoryForm(Form):
    """One repository of a fleet."""

    url: Annotated[str, Field(min_length=1)]
    name: Name | None = None
    """In the fleet: NAME/<this>; None: the last part of the URL."""
    base: str | None = None
    """None: the spec's."""
    vars: dict[str, str | tuple[str, ...]] = {}
    """Win over the spec's."""


RepositoryField = Annotated[
    RepositoryForm, BeforeValidator(_as_entry, json_schema_input_type=str | RepositoryForm)
]


class FleetSpec(Form):
    """What a spec with `repositories` says: a migration's spec for each of them."""

    name: str
    objective: str
    fleet: FleetBounds
    members: tuple[MigrationSpec, ...]


class FleetRow(Contract):
    """One migration as its fleet knows it."""

    name: str
    state: str = WAITING
    """waiting, running, not started, or the Stage it ended in."""
    landed: int = 0
    leftovers: int = 0
    sites_left: int = 0
    branch: str = ""
    tip: CommitId | None = None
    reason: str = ""
    report: BlobRef | None = None
    told: str = ""
    """The id of the last command that was passed on to it."""


class FleetState(Steerable):
    """Everything a fleet carries over continue-as-new."""

    rows: tuple[FleetRow, ...] = ()
    started_at: str = ""


class FleetInput(Contract):
    """Starts or continues a fleet."""

    name: str
    objective: str
    spec_digest: str
    fleet: FleetBounds
    members: tuple[MigrationInput, ...]
    state: FleetState | None = None


class FleetOrder(Contract):
    """What a fleet passes on to each of its migrations."""

    verb: str
    """pause, resume or cancel."""
    command: Command


class FleetProgress(Contract):
    """Where a fleet stands; the answer of its query `progress`."""

    schema_version: int = 1
    name: str
    objective: str = ""
    stage: Stage
    rows: tuple[FleetRow, ...] = ()
    waiting_for: str = ""
    command: str = ""
    decisions: tuple[HumanDecision, ...] = ()
    holds: tuple[Hold, ...] = ()


class FleetResult(Contract):
    """How a fleet ended, which is its report too."""

    schema_version: int = 1
    name: str
    objective: str = ""
    stage: Stage
    reason: str = ""
    rows: tuple[FleetRow, ...] = ()
    started_at: str = ""
    finished_at: str = ""
    decisions: tuple[HumanDecision, ...] = ()


class MigrationEnd(Contract):
    """How a migration ended that nobody watched."""

    id: str
    is_open: bool = False
    result: MigrationResult | None = None
    reason: str = ""
    """Why there is no result."""


class MigrationEnds(Contract):
    """The answers of `read_ends`, in the order asked."""

    ends: tuple[MigrationEnd, ...]
