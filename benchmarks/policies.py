"""Other ways to land than ours: each a story that is told on any ground, simulated or real.

One candidate after the other; batches that are halved while red; a window of builds that each
assume those before it land. All ask once more before they turn a candidate down.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from benchmarks.simulated_queue import Asking, Came, Weather

VERIFIERS = 4
HALVED_AT_MOST = 64


class Ground(Protocol):
    """A branch, those who ask to land on it, and checks."""

    def candidates(self, count: int) -> list[Asking]:
        """The next who ask, at most so many; none when all have asked."""
        ...

    async def reds(self, *builds: Sequence[Asking]) -> list[bool]:
        """Whether these on the tip are red; each build is checked by a verifier of its own."""
        ...

    async def land(self, build: Sequence[Asking]) -> None:
        """Lands what was checked just now."""
        ...

    def refuse(self, one: Asking) -> None: ...


Policy = Callable[[Ground], Awaitable[None]]
"""Lands or refuses everybody who asks."""


async def serial(ground: Ground) -> None:
    """One candidate after the other."""
    while one := ground.candidates(1):
        if not await _landed(ground, one) and not await _landed(ground, one):
            ground.refuse(one[0])


async def halving(ground: Ground) -> None:
    """Everything that waits, halved while it is red."""
    while waiting := ground.candidates(HALVED_AT_MOST):
        batches = deque([waiting])
        while batches:
            members = batches.popleft()
            if await _landed(ground, members):
                continue
            if len(members) > 1:
                middle = len(members) // 2
                batches.extendleft([members[middle:], members[:middle]])
            elif not await _landed(ground, members):
                ground.refuse(members[0])


async def window(ground: Ground) -> None:
    """As many builds as there are verifiers, each on top of all before it. Behind one that is red
    all start anew without it, while it is asked once more by itself."""
    suspects: list[Asking] = []
    building = ground.candidates(VERIFIERS)
    while suspects or building:
        ahead = [building[: n + 1] for n in range(len(building))]
        reds = await ground.reds(*([suspects] if suspects else []), *ahead)
        if suspects:
            if not reds.pop(0):
                await ground.land(suspects)
                suspects = []
                building += ground.candidates(VERIFIERS - len(building))
                continue
            ground.refuse(suspects[0])
        good = reds.index(True) if True in reds else len(building)
        if good:
            await ground.land(building[:good])
        suspects, building = building[good : good + 1], building[good + 1 :]
        building += ground.candidates(VERIFIERS - len(suspects) - len(building))


async def _landed(ground: Ground, members: Sequence[Asking]) -> bool:
    """Whether the members are green together, and landed."""
    (red,) = await ground.reds(members)
    if not red:
        await ground.land(members)
    return not red


class Simulated:
    """A ground where only checks take time, and all of them as long."""

    def __init__(self, weather: Weather, asking: int) -> None:
        self.times = self.landed = 0
        self._weather = weather
        self._asking = deque(weather.candidates(asking))

    def candidates(self, count: int) -> list[Asking]:
        return [self._asking.popleft() for _ in range(min(count, len(self._asking)))]

    async def reds(self, *builds: Sequence[Asking]) -> list[bool]:
        self.times += 1
        return [bool(self._weather.failures(build)) for build in builds]

    async def land(self, build: Sequence[Asking]) -> None:
        self.landed += len(build)

    def refuse(self, one: Asking) -> None:
        self._weather.innocent += not one.bad


async def simulated(policy: Policy, weather: Weather, asking: int) -> Came:
    """What comes of so many candidates."""
    ground = Simulated(weather, asking)
    await policy(ground)
    return Came(weather.checks, ground.times, ground.landed, weather.innocent)
