"""Which model an agent talks to: one per role, as the spec says or by these defaults."""

from typing import Annotated

from pydantic import Field

from activities.contracts.base import Form
from activities.contracts.conversation import Role

ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$")]
"""As the provider names it."""

PLANS = "claude-opus-5-5"
WORKS = "claude-sonnet-5-5"


class Models(Form):
    """The models of a migration."""

    planner: ModelName = PLANS
    sub_planner: ModelName = PLANS
    worker: ModelName = WORKS
    resolver: ModelName = PLANS
    judge: ModelName = PLANS

    def of(self, role: Role, said: str | None = None) -> str:
        """The role's model; `said`: what a rung says of its own, before it."""
        return said or getattr(self, role.value)
