"""The one gate to the model's provider, for all worker processes on all hosts.

Who is asked for patience closes it for everybody: a record with its end, numbered and created once,
so that the highest number counts and nobody overwrites another's. Each process lets through as many
at once as its account bears: one after the gate was closed, one more with each reply up to half of
what it had, then slowly more.
"""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable

from activities.adapters.blob_place import Place
from activities.adapters.doing import doing
from activities.adapters.model_errors import ModelError
from activities.contracts.money import GateClosed

FOLDER = "provider/gate"
FIRST = 4
"""Requests at once of a process that knows nothing yet."""
KEPT = 1000
"""Closings: far more than anybody can miss between two looks at all of them."""
LOOK = 60.0
"""Seconds after which the number that was last seen is not trusted any more."""
LONGEST = 60.0
"""Seconds that the gate is closed where the provider does not say for how long."""
SHORTEST = 1.0


class ModelParked(ModelError):
    """The gate is closed; `after` so many seconds it is not. Nothing was asked."""


class Closings:
    """The numbered records in a place; the newest one counts."""

    def __init__(
        self, place: Place, clock: Callable[[], float] = time.time, kept: int = KEPT
    ) -> None:
        self._place, self._clock, self._kept = place, clock, kept
        self._number, self._looked = 0, 0.0
        self._newest: GateClosed | None = None

    def newest(self) -> GateClosed | None:
        """None: it was never closed. Any process's record is seen by all at once."""
        if self._clock() - self._looked > LOOK:
            kept = [kept.key.rpartition("/")[2] for kept in self._place.below(FOLDER)]
            found = max((int(name) for name in kept if name.isdigit()), default=0)
            self._looked = self._clock()
            if found > self._number:
                self._number = found - 1
        while data := self._place.read(_key(self._number + 1)):
            self._number += 1
            self._newest = GateClosed.model_validate_json(data)
        return self._newest

    def add(self, closed: GateClosed) -> bool:
        """Whether nobody else added one since the newest was read."""
        if not self._place.create(_key(self._number + 1), closed.model_dump_json().encode()):
            return False
        if self._number > self._kept:
            self._place.delete([_key(self._number - self._kept)])
        return True


def _key(number: int) -> str:
    return f"{FOLDER}/{number:012}"


def _clock_time(moment: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(moment))


class Gate:
    """This process's way through it. Belongs to one event loop."""

    def __init__(
        self, closings: Closings, most: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`most`: requests of this process at once, whatever the account bears."""
        self._closings, self._most, self._clock = closings, most, clock
        self._seen: GateClosed | None = None
        self.running, self.limit, self._slow_from = 0, float(min(FIRST, most)), float(most)
        self._opened = False
        """Whether a reply came since it was closed last."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    @contextlib.asynccontextmanager
    async def passage(self) -> AsyncGenerator[None]:
        """Lets a request through, and learns from what becomes of it. Raises ModelParked."""
        try:
            await self._look()
            while self.running >= int(self.limit):
                await self._turn_comes()
                await self._look()
        except BaseException:
            # Who was called and does not come leaves the place to the next one.
            self._wake(int(self.limit) - self.running)
            raise
        self.running += 1
        try:
            yield
        except ModelError as error:
            if error.busy:
                closed = await self._close(error)
                error.args = (f"{error}; nobody asks it until {_clock_time(closed.until)}",)
                error.after = self._until(closed)
            raise
        else:
            self._grow()
        finally:
            self.running -= 1
            self._wake(int(self.limit) - self.running)

    async def _look(self) -> None:
        """Raises ModelParked while it is closed; new records are taken to heart once."""
        newest = await asyncio.to_thread(self._closings.newest)
        if newest is None:
            return
        if newest != self._seen:
            self._shrink(newest.concurrency if self._seen is None else None)
            self._seen, self._opened = newest, False
        if newest.until > self._clock():
            self._wake(len(self._waiting))
            until = _clock_time(newest.until)
            raise ModelParked(
                f"the model's provider asks for patience until {until}: {newest.why}",
                self._until(newest),
            )

    def _until(self, closed: GateClosed) -> float:
        """Seconds until it is open, and a little more: not all at the same moment."""
        left = max(0.0, closed.until - self._clock())
        return left + random.uniform(0, 1 + left / 10)

    async def _turn_comes(self) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        with doing(f"waits for one of {int(self.limit)} places with the model's provider"):
            try:
                await mine
            finally:
                if mine in self._waiting:
                    self._waiting.remove(mine)

    def _wake(self, many: int) -> None:
        """So many of those who wait; each looks for itself whether it may go on."""
        while many > 0 and self._waiting:
            if not (first := self._waiting.popleft()).done():
                first.set_result(None)
                many -= 1

    def _grow(self) -> None:
        self._opened = True
        step = 1.0 if self.limit < self._slow_from else 1.0 / self.limit
        self.limit = min(self.limit + step, float(self._most))

    def _shrink(self, known: int | None = None) -> None:
        """To one. `known`: what another process had found out before this one began."""
        self._slow_from = float(known) if known else max(1.0, self.limit / 2)
        self.limit = 1.0

    async def _close(self, error: ModelError) -> GateClosed:
        """For everybody, unless somebody has closed it for as long already."""
        while True:
            newest = await asyncio.to_thread(self._closings.newest)
            now = self._clock()
            recent = newest and not self._opened and now - newest.until < LOOK
            times = newest.times + 1 if newest and recent else 1
            pause = error.after
            if pause is None:
                pause = min(LONGEST, SHORTEST * 2.0 ** (times - 1)) * random.uniform(0.75, 1.25)
            until = now + max(pause, SHORTEST)
            if newest and newest.until >= until:
                return newest
            slow_from = max(1, int(self.limit / 2))
            closed = GateClosed(until=until, why=str(error), concurrency=slow_from, times=times)
            if await asyncio.to_thread(self._closings.add, closed):
                return closed
