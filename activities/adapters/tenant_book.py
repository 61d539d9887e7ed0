"""What each tenant may spend in a calendar month, and the book of what its migrations reserve.

The caps are a file of the operator's. The book is a row of numbered records, each created once: who
adds one has read all before it, so two who reserve at once never pass the cap together, and nothing
that was counted is counted again. A start reads one month's book, and no turn reads any.
"""

from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from pydantic import TypeAdapter

from activities.adapters.blob_place import Place
from activities.contracts.money import NOTHING, Usd
from activities.contracts.tenants import NOBODY, CapRow, ReserveCap

Caps = dict[str, Usd]
"""Tenant → USD in a calendar month; `*`: each of all others."""
OTHERS = "*"
NAMED = 5
"""Migrations that a refusal names."""


class Book:
    """One tenant's month, as it was read."""

    def __init__(self, rows: list[CapRow]) -> None:
        self.next = len(rows) + 1
        """The number of the record that would come next."""
        self._rows = {(row.migration, row.epoch): row for row in rows}

    def row(self, migration: str, epoch: str) -> CapRow | None:
        return self._rows.get((migration, epoch))

    @property
    def open(self) -> list[CapRow]:
        """Those that have not ended, as far as it says; the dearest first."""
        rows = [row for row in self._rows.values() if row.spent is None]
        return sorted(rows, key=lambda row: (-row.reserved, row.migration))

    def spent(self, migration: str) -> Decimal:
        """By all lives of a migration that have ended."""
        rows = (row for row in self._rows.values() if row.migration == migration)
        return sum((row.spent or NOTHING for row in rows), NOTHING)

    def refusal(self, asked: ReserveCap, cap: Usd) -> str:
        """Why there is no room for this, with what to do; empty: there is."""
        whose = f"the cap of tenant {asked.tenant} is {cap:.2f} USD a month"
        again = f"starter.py resume {asked.migration}"
        lower = f"starter.py limits {asked.migration} --usd N"
        if asked.usd is None:
            return f"{whose}, and this migration has none; give it one ({lower}), then {again}"
        mine = self.row(asked.migration, asked.epoch)
        others = [row for row in self.open if row is not mine]
        ended = sum((row.counts for row in self._rows.values() if row.spent is not None), NOTHING)
        reserved = sum((row.reserved for row in others), NOTHING)
        if ended + reserved + asked.usd <= cap:
            return ""
        who = ", ".join(f"{row.migration} ({row.reserved:.2f})" for row in others[:NAMED])
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        of, wait = (f" by {who}{more}", "wait until one of them ends, ") if who else ("", "")
        return (
            f"{whose}; in {asked.month} {ended:.2f} are spent and {reserved:.2f} reserved{of}, and "
            f"this migration asks for {asked.usd:.2f}; ask for less ({lower}), {wait}or have the "
            f"cap raised (WHIMBREL_TENANTS of the control workers), then "
            f"{again}"
        )


class TenantBook:
    """All tenants' books in one place."""

    def __init__(self, place: Place, caps: Path | None) -> None:
        """`caps`: a JSON file of Caps, read whenever it is asked for; None: there are none."""
        self._place, self._caps = place, caps

    def cap(self, tenant: str) -> Usd | None:
        """None: none. Raises OSError and ValueError for a file that is no good."""
        if self._caps is None:
            return None
        caps = TypeAdapter(Caps).validate_json(self._caps.read_bytes())
        return caps.get(tenant, caps.get(OTHERS))

    def read(self, tenant: str, month: str) -> Book:
        rows: list[CapRow] = []
        while data := self._place.read(_key(tenant, month, len(rows) + 1)):
            rows.append(CapRow.model_validate_json(data))
        return Book(rows)

    def add(self, tenant: str, month: str, book: Book, row: CapRow) -> bool:
        """Whether nobody else added one since the book was read."""
        key = _key(tenant, month, book.next)
        return self._place.create(key, row.model_dump_json().encode())


def _key(tenant: str, month: str, number: int) -> str:
    return f"tenants/{quote(tenant or NOBODY, safe='')}/{month}/{number:06}"
