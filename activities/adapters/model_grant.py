"""Whether what is left of a grant pays for a turn at its worst."""

from activities.adapters.transcripts import Turn
from activities.contracts.money import Spend, Usd


class BudgetReached(Exception):
    """What is left of the grant does not pay for the turn at its worst."""

    def __init__(self, text: str, spend: Spend) -> None:
        """`spend`: of the turn's lost requests."""
        super().__init__(text)
        self.spend = spend


def check_grant(turn: Turn, grant: Usd | None, worst: Usd) -> None:
    """Raises BudgetReached. After the intent, so that two who ask at once know of each other."""
    if grant is None or (spend := turn.spend()).total <= grant:
        return
    lost = spend.model_copy(update={"unconfirmed": spend.unconfirmed - worst})
    raise BudgetReached(
        f"the turn may cost {worst:.4f} USD and its lost requests {lost.total:.4f}, "
        f"and {grant:.4f} are left",
        lost,
    )
