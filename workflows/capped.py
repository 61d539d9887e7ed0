"""What a migration reserves of its tenant's cap: all that it may cost, before anything of it does.

Where there is no room it stands still and says who has what of it; it asks again when a person has
resumed it. So no turn has to ask. The tenant is the search attribute Owner: who started it.
"""

from decimal import Decimal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.commands import SetLimits
from activities.contracts.migration import Stage
from activities.contracts.money import NOTHING, Usd
from activities.contracts.tenants import NOBODY, RefundCap, ReserveCap
from activities.tenants import TenantActivities
from workflows import area_caps, budget
from workflows.locally import locally
from workflows.options import OWNER
from workflows.shown import TENANT, Shown


class Capped(Shown):
    """Reserves and refunds; the workflow class adds the story."""

    async def _reserve(self) -> None:
        """Returns when its cap is reserved, or is not needed. A plan run, which nobody could
        resume, raises the refusal."""
        while self._costs and self.state.reserved is None and not self.state.cancelled:
            refused = await self._ask(self._wanted_cap)
            if refused and self._in.until:
                raise ApplicationError(refused, non_retryable=True)
            if refused:
                self.stand_still(TENANT, refused)
                await self.unpaused()

    async def _refund(self) -> None:
        """When nothing of it costs any more. One that failed may have left tasks at work: its
        records are summed by who needs the money next."""
        if self.state.reserved is None or self.state.stage is Stage.FAILED:
            return
        await locally(
            TenantActivities.refund_cap,
            RefundCap(**self._life, spent=(self.state.spend + self.state.counts.spend).total),
            summary="what is left of its cap goes back to its tenant",
        )

    async def afford(self, command: SetLimits) -> None:
        """A higher cap is reserved before it counts; an area's lies within the migration's."""
        if command.area:
            assert self._order
            usd = Decimal(str(command.usd))
            if refused := area_caps.refusal(self.state, self._order, command.area, usd):
                raise ApplicationError(refused)
            return
        more = None if command.usd is None else Decimal(str(command.usd))
        if more is None or self.state.reserved is None or more <= self.state.reserved:
            return
        if refused := await self._ask(more):
            raise ApplicationError(refused)

    @property
    def _costs(self) -> bool:
        assert self._order
        return any(self._order.planners[:1]) if self._in.until else self._order.asks_models

    @property
    def _wanted_cap(self) -> Usd | None:
        """A plan run costs no more than its planners may."""
        assert self._order
        if self._in.until:
            return budget.share(self.state, self._order, budget.PLANS)
        return budget.cap(self.state, self._order)

    async def _ask(self, usd: Usd | None) -> str:
        """Why it is not reserved; empty: it is."""
        said = await locally(
            TenantActivities.reserve_cap,
            ReserveCap(**self._life, usd=usd),
            summary="reserve its cap of its tenant's",
        )
        if not said.refused:
            self.set(reserved=usd or NOTHING)
        return said.refused

    @property
    def _life(self) -> dict[str, str]:
        """Whose money it is, and of what."""
        mine = workflow.info().typed_search_attributes
        return {
            "tenant": mine.get(OWNER, NOBODY),
            "month": self.state.started_at[:7],
            "migration": self.name,
            "workflow": workflow.info().workflow_id,
            "epoch": self.state.epoch,
        }
