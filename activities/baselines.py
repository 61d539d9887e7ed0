"""What checks said on a migration's base, as the migration keeps it: write-once, by check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from activities.contracts.check_forms import Expectation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activities.adapters.blobs import BlobStore
    from activities.contracts.spec import MigrationSpec


class Baseline(NamedTuple):
    """What a check said on the base, as far as people have to know it."""

    failed: tuple[str, ...]
    flaky: tuple[str, ...]
    """Red in one of two runs only. An id that was in one of them only and never red, such as a name
    that contains the time, is nothing that anybody could mend."""
    blind: bool
    """Red as a whole, with no result of its own: no change can make it worse."""


def base_run_key(check: str) -> str:
    """Where the migration keeps a check's whole results on its base."""
    return f"base-run/{check}"


def baseline_key(check: str) -> str:
    """Where the migration keeps what a check said on its base."""
    return f"baseline/{check}"


def baselines(blobs: BlobStore, spec: MigrationSpec, checks: Iterable[str]) -> dict[str, Baseline]:
    """What these checks said; nothing of one whose baseline was not taken."""
    kept = {name: blobs.find(spec.name, baseline_key(name)) for name in checks}
    return {name: read_baseline(json.loads(found) if found else {}) for name, found in kept.items()}


def blind_checks(spec: MigrationSpec, taken: dict[str, Baseline]) -> tuple[str, ...]:
    """Those that could not tell good changes from bad ones."""
    return tuple(
        name
        for name, baseline in taken.items()
        if baseline.blind and Expectation.NO_WORSE in spec.checks[name].expectations
    )


def read_baseline(record: dict[str, Any]) -> Baseline:
    """From the record that take_baseline keeps; an older one lacks `red`."""
    failed = tuple(record.get("failed", ()))
    red = frozenset(record.get("red", failed))
    flaky = tuple(name for name in record.get("flaky", ()) if name in red)
    always = tuple(name for name in failed if name not in flaky)
    return Baseline(always, flaky, always == ("exit",) and record.get("total", 0) <= 1)
