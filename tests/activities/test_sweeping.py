"""The sweeper: every place gets its turn, and trouble is looked at again soon."""

import asyncio
from pathlib import Path

from activities.sweeping import Sweeper, files


async def test_trouble_in_one_place_is_not_the_others() -> None:
    swept: list[str] = []

    async def troubled() -> list[str]:
        raise PermissionError("not ours")

    async def well() -> list[str]:
        swept.append("well")
        return swept

    assert not await Sweeper([troubled, well]).sweep()
    assert swept == ["well"]
    assert await Sweeper([well]).sweep()


async def test_trouble_is_looked_at_again_before_an_hour_has_passed() -> None:
    """A server that starts with its worker refuses the first question."""
    asked = asyncio.Event()

    async def troubled_once() -> list[str]:
        if not asked.is_set():
            asked.set()
            raise OSError("not yet")
        again.set()
        return []

    again = asyncio.Event()
    sweeping = asyncio.create_task(Sweeper([troubled_once]).keep_sweeping())
    try:
        await asyncio.wait_for(again.wait(), 20)
    finally:
        sweeping.cancel()


async def test_what_an_adapter_deleted_is_named(tmp_path: Path) -> None:
    assert await files(lambda: [tmp_path / "a"])() == [str(tmp_path / "a")]
