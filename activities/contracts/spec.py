"""The migration spec: what a user writes, as strict forms with every default in one place.

Shorthands (a name for a map, one finder for a list) are expanded while validating, so the rest of
the code sees one shape only; JSON Schema shows both. What a user's file may leave out (phases, the
only environment) is filled in by draft.py. Placeholders are expanded in placeholders.py.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from activities.contracts.base import Form
from activities.contracts.check_forms import (
    Allowed,
    Expectation,
    Normalisation,
    ResultKind,
    ResultPatterns,
    SameAs,
    Target,
)
from activities.contracts.evidence import Moment
from activities.contracts.shorthands import as_moments, as_run, as_split, exactly_one
from activities.contracts.site_forms import Sites

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]*[smhd]$")]
Size = Annotated[str, Field(pattern=r"^[1-9][0-9]*(KiB|MiB|GiB)$")]
Command = str | Annotated[tuple[str, ...], Field(min_length=1)]
"""Text is run by bash -euo pipefail; a list is an argv."""


def seconds(duration: str) -> int:
    """`90s`, `10m`, `2h`, `3d` → seconds."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]


def size_bytes(size: str) -> int:
    """`4GiB` → bytes."""
    return int(size[:-3]) * {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[size[-3:]]


class SplitBy(StrEnum):
    """How site-bearing files are grouped into tasks."""

    FILE = "file"
    DIRECTORY = "directory"
    WHOLE = "whole"


class Split(Form):
    """Groups site-bearing files into tasks."""

    by: SplitBy = SplitBy.DIRECTORY
    depth: Annotated[int, Field(ge=1)] | None = None
    """directory: how many leading path parts name the group; None: the file's own directory."""
    max_files: Annotated[int, Field(ge=1, le=2000)] = 20


SplitField = Annotated[Split, BeforeValidator(as_split, json_schema_input_type=SplitBy | Split)]


class RunForm(Form):
    """A form whose environment is spelled `in`, in files and in JSON."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    run: Command
    environment: Annotated[str | None, Field(alias="in")] = None


class Codemod(RunForm):
    """A tool that rewrites the claimed files."""

    batch: Annotated[int, Field(ge=1)] | None = None
    """Values of the list placeholder per call; None: as many as fit."""
    exit: tuple[int, ...] | Literal["any"] = (0,)
    empty: bool = True
    """False: no change is a failed rung."""
    env: dict[str, str] = {}
    dir: str = "."
    timeout: Duration = "10m"


class CommandRung(RunForm):
    """Any other program that does the task, such as another agent's CLI; runs in the sandbox."""

    env: dict[str, str] = {}
    dir: str = "."
    timeout: Duration = "30m"


class ClaudeRung(Form):
    """Claude through the Messages API; needs a model worker."""

    model: str | None = None
    turns: Annotated[int, Field(ge=1, le=200)] = 40
    advice: str = ""


RUNGS = ("codemod", "command", "write", "claude")


class Rung(Form):
    """Exactly one way to do a task."""

    codemod: Annotated[
        Codemod | None, BeforeValidator(as_run, json_schema_input_type=Command | Codemod)
    ] = None
    command: Annotated[
        CommandRung | None, BeforeValidator(as_run, json_schema_input_type=Command | CommandRung)
    ] = None
    write: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """path → content."""
    claude: ClaudeRung | None = None

    @model_validator(mode="after")
    def one_way(self) -> "Rung":
        exactly_one(self, "a rung", RUNGS)
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in RUNGS if getattr(self, kind) is not None)


class Environment(Form):
    """What commands run in; prepared once per host and key, read-only afterwards."""

    python: Annotated[str, Field(pattern=r"^[23]\.[0-9]{1,2}$")] | None = None
    """Such as "3.11"; with pip."""
    pip: tuple[str, ...] = ()
    """Pinned: name==version."""
    npm: tuple[str, ...] = ()
    """Pinned: name@version."""
    prepare: str | None = None
    """A script run once, with the host's network and no secrets; $ENV is its folder."""
    env: dict[str, str] = {}
    path: tuple[str, ...] = ()
    """Folders under $ENV put before PATH."""
    requires: tuple[str, ...] = ()
    """Executables the host must have."""
    timeout: Duration = "30m"


Expect = Expectation | SameAs
Moments = dict[Moment, Expect] | tuple[Moment, ...]


class Check(RunForm):
    """A command whose results decide whether a tree is good enough."""

    at: Annotated[
        Moments,
        BeforeValidator(as_moments, json_schema_input_type=Moment | Moments),
    ] = (Moment.TASK, Moment.LANDING)
    """When it runs; a map gives each moment an expectation of its own. Empty: on the base only."""
    expect: Expect = Expectation.NO_WORSE
    results: ResultKind | ResultPatterns = ResultKind.EXIT
    results_from: tuple[str, ...] = ()
    """gitignore patterns of the reports that the run writes into the tree, or below /results/."""
    ids: tuple[Normalisation, ...] = ()
    targets: tuple[Target, ...] = ()
    """What {targets} is made of."""
    whole: str | None = None
    """Replaces the list placeholder at landing, phase and end."""
    otherwise: str = "skip"
    """When the placeholder's list is empty: skip, whole, or the text to use instead."""
    allow: tuple[Allowed, ...] = ()
    may_shrink: bool = False
    retries: Annotated[int, Field(ge=0, le=5)] = 0
    batch: Annotated[int, Field(ge=1)] | None = None
    """Values of the list placeholder per call; None: all in one."""
    env: dict[str, str] = {}
    dir: str = "."
    timeout: Duration = "10m"

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(self.at)

    def expected_at(self, moment: Moment) -> Expect:
        """What its results are held against at a moment."""
        return self.at.get(moment, self.expect) if isinstance(self.at, dict) else self.expect


class Phase(Form):
    """An ordered part of a migration; what it leaves out it takes from the top level."""

    name: Name
    sites: Sites = Sites()
    split: SplitField = Split()
    ladder: Annotated[tuple[Rung, ...], Field(min_length=1)]
    checks: tuple[str, ...] = ()
    """Names of the checks that apply."""
    claims: tuple[str, ...] = ()
    """Patterns of files a task may change beyond its sites."""
    creates: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    objective: str = ""


class Limits(Form):
    """What a migration may use."""

    concurrency: Annotated[int, Field(ge=1, le=500)] = 8
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Per rung."""
    days: Annotated[int, Field(ge=1, le=365)] = 21
    memory: Size = "4GiB"
    """Per command."""
    usd: Annotated[float, Field(gt=0)] | None = None
    """What model turns may cost in all; None: no cap."""
    cycles: Annotated[int, Field(ge=1, le=20)] = 5


class Approval(StrEnum):
    """What waits for a person."""

    PLAN = "plan"


class Delivery(Form):
    """Where the result goes."""

    branch: str = ""
    """The green branch; empty: whimbrel/<name>."""


class MigrationSpec(Form):
    """One objective carried out on one repository."""

    version: Literal[1]
    name: Name
    repository: Annotated[str, Field(min_length=1)]
    base: str = "main"
    objective: Annotated[str, Field(min_length=1)]
    environments: dict[str, Environment] = {}
    checks: Annotated[dict[str, Check], Field(min_length=1)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    protect: tuple[str, ...] = ()
    """gitignore patterns nobody may change, lifted only where a phase's claims name the path."""
    limits: Limits = Limits()
    approvals: tuple[Approval, ...] = ()
    delivery: Delivery = Delivery()

    @property
    def branch(self) -> str:
        return self.delivery.branch or f"whimbrel/{self.name}"

    def phase(self, name: str) -> Phase:
        return next(p for p in self.phases if p.name == name)
