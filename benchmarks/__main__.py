"""`make bench`: paired comparisons in one run, ratios printed and written as JSON."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import (
    batches,
    claimants,
    landing,
    orchestration,
    resuming,
    turns,
    workspaces,
    writable,
)
from benchmarks.measuring import machine
from benchmarks.running import Suite, run

SUITES = {
    "landing": Suite(landing.compare, minutes=30),
    "batches": Suite(batches.compare, minutes=20),
    "workspaces": Suite(workspaces.compare, minutes=20),
    "writable": Suite(writable.compare, minutes=10),
    "orchestration": Suite(orchestration.compare, minutes=30),
    "resuming": Suite(resuming.compare, minutes=15),
    "claimants": Suite(claimants.compare, minutes=45),
    "turns": Suite(turns.compare, minutes=20),
}
"""Several times as long as they take on 2 cores with nothing else to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results.json"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SUITES, default=list(SUITES))
    asked = parser.parse_args()
    chosen = {name: suite for name, suite in SUITES.items() if name in asked.only}
    record: dict[str, Any] = {"seconds": {}, "failures": {}, "comparisons": []}
    holds = True
    with tempfile.TemporaryDirectory(prefix="whimbrel-bench-", ignore_cleanup_errors=True) as made:
        scratch = Path(made)
        record["machine"] = machine(scratch)
        for name, ran in run(chosen, scratch, asked.rounds):
            holds = holds and ran.holds
            for comparison in ran.comparisons:
                print(comparison.line())
            print(f"{name}: {ran.seconds:.0f} s  {ran.failure}".rstrip(), flush=True)
            record["seconds"][name] = round(ran.seconds)
            record["failures"] |= {name: ran.failure} if ran.failure else {}
            record["comparisons"] += [comparison.as_json() for comparison in ran.comparisons]
            asked.output.write_text(json.dumps(record, indent=1) + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
