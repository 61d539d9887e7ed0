"""Whether a command filled the disk by itself: then that is its result, not trouble to wait out.

What ran on a full disk says nothing, for anybody may have filled it. But one that writes without
end would be tried without end. So what a command wrote is counted, and weighed against the room
that it found. Who wrote much is suspect, and the next time runs alone among the suspects of its
host; who then writes most of ample room is convicted. Who fills what others left stays innocent.
"""

import asyncio
import errno
import os
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from activities.adapters.host_lock import host_locked

DISK = "disk"
"""How a command ended that filled one."""
AMPLE = 4 << 30
"""Bytes with which every command must do, or a quarter of a disk that has less than four times
as much: what it needs beyond is for the spec or the disk to mend, not for time."""
SUSPECT, MOST = 0.1, 0.75
"""Of the room it found: several at once have a part each; one alone leaves little to the others."""
TICK_NS = 10_000_000
"""File systems date a change by a clock that ticks, a little behind."""


class Footprint:
    """What is written below some places from now on."""

    def __init__(self, *places: Path) -> None:
        self._places = places
        self.met_full = False
        """Somebody of this process found the disk full."""
        self._began = time.time_ns() - TICK_NS
        self._clock = time.monotonic()
        self._room = {place.stat().st_dev: _room(place) for place in places}

    def check_room(self) -> None:
        """Raises OSError where the disk was full meanwhile: who filled it may have ended first, and
        left room again."""
        if self.met_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._places[0]))

    def shares_disk(self, other: "Footprint") -> bool:
        return not self._room.keys().isdisjoint(other._room)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._clock

    def much(self) -> "Much | None":
        """What whoever wrote it wrote, on a disk where that is much of the room. Blocking.

        Half of it is deleted, the largest first: on a full disk nobody could even say so.
        """
        for device, (free, size) in self._room.items():
            found = [one for place in self._places for one in self._written(place, device)]
            total = sum(one.size for one in found)
            if not total or total < SUSPECT * free:
                continue
            largest = sorted(found, key=lambda one: one.size, reverse=True)
            _delete(largest, total // 2)
            first = largest[0]
            told = (
                f"{_mib(total)} where {_mib(free)} of {_mib(size)} were free, {_mib(first.size)} "
                f"of it to {first.shown} in {first.place}"
            )
            return Much(total >= max(min(AMPLE, size // 4), MOST * free), told)
        return None

    def _written(self, place: Path, device: int) -> Iterator["_Written"]:
        """Follows no link. A file with several names counts once for each disk block it has."""
        seen: set[int] = set()
        for folder, _, names, fd in os.fwalk(place, follow_symlinks=False):
            for name in names:
                with suppress(OSError):
                    at = os.stat(name, dir_fd=fd, follow_symlinks=False)
                    mine = at.st_dev == device and at.st_ctime_ns >= self._began
                    if mine and at.st_ino not in seen:
                        seen.add(at.st_ino)
                        path = Path(folder, name)
                        yield _Written(at.st_blocks * 512, place, str(path.relative_to(place)))


class Filling:
    """Who filled a disk, as far as this process saw it: another one starts to count anew."""

    def __init__(self, lock: Path) -> None:
        """`lock` is the host's, for the suspects of all its processes."""
        self._lock = lock
        self._suspects: set[str] = set()
        self._live: list[Footprint] = []

    @contextmanager
    def watched(self, *places: Path) -> Generator["Footprint"]:
        """What a command writes while this lasts."""
        footprint = Footprint(*places)
        self._live.append(footprint)
        try:
            yield footprint
        finally:
            self._live.remove(footprint)

    @asynccontextmanager
    async def turn(self, command: str, beat: Callable[[], None] | None) -> AsyncGenerator[None]:
        """For as long as it runs; what others of its kind write would hide what it writes."""
        if command not in self._suspects:
            yield
            return
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        async with host_locked(self._lock, beat):
            yield

    async def convicted(self, command: str, footprint: Footprint, error: OSError) -> str:
        """What is told of it in the end; empty: it is to be tried again."""
        if error.errno != errno.ENOSPC:
            return ""
        for other in self._live:
            other.met_full |= other.shares_disk(footprint)
        much = await asyncio.to_thread(footprint.much)
        if much is None:
            return ""
        again = command in self._suspects
        self._suspects.add(command)
        if not (again and much.alone_fills):
            return ""
        return (
            f"it filled the disk by itself, and not for the first time: it wrote {much.told}. "
            "Let it write less, or give this host a larger disk"
        )

    def acquitted(self, command: str) -> None:
        """It has ended, and there was room."""
        self._suspects.discard(command)


@dataclass(frozen=True)
class Much:
    """What one command wrote on a disk that is full."""

    alone_fills: bool
    """Whether it was ample, and most of the room there was."""
    told: str


@dataclass(frozen=True)
class _Written:
    size: int
    place: Path
    name: str

    @property
    def shown(self) -> str:
        return repr(os.fsencode(self.name).decode(errors="replace"))[:200]


def _delete(largest: list[_Written], enough: int) -> None:
    for one in largest:
        if enough <= 0:
            return
        with suppress(OSError):
            (one.place / one.name).unlink()
            enough -= one.size


def _room(place: Path) -> tuple[int, int]:
    """Bytes free and in all."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
