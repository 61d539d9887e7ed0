"""Who of a fleet may start: canaries, window, and the end after too many bad ends."""

import pytest

from activities.contracts.fleet import FleetBounds, FleetRow
from activities.contracts.migration import Stage
from workflows import convoy

SHORT = {
    "w": "waiting",
    "r": "running",
    "d": Stage.DONE,
    "l": Stage.DONE_WITH_LEFTOVERS,
    "s": Stage.STOPPED,
    "f": Stage.FAILED,
    "c": Stage.CANCELLED,
}


def rows(states: str) -> list[FleetRow]:
    return [FleetRow(name=f"x/{n}", state=SHORT[s]) for n, s in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "canary", "concurrency", "stop_after", "starts"),
    [
        ("wwww", 1, 3, 3, "0"),
        ("rwww", 1, 3, 3, ""),
        ("dwww", 1, 3, 3, "123"),
        ("lwww", 1, 2, 3, "12"),
        ("wwww", 2, 1, 3, "0"),
        ("drww", 2, 3, 3, ""),
        ("wwww", 0, 3, 3, "012"),
        ("swww", 1, 3, 3, ""),
        ("cwww", 1, 3, 3, ""),
        ("dswrw", 1, 3, 2, "24"),
        ("dsfww", 1, 3, 2, ""),
        ("dccww", 1, 3, 2, "34"),
        ("ww", 9, 9, 1, "01"),
        ("drrr", 1, 2, 3, ""),
    ],
)
def test_who_starts_now(
    states: str, canary: int, concurrency: int, stop_after: int, starts: str
) -> None:
    fleet = FleetBounds(canary=canary, concurrency=concurrency, stop_after=stop_after)
    assert "".join(row.name[2:] for row in convoy.ready(rows(states), fleet)) == starts


@pytest.mark.parametrize(
    ("states", "cancelled", "stage"),
    [
        ("ddd", False, Stage.DONE),
        ("dld", False, Stage.DONE_WITH_LEFTOVERS),
        ("dfd", False, Stage.DONE_WITH_LEFTOVERS),
        ("sw", False, Stage.STOPPED),
        ("dw", True, Stage.CANCELLED),
    ],
)
def test_how_a_fleet_ends(states: str, cancelled: bool, stage: Stage) -> None:
    assert convoy.outcome(rows(states), cancelled) is stage
