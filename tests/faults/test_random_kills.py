"""kill -9 of worker and server at moments that nobody chose, round after round: each migration ends
on the tree of an undisturbed one, and all that must hold of it holds.

`CHAOS_SEED` repeats the moments of an earlier run, `CHAOS_ROUNDS` says how many migrations; no new
one is begun after three minutes. Where a moment falls also depends on the machine.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from activities.adapters.embedded import answers, recorded
from tests import invariants, shop
from tests.service import Service, kill, outlasting, restarted, service, swept

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "8"))
SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
NO_NEW_ROUND_AFTER = 180.0
PATIENCE = 100.0
"""Seconds for one migration."""
KILLS = 3
"""A round, at most."""


async def strike(whimbrel: Service, moments: random.Random, struck: list[str]) -> None:
    """Kills the one or the other now and then, and notes it."""
    for _ in range(KILLS):
        wait, which = moments.uniform(0.1, 6.0), moments.choice(("worker", "worker", "server"))
        await asyncio.sleep(wait)
        assert whimbrel.worker
        pid = whimbrel.worker.pid if which == "worker" else whimbrel.server.pid
        if pid:
            kill(pid)
            struck.append(f"{which} after {wait:.1f} s")


async def migrate(
    whimbrel: Service, name: str, moments: random.Random | None, struck: list[str]
) -> str:
    """The tree that a migration ends on; with moments, it is struck at them."""
    await back(whimbrel)
    upstream = str(whimbrel.home / "upstream")
    handle = await whimbrel.start(shop.SPEC, NAME=name, REPOSITORY=upstream)
    striking = asyncio.create_task(strike(whimbrel, moments, struck)) if moments else None
    try:
        result = await outlasting(handle, PATIENCE)
    finally:
        if striking:
            striking.cancel()
            await asyncio.gather(striking, return_exceptions=True)
    report = whimbrel.report(result)
    hub = whimbrel.hub(report)
    invariants.assert_sound_in_git(whimbrel.home, hub, report)
    return invariants.tree(hub, report.tip)


async def back(whimbrel: Service) -> None:
    """Returns once the server answers; it may have been struck when the last round was over."""
    async with asyncio.timeout(60):
        while not (server := recorded(whimbrel.home)) or not await answers(server):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_kills_at_random_moments_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nCHAOS_SEED={SEED} CHAOS_ROUNDS={ROUNDS}")
    moments, clock = random.Random(SEED), asyncio.get_running_loop()
    shop.make_shop(tmp_path / "upstream")
    async with service(tmp_path) as whimbrel:
        expected = await migrate(whimbrel, "undisturbed", None, [])
        begun = clock.time()
        for number in range(ROUNDS):
            struck: list[str] = []
            tree = await migrate(whimbrel, f"round-{number}", moments, struck)
            with capsys.disabled():
                print(f"round {number}: {', '.join(struck)}")
            assert tree == expected
            if clock.time() - begun > NO_NEW_ROUND_AFTER:
                break
        assert whimbrel.worker
        assert whimbrel.worker.deaths, "nothing was killed"
        await restarted(whimbrel.worker)
        await swept(tmp_path)
