"""What costs, and that reserving and refunding it twice changes nothing, whatever died between."""

from decimal import Decimal
from types import SimpleNamespace

from activities.adapters.blobs import BlobStore, place
from activities.adapters.spec_file import parse_spec
from activities.adapters.tenant_book import TenantBook
from activities.contracts.requests import DescribeMigration
from activities.contracts.tenants import RefundCap, ReserveCap
from activities.records import RecordActivities
from activities.tenants import TenantActivities
from tests.contracts.specs import spec as spec_text

LIFE = {
    "tenant": "ana",
    "month": "2026-11",
    "migration": "m",
    "workflow": "migration/m",
    "epoch": "e",
}


async def test_a_second_run_of_either_finds_what_the_first_one_wrote(tmp_path):
    caps = tmp_path / "caps.json"
    caps.write_text('{"ana": 10}')
    book = TenantBook(place(tmp_path), caps)
    # Neither asks the server or any record where there is room.
    activities = TenantActivities(book, SimpleNamespace(), SimpleNamespace())
    for _ in range(2):
        assert not (await activities.reserve_cap(ReserveCap(**LIFE, usd=Decimal(7)))).refused
    assert book.read("ana", "2026-11").next == 2
    for spent in ("1.5", "9"):
        await activities.refund_cap(RefundCap(**LIFE, spent=Decimal(spent)))
    again = book.read("ana", "2026-11")
    assert (again.next, again.spent("m"), again.open) == (3, Decimal("1.5"), [])


async def test_where_no_cap_is_set_nothing_is_written(tmp_path):
    book = TenantBook(place(tmp_path), None)
    activities = TenantActivities(book, SimpleNamespace(), SimpleNamespace())
    assert not (await activities.reserve_cap(ReserveCap(**LIFE, usd=None))).refused
    await activities.refund_cap(RefundCap(**LIFE, spent=Decimal(1)))
    assert book.read("ana", "2026-11").next == 1


def test_whatever_asks_a_model_makes_a_migration_cost(tmp_path):
    blobs = BlobStore(tmp_path)
    records = RecordActivities(blobs)

    def order(*changes: str):
        spec = parse_spec(spec_text(*changes), "spec.yaml")
        return records.describe_migration(DescribeMigration(spec=blobs.put_model("m", spec)))

    plain = order()
    assert (plain.asks_models, plain.thinks) == (False, (False,))
    for changes, thinks in (
        (("ladder: [{claude: {}}]",), True),
        (("resolver: {claude: {}}",), True),
        (("plan: claude",), False),
        (("judge: claude",), False),
    ):
        asked = order(*changes)
        assert (asked.asks_models, asked.thinks) == (True, (thinks,)), changes
