"""`make bench`: paired comparisons in one run, ratios printed and written as JSON."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

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
from benchmarks.measuring import Comparison, machine

SUITES = (
    "landing",
    "batches",
    "workspaces",
    "writable",
    "orchestration",
    "resuming",
    "claimants",
    "turns",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results.json"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=SUITES)
    asked = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="whimbrel-bench-"))
    suites = {
        "landing": lambda: landing.compare(scratch, asked.rounds),
        "batches": lambda: batches.compare(scratch, asked.rounds),
        "workspaces": lambda: workspaces.compare(scratch, asked.rounds),
        "writable": lambda: writable.compare(scratch, asked.rounds),
        "orchestration": lambda: orchestration.compare(scratch, asked.rounds),
        "resuming": lambda: resuming.compare(scratch, asked.rounds),
        "claimants": lambda: claimants.compare(scratch, asked.rounds),
        "turns": lambda: turns.compare(scratch, asked.rounds),
    }
    facts = machine(scratch)
    done: list[Comparison] = []
    try:
        for name, suite in suites.items():
            if asked.only in (None, name):
                for comparison in suite():
                    print(comparison.line(), flush=True)
                    done.append(comparison)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    record = {"machine": facts, "comparisons": [c.as_json() for c in done]}
    asked.output.write_text(json.dumps(record, indent=1) + "\n")
    return 0 if all(c.holds for c in done) else 1


if __name__ == "__main__":
    sys.exit(main())
