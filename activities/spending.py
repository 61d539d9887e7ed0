"""What agents spent, by the records: the truth where a turn or a whole child was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.money import Spend, SumSpend

if TYPE_CHECKING:
    from activities.adapters.transcripts import Transcripts


class SpendingActivities:
    """Reads of the records of turns."""

    def __init__(self, transcripts: Transcripts) -> None:
        self._transcripts = transcripts

    @activity.defn
    def sum_spend(self, request: SumSpend) -> Spend:
        """Of all turns of a scope, lost requests included; later there may be more on record."""
        return self._transcripts.spent(request.migration, request.scope, request.attempts)
