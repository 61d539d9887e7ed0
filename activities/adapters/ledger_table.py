"""The ledger as CSV, for spreadsheets: exact names, quoted as RFC 4180 says."""

import csv
import io
from collections.abc import Iterable

from activities.contracts.ledger import LedgerRow

COLUMNS = ("path", "sites", "accepted", "task", "state", "lines", "owners")


def ledger_csv(rows: Iterable[LedgerRow]) -> str:
    """A heading and a line for each row; lists are separated by blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        lines = " ".join(str(line) for line in row.lines)
        cells = (row.path, row.sites, row.accepted, row.task, row.state)
        writer.writerow((*cells, lines, " ".join(row.owners)))
    return out.getvalue()
