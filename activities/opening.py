"""How a conversation begins, whoever's it is: one blob of the role's prompt, what this one is
about, and what it may use. Made of its arguments, so that a second run makes the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from activities.contracts.base import BlobRef, CommitId
from activities.contracts.conversation import Conversation, Role
from activities.contracts.plan import Task
from activities.contracts.repository import Repository
from activities.contracts.rungs import ClaudeRung
from activities.contracts.scopes import PlanScope
from activities.contracts.spec import MigrationSpec
from activities.mcp import mcp_tools

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.briefs import Brief

MAX_TOKENS = {
    Role.PLANNER: 24_000,
    Role.SUB_PLANNER: 24_000,
    Role.WORKER: 16_000,
    Role.RESOLVER: 16_000,
    Role.JUDGE: 8_000,
}
"""Of one reply: a plan of hundreds of tasks in one call; a long file written whole, with what was
thought before; a verdict."""


class Opens(Protocol):
    """What every request for one says."""

    @property
    def name(self) -> str: ...
    @property
    def repository(self) -> Repository: ...
    @property
    def spec(self) -> BlobRef: ...
    @property
    def phase(self) -> str: ...
    @property
    def attempt(self) -> str: ...


def opened(
    blobs: BlobStore,
    request: Opens,
    spec: MigrationSpec,
    role: Role,
    scope: str,
    commit: CommitId,
    brief: Brief,
    *,
    survey: BlobRef | None,
    rung: ClaudeRung | None = None,
    task: Task | None = None,
    plans: PlanScope | None = None,
) -> BlobRef:
    """The conversation, kept. `scope`, `commit`, `task`, `plans`: as in Conversation; `rung`: a
    worker's or resolver's. Blocking."""
    talk = Conversation(
        migration=request.name,
        scope=scope,
        attempt=request.attempt,
        role=role,
        model=spec.models.of(role, rung.model if rung else None),
        max_tokens=MAX_TOKENS[role],
        system=brief.system,
        brief=brief.text,
        prompts=brief.prompts,
        repository=request.repository.id,
        commit=commit,
        spec=request.spec,
        phase=request.phase,
        task=task,
        survey=survey,
        plans=plans,
        mcp=mcp_tools(blobs, request.name, request.spec, spec, role, rung),
    )
    return blobs.put_model(request.name, talk)
