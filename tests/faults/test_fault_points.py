"""The worker dies at the most dangerous points: before an activity, and after its effect when the
result is not recorded yet. A second run of the activity must find what the first one did.

The services run side by side: what they do is wait until the server misses a heartbeat.
"""

import asyncio
from pathlib import Path

import pytest

from tests import invariants, shop
from tests.service import service

POINTS = (
    ("after:land", "after:open_workspace"),
    ("after:compose_batch", "before:run_rung", "after:run_rung"),
    ("after:ask_to_land", "after:run_checks", "after:answer_tasks", "before:hand_off"),
)


async def migrate(home: Path, points: tuple[str, ...]) -> str:
    """The tree that a migration ends on with a worker that dies once at each of the points."""
    fired = home / "fired"
    fired.mkdir(parents=True)
    shop.make_shop(home / "upstream")
    orders = ",".join(f"crash@{point}" for point in points)
    faults = {"WHIMBREL_FAULTS": orders, "WHIMBREL_FAULTS_DIR": str(fired)}
    async with service(home, **(faults if points else {})) as whimbrel:
        report = await whimbrel.run(shop.SPEC, NAME="faulty", REPOSITORY=str(home / "upstream"))
        assert len(list(fired.iterdir())) == len(points)
        assert whimbrel.worker
        assert whimbrel.worker.deaths == len(points)
        hub = whimbrel.hub(report)
        invariants.assert_sound_in_git(home, hub, report)
        return invariants.tree(hub, report.tip)


@pytest.mark.timeout(170)
async def test_a_worker_that_dies_at_any_point_changes_nothing(tmp_path: Path) -> None:
    homes = [tmp_path / str(number) for number in range(len(POINTS) + 1)]
    runs = [migrate(home, points) for home, points in zip(homes, ((), *POINTS), strict=True)]
    undisturbed, *others = await asyncio.gather(*runs)
    assert others == [undisturbed] * len(POINTS)
