"""The adapters of this host, built when a role first needs them, and which roles share what."""

import contextlib
import os
from collections.abc import Sequence

from activities.adapters.blobs import BlobStore, place
from activities.adapters.briefs import Briefs
from activities.adapters.mirrors import hubs_of
from activities.adapters.model_key import forget, names_model
from activities.adapters.scratch import Scratch
from activities.adapters.settings import Settings
from activities.adapters.tenant_book import TenantBook
from activities.contracts.tenants import NOBODY
from activities.planner import PlannerActivities
from activities.serving import Unfit

TOOLS = frozenset(("workspace", "checks"))
"""Roles that run commands."""
AT_THE_HUB = frozenset(("integration", "delivery"))
"""Roles that work on the hubs' own disk."""
NO_CREDENTIAL = (
    "the role `model` needs a credential: set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a "
    "gateway that asks for none"
)


class Host:
    """What the roles of one process have in common."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.held = Scratch(settings.home / "held")
        self.blobs = BlobStore(settings.blobs, begins=False)
        self.hubs = hubs_of(settings)
        self.queue = f"host/{settings.host}"
        self.closing = contextlib.ExitStack()
        """For when nothing of it is used any more."""

    def prepare_model(self, alone: bool) -> bool:
        """The model, where this process has a credential for one. Raises Unfit without one where
        there is nothing else to do."""
        if not names_model(os.environ, self.settings.provider):
            forget(os.environ)
            if alone:
                raise Unfit(NO_CREDENTIAL)
            return False
        from activities.adapters.model_turns import open_turns

        try:
            self.turns = open_turns(self.blobs, self.settings, os.environ)
        except (OSError, ValueError) as error:
            raise Unfit(f"WHIMBREL_PRICES or WHIMBREL_PROVIDER: {error}") from error
        return True

    def tenants(self) -> TenantBook:
        """The books of tenants. Raises Unfit for a bad file of caps."""
        book = TenantBook(place(self.settings.blobs), self.settings.tenants)
        try:
            book.cap(NOBODY)
        except (OSError, ValueError) as error:
            raise Unfit(f"WHIMBREL_TENANTS={self.settings.tenants}: {error}") from error
        return book

    async def prepare_tools(self) -> None:
        """Sandbox and everything that runs in it; refuses when the sandbox does not hold."""
        from activities.adapters.tooling import Tooling

        self.tools = await Tooling.of(self.settings, self.blobs)
        self.closing.callback(self.tools.close)

    def planner(self) -> PlannerActivities:
        """What a planner's form is held against, wherever its tools are used."""
        return PlannerActivities(self.blobs, self.hubs, Briefs())

    def owns_hubs(self, roles: Sequence[str]) -> bool:
        """Whether these look after the hubs, or after the mirrors of a host that has none."""
        return "integration" in roles or bool(self.settings.is_remote and TOOLS.intersection(roles))
