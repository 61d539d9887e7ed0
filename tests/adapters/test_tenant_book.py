"""A tenant's book: what is reserved and spent of its month, and who writes the next line."""

import json
from decimal import Decimal

import pytest

from activities.adapters.blobs import place
from activities.adapters.tenant_book import Book, TenantBook
from activities.contracts.tenants import CapRow, ReserveCap

CAP = Decimal(100)


def row(migration: str, reserved: str, spent: str | None = None, epoch: str = "e") -> CapRow:
    return CapRow(
        migration=migration,
        workflow=f"migration/{migration}",
        epoch=epoch,
        reserved=Decimal(reserved),
        spent=None if spent is None else Decimal(spent),
    )


def asks(usd: str | None, migration: str = "new", epoch: str = "e") -> ReserveCap:
    return ReserveCap(
        tenant="ana",
        month="2026-11",
        migration=migration,
        workflow=f"migration/{migration}",
        epoch=epoch,
        usd=None if usd is None else Decimal(usd),
    )


@pytest.mark.parametrize(
    ("rows", "asked", "fits"),
    [
        ([], asks("100"), True),
        ([], asks("100.01"), False),
        ([row("a", "60")], asks("40"), True),
        ([row("a", "60")], asks("41"), False),
        # What it did not spend is back.
        ([row("a", "60"), row("a", "60", "10")], asks("90"), True),
        # Its own reservation, asked for again or higher, is not counted twice.
        ([row("a", "60"), row("new", "40")], asks("40"), True),
        ([row("a", "50"), row("new", "40")], asks("50"), True),
        ([row("a", "50"), row("new", "40")], asks("51"), False),
        # An earlier life of it is another one.
        ([row("new", "60", "60", epoch="before")], asks("41"), False),
        ([row("new", "60", epoch="before")], asks("41"), False),
    ],
)
def test_what_fits_is_what_is_neither_spent_nor_reserved(rows, asked, fits):
    assert (Book(rows).refusal(asked, CAP) == "") is fits


def test_a_refusal_says_whose_how_much_by_whom_and_what_to_do():
    rows = [row("done", "50", "12.5"), row("small", "10"), row("large", "70")]
    said = Book(rows).refusal(asks("20"), CAP)
    assert said.startswith(
        "the cap of tenant ana is 100.00 USD a month; in 2026-11 12.50 are spent"
    )
    assert "80.00 reserved by large (70.00), small (10.00), and this migration asks for 20" in said
    assert said.endswith("then starter.py resume new")
    assert "starter.py limits new --usd N" in said
    many = Book([row(f"m{n}", "20") for n in range(9)]).refusal(asks("1"), CAP)
    assert "m4 (20.00) and 4 more," in many
    none = Book([]).refusal(asks(None), CAP)
    assert "this migration has none; give it one (starter.py limits new --usd N)" in none


def test_of_two_who_read_the_same_book_one_writes_the_next_line(tmp_path):
    book = TenantBook(place(tmp_path), None)
    first, second = (book.read("ana", "2026-11") for _ in range(2))
    assert book.add("ana", "2026-11", first, row("a", "60"))
    assert not book.add("ana", "2026-11", second, row("b", "60"))
    again = book.read("ana", "2026-11")
    assert book.add("ana", "2026-11", again, row("b", "40"))
    assert [r.migration for r in book.read("ana", "2026-11").open] == ["a", "b"]
    assert book.read("ana", "2026-12").open == book.read("../ana", "2026-11").open == []


def test_caps_are_read_anew_each_time_and_the_rest_have_the_star(tmp_path):
    caps = tmp_path / "caps.json"
    caps.write_text(json.dumps({"ana": "10.50", "*": 3}))
    book = TenantBook(place(tmp_path), caps)
    assert (book.cap("ana"), book.cap("bo")) == (Decimal("10.50"), 3)
    caps.write_text(json.dumps({"ana": 7}))
    assert (book.cap("ana"), book.cap("bo")) == (7, None)
    assert TenantBook(place(tmp_path), None).cap("ana") is None
    caps.write_text('{"ana": -1}')
    with pytest.raises(ValueError, match="ana"):
        book.cap("ana")
