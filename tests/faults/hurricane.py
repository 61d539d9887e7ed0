"""A migration in a hurricane: worker processes by role and the server are killed and frozen at
chosen points and at moments that nobody chose, while real git and real checks go on.

`weather` runs one migration in a service of its own, holds every invariant against what it left,
and tells what was struck and how long the work that was cut off had to wait.
"""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from activities.contracts.report import MigrationReport
from tests import histories, invariants, shop, traces
from tests.adapters.repositories import make_repository
from tests.histories import Told
from tests.service import Service, outlasting, restarted, service, swept
from tests.test_wiring import registered

ROLES = ("control", "workspace", "checks", "integration", "delivery")
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
sites: {include: ["/area*/"], find: {regex: 'old_name'}}
split: {by: directory, max_files: 2}
environments: {tools: {prepare: touch $ENV/made}}
ladder:
  - codemod: sed -i s/old_name/new_name/ {files}
  - command: ["true"]
checks:
  all: {run: [/usr/bin/python3, run_checks.py], in: tools, results: tap}
  late: {run: [/usr/bin/python3, late_checks.py], in: tools, results: tap, at: [landing]}
protect: [/run_checks.py, /late_checks.py]
limits: {concurrency: 8}
"""
PROTECT = ("/run_checks.py", "/late_checks.py")


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


@dataclass(frozen=True)
class Strike:
    """One process, struck once."""

    at: float
    """Seconds since the epoch."""
    who: str
    """Its role, or `server`."""
    pid: int
    how: str
    """`kill`, `freeze`, or the order that it carried out."""

    @property
    def deadly(self) -> bool:
        return self.how == "kill" or self.how.startswith("crash")


@dataclass
class Weather:
    """What is to happen: orders at fault points, and strikes at random moments."""

    seed: int
    orders: Sequence[str] = ()
    pause: tuple[float, float] = (1.0, 6.0)
    """Seconds between random strikes."""
    most: int = 35
    """Random strikes, at most."""


@dataclass
class Outcome:
    """What became of it."""

    tree: str
    report: MigrationReport
    told: Told
    strikes: list[Strike] = field(default_factory=list[Strike])
    unreached: list[str] = field(default_factory=list[str])
    """Orders that nobody came to carry out."""

    @property
    def kills(self) -> list[Strike]:
        return [strike for strike in self.strikes if strike.deadly]

    def __str__(self) -> str:
        who = Counter(strike.who.split()[0] for strike in self.kills)
        waits = sorted(resumed(self.told, self.strikes))
        waited = (
            f"{statistics.median(waits):.1f} s median, {waits[-1]:.1f} s at worst, of {len(waits)}"
            if waits
            else "nothing was cut off"
        )
        return (
            f"{len(self.kills)} kills {dict(sorted(who.items()))}, "
            f"{len(self.strikes) - len(self.kills)} other faults, "
            f"{len(self.report.handoffs)} tasks, resumed after {waited}"
        )


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
        for _ in range(self._weather.most):
            await asyncio.sleep(self._moments.uniform(*self._weather.pause))
            who = self._moments.choice([*self._whimbrel.workers, "server"])
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


async def weather(
    home: Path, name: str, areas: int, roles: Sequence[str], what: Weather | None = None
) -> Outcome:
    """One migration to its end, and every invariant held against it."""
    upstream, marks = home / "upstream", home / "marks"
    marks.mkdir(parents=True)
    make_upstream(upstream, areas)
    untouched = traces.fingerprint(upstream)
    orders = what.orders if what else ()
    ordered = {"WHIMBREL_FAULTS": ",".join(orders), "WHIMBREL_FAULTS_DIR": str(marks)}
    async with service(home, roles=roles, SECRET=CANARY, **(ordered if orders else {})) as whimbrel:
        handle = await whimbrel.start(SPEC, NAME=name, REPOSITORY=str(upstream))
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
        await swept(home)
    invariants.assert_sound(home, hub, report, PROTECT)
    invariants.assert_told(hub, report, told)
    assert traces.fingerprint(upstream) == untouched
    assert traces.where_found(home, CANARY.encode()) == []
    assert "temporal.db" in traces.where_found(home, BOUNCED.encode()), "it looks where things are"
    strikes, unreached = carried_out(orders, marks, hurricane.seen)
    strikes = sorted([*hurricane.strikes, *strikes], key=lambda strike: strike.at)
    return Outcome(invariants.tree(hub, report.tip), report, told, strikes, unreached)


def carried_out(
    orders: Sequence[str], marks: Path, seen: dict[int, str]
) -> tuple[list[Strike], list[str]]:
    """The orders that were, by whom and when, and those that were not."""
    done = {number: marks / str(number) for number in range(len(orders))}
    strikes = [
        Strike(mark.stat().st_mtime, seen[int(mark.read_text())], int(mark.read_text()), orders[n])
        for n, mark in done.items()
        if mark.exists()
    ]
    return strikes, [orders[n] for n, mark in done.items() if not mark.exists()]


def resumed(told: Told, strikes: Sequence[Strike]) -> list[float]:
    """Seconds from a kill until what it had cut off was begun again, where it was struck once.

    An activity is tried again; on a host's queue the workflow does something else instead; a
    workflow task is given to another worker.
    """
    where = registered()
    where["workspace"] |= where.pop("host")

    def only_kill(role: str, after: float, before: float) -> float | None:
        there = [s for s in strikes if s.who.split()[0] == role and after < s.at < before]
        return there[0].at if len(there) == 1 and there[0].deadly else None

    waits: list[float] = []
    for step in told.steps:
        [role] = [role for role in ROLES if step.name in where[role]]
        again = step.started
        if step.how == "timed_out" and step.worker:
            later = [s.started for s in told.steps if s.workflow == step.workflow and s.started]
            again = min((at for at in later if at > step.ended), default=0.0)
            at = only_kill(role, step.started, again)
        else:
            at = only_kill(role, step.scheduled, again) if step.attempt == 2 else None
        waits += [again - at] if at else []
    for thought in told.thoughts:
        at = only_kill("control", thought.asked, thought.decided) if thought.again else None
        waits += [thought.decided - at] if at else []
    return waits
