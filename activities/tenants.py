"""A tenant's cap: reserved from when a migration starts, refunded when it ends.

Whoever is asked twice finds the first answer in the book.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.client import Client

from activities.contracts.money import NOTHING, Usd
from activities.contracts.tenants import CapRow, RefundCap, ReserveCap, Reserved
from activities.run_status import described

if TYPE_CHECKING:
    from activities.adapters.tenant_book import Book, TenantBook
    from activities.adapters.transcripts import Transcripts


class TenantActivities:
    """The books of tenants."""

    def __init__(self, book: TenantBook, client: Client, transcripts: Transcripts) -> None:
        self._book = book
        self._client = client
        self._transcripts = transcripts

    @activity.defn
    async def reserve_cap(self, asked: ReserveCap) -> Reserved:
        """Reserves, or says why not. Before it refuses it settles who was cut short: one that is
        not open any more and has told nobody its end."""
        cap = await asyncio.to_thread(self._book.cap, asked.tenant)
        while cap is not None:
            book = await asyncio.to_thread(self._book.read, asked.tenant, asked.month)
            row = CapRow(
                migration=asked.migration,
                workflow=asked.workflow,
                epoch=asked.epoch,
                reserved=asked.usd or NOTHING,
            )
            if book.row(asked.migration, asked.epoch) == row:
                break
            if refused := book.refusal(asked, cap):
                short = await self._cut_short(book)
                if short is None:
                    return Reserved(refused=refused)
                row = short
            await asyncio.to_thread(self._book.add, asked.tenant, asked.month, book, row)
        return Reserved()

    @activity.defn
    async def refund_cap(self, asked: RefundCap) -> None:
        """What it spent stays; twice changes nothing."""
        book = await asyncio.to_thread(self._book.read, asked.tenant, asked.month)
        while (row := book.row(asked.migration, asked.epoch)) and row.spent is None:
            ended = row.model_copy(update={"spent": asked.spent})
            await asyncio.to_thread(self._book.add, asked.tenant, asked.month, book, ended)
            book = await asyncio.to_thread(self._book.read, asked.tenant, asked.month)

    async def _cut_short(self, book: Book) -> CapRow | None:
        """One that is not open any more, with what its records say that it spent."""
        for row in book.open:
            status = await described(self._client, row.workflow)
            if not status.is_open_since(row.epoch):
                spent = await asyncio.to_thread(self._spent, book, row)
                return row.model_copy(update={"spent": spent})
        return None

    def _spent(self, book: Book, row: CapRow) -> Usd:
        """By its records, without what other lives of it have settled; never more than it could.
        Where they are gone, all of it."""
        if not self._transcripts.keeps(row.migration):
            return row.reserved
        scopes = self._transcripts.scopes(row.migration)
        spends = (self._transcripts.spent(row.migration, scope).total for scope in scopes)
        recorded = sum(spends, NOTHING) - book.spent(row.migration)
        return min(max(recorded, NOTHING), row.reserved)
