"""A migration in a hurricane: worker processes by role and the server are killed and frozen at
chosen points and at moments that nobody chose, while real git and real checks go on.

`weather` runs one migration in a service of its own and sees that it kept to itself; what was
struck and what that cost is in damage.py.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import histories, invariants, shop, traces
from tests.adapters.repositories import commit_files, make_repository
from tests.faults.damage import ROLES, Outcome, Strike, carried_out
from tests.service import Service, left_after, outlasting, restarted, service, until

PAIRS = (*ROLES, "workspace 2", "checks 2", "integration 2")
"""A frozen worker's work is taken over by the other one, and it thaws as a zombie."""
SWEEPING = ("workspace", "integration", "all")
CANARY = "canary-5f1d0c-in-the-worker's-environment"
BOUNCED = "area1/m1.py"
"""Right by itself; the landing checks will not have it."""
FROZEN = (1.0, 14.0)
"""Seconds: some longer than a heartbeat may be missing."""
LATE = f"""\
print("1..1")
bad = "new_name" in open("{BOUNCED}").read()
print("not ok" if bad else "ok", "1 - {BOUNCED}")
if bad:
    print("  ---\\n  at: {BOUNCED}:1\\n  ...")
"""
SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: Every call of old_name becomes one of new_name.
sites: {include: ["/area*/"], find: [{regex: 'old_name'}, {command: "grep -rl old_name area*"}]}
split: {by: directory, max_files: 2}
pilot: 3
environments: {tools: {prepare: touch $ENV/made}}
ladder:
  - codemod: sed -i s/old_name/new_name/ {files}
  - command: ["true"]
checks:
  all: {run: [/usr/bin/python3, run_checks.py], in: tools, results: tap}
  late: {run: [/usr/bin/python3, late_checks.py], in: tools, results: tap, at: [landing]}
  behind: {run: [/usr/bin/python3, run_checks.py], in: tools, results: tap, at: [landing]}
landing: {deep: [behind]}
protect: [/run_checks.py, /late_checks.py]
limits: {concurrency: 8}
"""
PROTECT = ("/run_checks.py", "/late_checks.py")
DEEP = ("behind",)


def make_upstream(path: Path, areas: int) -> None:
    """Two tasks an area; one module breaks, one is bounced, and the checks tell what they see."""
    runner = shop.RUNNER + 'import os\nprint("#", dict(os.environ))\n'
    files = {
        **{f"area{a}/m{m}.py": shop.module(4 * a + m) for a in range(areas) for m in range(4)},
        "run_checks.py": runner,
        "late_checks.py": LATE,
        shop.TRAP: shop.files()[shop.TRAP],
    }
    make_repository(path, files)


@dataclass
class Weather:
    """What is to happen: orders at fault points, and strikes at random moments."""

    seed: int
    orders: Sequence[str] = ()
    pause: tuple[float, float] = (1.0, 6.0)
    """Seconds between random strikes."""
    most: int = 35
    """Random strikes, at most."""
    among: tuple[str, ...] = ()
    """Who may be struck at random; empty: every worker, and the server."""


class Hurricane:
    """Strikes the processes of a service; lives as long as one migration."""

    def __init__(self, whimbrel: Service, weather: Weather) -> None:
        self._whimbrel = whimbrel
        self._weather = weather
        self._moments = random.Random(weather.seed)
        self._thawing: list[asyncio.Task[None]] = []
        self.seen: dict[int, str] = {}
        self.strikes: list[Strike] = []

    async def blow(self) -> None:
        """Until it is cancelled."""
        try:
            await asyncio.gather(self._watch(), self._strike_now_and_then())
        finally:
            for frozen in self._thawing:
                frozen.cancel()
            await asyncio.gather(*self._thawing, return_exceptions=True)

    async def _watch(self) -> None:
        """Whose pid is whose: an order is carried out by a process that then is no more."""
        while True:
            self.seen |= {pid: who for who, pid in self._alive()}
            await asyncio.sleep(0.05)

    def _alive(self) -> Iterator[tuple[str, int]]:
        if pid := self._whimbrel.server.pid:
            yield "server", pid
        for role, child in self._whimbrel.workers.items():
            if pid := child.pid:
                yield role, pid

    async def _strike_now_and_then(self) -> None:
        everybody = (*self._whimbrel.workers, "server")
        for _ in range(self._weather.most):
            await asyncio.sleep(self._moments.uniform(*self._weather.pause))
            who = self._moments.choice(self._weather.among or everybody)
            frozen = self._moments.uniform(*FROZEN) if self._moments.random() < 0.2 else 0.0
            pid = dict(self._alive()).get(who)
            if pid:
                self._strike(who, pid, frozen)

    def _strike(self, who: str, pid: int, frozen: float) -> None:
        how = "freeze" if frozen else "kill"
        self.strikes.append(Strike(time.time(), who, pid, how))
        os.kill(pid, signal.SIGSTOP if frozen else signal.SIGKILL)
        if frozen:
            self._thawing.append(asyncio.create_task(self._thaw(pid, frozen)))

    async def _thaw(self, pid: int, after: float) -> None:
        """At once, when all is over; one that was killed meanwhile is nobody else by its number."""
        try:
            await asyncio.sleep(after)
        finally:
            if pid in dict(map(reversed, self._alive())):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def move_upstream(path: Path, areas: int) -> str:
    """Somebody goes on there: two more modules that call the old name; returns the commit."""
    more = {f"area{areas}/m{m}.py": shop.module(4 * areas + m) for m in range(2)}
    return commit_files(path, more)


async def weather(
    home: Path, name: str, areas: int, roles: Sequence[str], what: Weather | None = None
) -> Outcome:
    """One migration to its end; whether it is sound, its outcome tells."""
    upstream, marks = home / "upstream", home / "marks"
    marks.mkdir(parents=True)
    make_upstream(upstream, areas)
    orders = what.orders if what else ()
    ordered = {"WHIMBREL_FAULTS": ",".join(orders), "WHIMBREL_FAULTS_DIR": str(marks)}
    async with service(home, roles=roles, SECRET=CANARY, **(ordered if orders else {})) as whimbrel:
        handle = await whimbrel.start(SPEC, NAME=name, REPOSITORY=str(upstream))
        # Patient: whoever takes the base may be killed at each of its points, and waits twice as
        # long each time.
        await until(handle, lambda progress: progress.base is not None, 300)
        head = move_upstream(upstream, areas)
        untouched = traces.fingerprint(upstream)
        hurricane = Hurricane(whimbrel, what or Weather(0, most=0))
        blowing = asyncio.create_task(hurricane.blow())
        try:
            result = await outlasting(handle, 900)
        finally:
            blowing.cancel()
            await asyncio.gather(blowing, return_exceptions=True)
        report = whimbrel.report(result)
        hub = whimbrel.hub(report)
        told = await histories.read(whimbrel.client, name)
        sweeping = [whimbrel.workers[role] for role in SWEEPING if role in whimbrel.workers]
        await asyncio.gather(*map(restarted, sweeping))
        await left_after(home)
    assert traces.fingerprint(upstream) == untouched
    assert [merge.head for merge in report.base_merges] == [head]
    assert traces.where_found(home, CANARY.encode()) == []
    assert "temporal.db" in traces.where_found(home, BOUNCED.encode()), "it looks where things are"
    strikes, unreached = carried_out(orders, marks, hurricane.seen)
    strikes = sorted([*hurricane.strikes, *strikes], key=lambda strike: strike.at)
    damage = invariants.damage(home, hub, report, told)
    return Outcome(home, hub, report, told, damage, PROTECT, DEEP, strikes, unreached)
