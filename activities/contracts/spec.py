"""The migration spec: what a user writes, as strict forms with every default in one place.

Shorthands (a name for a map, one finder for a list) are expanded while validating, so the rest of
the code sees one shape only; JSON Schema shows both. What a user's file may leave out (phases, the
only environment) is filled in by draft.py. Placeholders are expanded in placeholders.py.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictFloat

from activities.contracts.base import Form, digest_of
from activities.contracts.check_forms import (
    Allowed,
    Expectation,
    Landings,
    Normalisation,
    ResultKind,
    ResultPatterns,
    SameAs,
    Target,
)
from activities.contracts.conflict import Conflict
from activities.contracts.environment import Environment
from activities.contracts.evidence import Moment
from activities.contracts.integrity import Waiver
from activities.contracts.mcp import ServerName
from activities.contracts.models import Models
from activities.contracts.package_roots import ROOT_MARKERS
from activities.contracts.repository import repository_name
from activities.contracts.run_form import Command as Command
from activities.contracts.run_form import Duration, Flag, Name, RunForm, Size, Whole
from activities.contracts.run_form import seconds as seconds
from activities.contracts.run_form import size_bytes as size_bytes
from activities.contracts.rungs import ClaudeRung as ClaudeRung
from activities.contracts.rungs import Codemod as Codemod
from activities.contracts.rungs import CommandRung as CommandRung
from activities.contracts.rungs import Rung
from activities.contracts.shorthands import as_moments
from activities.contracts.site_forms import Sites
from activities.contracts.split import Split, SplitField
from activities.contracts.split import SplitBy as SplitBy

Expect = Expectation | SameAs
Moments = dict[Moment, Expect] | tuple[Moment, ...]
PilotSize = Annotated[Whole, Field(ge=0, le=100)]
STATIC = "static"
"""The planner's own split."""
CLAUDE = "claude"
"""A model, which may leave all or some of it to the split."""
FOLLOW = "15m"
Follow = Annotated[str, Field(pattern=r"^([1-9][0-9]*[smhd]|never)$")]
JudgeName = Literal["none", "claude"]
PlanName = Annotated[str, Field(pattern=r"^(static|claude|.*\.json)$")]
"""Who plans a phase: static, claude, or the path of a plan of the user's own."""


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
    covers: tuple[str, ...] = ()
    """gitignore patterns of all that its results depend on: at task and landing it runs only where
    a change touches such a path. Empty: it always runs."""
    whole: str | None = None
    """Replaces the list placeholder at landing, phase and end."""
    otherwise: str = "skip"
    """When the placeholder's list is empty: skip, whole, or the text to use instead."""
    allow: tuple[Allowed, ...] = ()
    may_shrink: Flag = False
    retries: Annotated[Whole, Field(ge=0, le=5)] = 0
    batch: Annotated[Whole, Field(ge=1)] | None = None
    """Values of the list placeholder per call; None: all in one."""
    env: dict[str, str] = {}
    dir: str = "."
    timeout: Duration = "10m"

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(self.at)

    @property
    def expectations(self) -> tuple[Expect, ...]:
        """What its results are held against, moment by moment."""
        return tuple(self.expected_at(moment) for moment in self.moments)

    def expected_at(self, moment: Moment) -> Expect:
        """What its results are held against at a moment."""
        return self.at.get(moment, self.expect) if isinstance(self.at, dict) else self.expect


class Phase(Form):
    """An ordered part of a migration; what it leaves out it takes from the top level."""

    name: Name
    sites: Sites = Sites()
    split: SplitField = Split()
    ladder: Annotated[tuple[Rung, ...], Field(min_length=1)]
    resolver: Rung | None = None
    """What settles a conflict with what landed meanwhile; None: the ladder is climbed anew."""
    checks: tuple[str, ...] = ()
    """Names of the checks that apply."""
    claims: tuple[str, ...] = ()
    """Patterns of files a task may change beyond its sites."""
    creates: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    objective: str = ""
    pilot: PilotSize = 0
    """How many tasks run to their end before the others may start; 0: all start at once."""
    judge: JudgeName = "none"
    """Who says what it thinks of a cycle, beside what is counted."""
    plan: PlanName = STATIC
    """A path is whole once the spec is read; workers get the file's content, not the file."""

    @property
    def ways(self) -> tuple[Rung, ...]:
        """All that may be run: the ladder, and what settles conflicts."""
        return (*self.ladder, self.resolver) if self.resolver else self.ladder

    def way(self, rung: int, conflict: Conflict | None) -> Rung:
        """The rung at this place of the ladder; where there is a conflict, what settles it."""
        if conflict is None:
            return self.ladder[rung]
        if self.resolver is None:
            raise ValueError(f"phase {self.name} has no resolver")
        return self.resolver

    @property
    def plan_file(self) -> str:
        """The path of the phase's plan; empty: it has none of its own."""
        return self.plan if self.plan.endswith(".json") else ""


class Limits(Form):
    """What a migration may use."""

    concurrency: Annotated[Whole, Field(ge=1, le=500)] = 8
    attempts: Annotated[Whole, Field(ge=1, le=10)] = 3
    """Per rung."""
    days: Annotated[Whole, Field(ge=1, le=365)] = 21
    """At work: pauses and waits for an approval do not count."""
    memory: Size = "4GiB"
    """Per command."""
    usd: Annotated[StrictFloat, Field(gt=0)] | None = None
    """What model turns may cost in all; None: no cap."""
    task_usd: Annotated[StrictFloat, Field(gt=0)] | None = None
    """What one start of a task may cost; None: a share of `usd`, by the concurrency."""
    cycles: Annotated[Whole, Field(ge=1, le=20)] = 5


class Approval(StrEnum):
    """What waits for a person."""

    PLAN = "plan"
    PILOT = "pilot"


class Delivery(Form):
    """Where the result goes."""

    branch: str = ""
    """The green branch; empty: whimbrel/<name>."""


MigrationName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}(/[a-z0-9][a-z0-9-]{0,62})?$")
]
"""In a fleet NAME/REPOSITORY."""


class MigrationSpec(Form):
    """One objective carried out on one repository."""

    version: Literal[1]
    name: MigrationName
    repository: Annotated[str, Field(min_length=1)]
    base: str = "main"
    follow: Follow = FOLLOW
    """How long it takes from one look at the base to the next; `never`: it is not followed."""
    objective: Annotated[str, Field(min_length=1)]
    environments: dict[str, Environment] = {}
    checks: Annotated[dict[str, Check], Field(min_length=1)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    protect: tuple[str, ...] = ()
    """gitignore patterns nobody may change, lifted only where a phase's claims name the path."""
    integrity: tuple[Waiver, ...] = ()
    """What the gate's rules about tests let pass, where, and why."""
    landing: Landings = Landings()
    limits: Limits = Limits()
    models: Models = Models()
    """Who thinks: one model per role; a `claude` rung may name another for itself."""
    mcp: tuple[ServerName, ...] = ()
    """MCP servers whose tools models may call; a `claude` rung may name others."""
    approvals: tuple[Approval, ...] = ()
    delivery: Delivery = Delivery()

    @property
    def repository_name(self) -> str:
        """What `{repo.name}` stands for."""
        return self.name.partition("/")[2] or repository_name(self.repository)

    @property
    def branch(self) -> str:
        # No folder of branches: whimbrel/x and whimbrel/x/app cannot both be in one repository.
        return self.delivery.branch or f"whimbrel/{self.name.replace('/', '-')}"

    @property
    def follow_seconds(self) -> int:
        """0: never."""
        return 0 if self.follow == "never" else seconds(self.follow)

    @property
    def asks_models(self) -> bool:
        """Whether anything of it takes turns of a model, which cost money."""
        return any(
            CLAUDE in (phase.plan, phase.judge) or any(way.claude for way in phase.ways)
            for phase in self.phases
        )

    @property
    def root_markers(self) -> tuple[str, ...]:
        """Names of the files that mark a package's root, in splits and in {roots}."""
        named = {marker for phase in self.phases for marker in phase.split.root}
        return tuple(sorted(named)) or ROOT_MARKERS

    @property
    def mcp_servers(self) -> tuple[str, ...]:
        """All that anybody in it may call, each once."""
        rungs = (way.claude for phase in self.phases for way in phase.ways if way.claude)
        return tuple(dict.fromkeys((*self.mcp, *(n for rung in rungs for n in rung.mcp or ()))))

    def phase(self, name: str) -> Phase:
        return next(p for p in self.phases if p.name == name)

    def without_plan(self, *names: str) -> "MigrationSpec":
        """The same, where these phases (none named: all of them) are split by the planner."""
        phases = (
            phase.model_copy(update={"plan": STATIC}) if phase.name in names or not names else phase
            for phase in self.phases
        )
        return self.model_copy(update={"phases": tuple(phases)})

    @property
    def plan_digest(self) -> str:
        """What a plan is bound to: to say which plan it is changes nothing about the rest."""
        return digest_of(self.without_plan())
