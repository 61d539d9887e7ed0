"""The shape users write, and how it becomes a MigrationSpec.

What stands at the top level is the phases' default; without phases there is one, named `main`. A
phase's checks default to all. The only environment is every command's.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from activities.contracts.base import Form
from activities.contracts.check_forms import Landings
from activities.contracts.fleet import (
    MAX_REPOSITORIES,
    FleetBounds,
    RepositoryField,
    RepositoryForm,
)
from activities.contracts.integrity import Waiver
from activities.contracts.mcp import ServerName
from activities.contracts.models import Models
from activities.contracts.repository import repository_name
from activities.contracts.shorthands import whole
from activities.contracts.site_forms import Sites
from activities.contracts.spec import (
    FOLLOW,
    STATIC,
    Approval,
    Check,
    Delivery,
    Environment,
    Follow,
    JudgeName,
    Limits,
    MigrationSpec,
    Name,
    Phase,
    PilotSize,
    PlanName,
    RunForm,
    Rung,
    Split,
    SplitField,
)

RunFormT = TypeVar("RunFormT", bound=RunForm)
Ladder = Annotated[tuple[Rung, ...], Field(min_length=1)]


class PhaseDraft(Form):
    """A phase as written: what it leaves out it takes from the top level."""

    name: Name
    sites: Sites | None = None
    split: SplitField | None = None
    ladder: Ladder | None = None
    resolver: Rung | None = None
    checks: tuple[str, ...] | None = None
    claims: tuple[str, ...] | None = None
    creates: tuple[str, ...] | None = None
    keep: tuple[str, ...] | None = None
    objective: str | None = None
    pilot: PilotSize | None = None
    judge: JudgeName | None = None
    plan: PlanName | None = None


class MigrationDraft(Form):
    """A migration spec as written."""

    version: Annotated[Literal[1], BeforeValidator(whole)]
    extends: tuple[str, ...] | str = ()
    """Files merged under this one before it is read: paths, or URL#sha256."""
    name: Name
    repository: Annotated[str, Field(min_length=1)] | None = None
    repositories: (
        Annotated[tuple[RepositoryField, ...], Field(min_length=1, max_length=MAX_REPOSITORIES)]
        | None
    ) = None
    """Instead of `repository`: the same migration of each, a fleet."""
    fleet: FleetBounds | None = None
    base: str = "main"
    follow: Follow = FOLLOW
    """How long it takes from one look at the base to the next; `never`: it is not followed."""
    objective: Annotated[str, Field(min_length=1)]
    vars: dict[str, str | tuple[str, ...]] = {}
    sites: Sites | None = None
    split: SplitField = Split()
    ladder: Ladder | None = None
    resolver: Rung | None = None
    environments: dict[Name, Environment] = {}
    checks: Annotated[dict[Name, Check], Field(min_length=1)]
    phases: Annotated[tuple[PhaseDraft, ...], Field(min_length=1)] | None = None
    claims: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    pilot: PilotSize = 0
    judge: JudgeName = "none"
    plan: PlanName = STATIC
    protect: tuple[str, ...] = ()
    integrity: tuple[Waiver, ...] = ()
    landing: Landings = Landings()
    limits: Limits = Limits()
    models: Models = Models()
    mcp: tuple[ServerName, ...] = ()
    approvals: tuple[Approval, ...] = ()
    delivery: Delivery = Delivery()

    def member(self, entry: RepositoryForm) -> MigrationSpec:
        """The migration of one repository of a fleet."""
        own = {"repository": entry.url, "base": entry.base or self.base}
        name = f"{self.name}/{entry.name or repository_name(entry.url)}"
        return self.model_copy(update=own).spec().model_copy(update={"name": name})

    def spec(self) -> MigrationSpec:
        """The same migration with nothing left out; raises ValueError where no default exists."""
        if self.repository is None:
            raise ValueError("there is no repository")
        only = next(iter(self.environments)) if len(self.environments) == 1 else None
        drafts = self.phases or (PhaseDraft(name="main"),)
        return MigrationSpec(
            version=self.version,
            name=self.name,
            repository=self.repository,
            base=self.base,
            follow=self.follow,
            objective=self.objective,
            environments=dict(self.environments),
            checks={name: _inside(check, only) for name, check in self.checks.items()},
            phases=tuple(self._phase(draft, only) for draft in drafts),
            protect=self.protect,
            integrity=self.integrity,
            landing=self.landing,
            limits=self.limits,
            models=self.models,
            mcp=self.mcp,
            approvals=self.approvals,
            delivery=self.delivery,
        )

    def _phase(self, draft: PhaseDraft, only: str | None) -> Phase:
        sites = draft.sites or self.sites
        ladder = draft.ladder or self.ladder
        resolver = draft.resolver or self.resolver
        if sites is None or ladder is None:
            raise ValueError(f"phase {draft.name} has no {'ladder' if sites else 'sites'}")
        return Phase(
            name=draft.name,
            sites=sites,
            split=_split_inside(draft.split or self.split, only),
            ladder=tuple(_rung_inside(rung, only) for rung in ladder),
            resolver=_rung_inside(resolver, only) if resolver else None,
            checks=tuple(self.checks) if draft.checks is None else draft.checks,
            claims=self.claims if draft.claims is None else draft.claims,
            creates=self.creates if draft.creates is None else draft.creates,
            keep=self.keep if draft.keep is None else draft.keep,
            objective=self.objective if draft.objective is None else draft.objective,
            pilot=self.pilot if draft.pilot is None else draft.pilot,
            judge=draft.judge or self.judge,
            plan=draft.plan or self.plan,
        )


def _inside(form: RunFormT, only: str | None) -> RunFormT:
    return form.model_copy(update={"environment": form.environment or only})


def _rung_inside(rung: Rung, only: str | None) -> Rung:
    filled: dict[str, Any] = {}
    if rung.codemod is not None:
        filled["codemod"] = _inside(rung.codemod, only)
    if rung.command is not None:
        filled["command"] = _inside(rung.command, only)
    return rung.model_copy(update=filled)


def _split_inside(split: Split, only: str | None) -> Split:
    if split.edges is None:
        return split
    return split.model_copy(update={"edges": _inside(split.edges, only)})
