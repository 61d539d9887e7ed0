"""What every comparison shares: turns, medians, and the machine they were taken on.

A and B always run in one process of the bench, in turns, several times over, and who goes first
alternates: what else the machine does hits both.
"""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygit2
import temporalio.service


@dataclass
class Comparison:
    """One claim: the median of `ours` against that of `other`, and the bound on their ratio."""

    name: str
    unit: str
    ours: list[float]
    other: list[float]
    versus: str
    at_least: float | None = None
    """`other` takes at least this many times as much as ours."""
    at_most: float | None = None
    """Ours takes at most this many times as much as `other`."""
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def ratio(self) -> float:
        """The ratio that the bound is about, of medians."""
        ours, other = statistics.median(self.ours), statistics.median(self.other)
        return other / ours if self.at_least is not None else ours / other

    @property
    def bound(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g} times faster"
        return f"at most {self.at_most:g} times" if self.at_most is not None else "no bound"

    @property
    def holds(self) -> bool:
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return self.at_most is None or self.ratio <= self.at_most

    def line(self) -> str:
        """For people: what was measured, against what, and whether the bound holds."""
        ours, other = statistics.median(self.ours), statistics.median(self.other)
        verdict = (
            "" if self.bound == "no bound" else ("  holds" if self.holds else "  DOES NOT HOLD")
        )
        return (
            f"{self.name}: {ours:.2f} {self.unit}, {self.versus}: {other:.2f} {self.unit} "
            f"→ {self.ratio:.2f}x ({self.bound}){verdict}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "versus": self.versus,
            "unit": self.unit,
            "ours": self.ours,
            "other": self.other,
            "ours_median": statistics.median(self.ours),
            "other_median": statistics.median(self.other),
            "ratio": self.ratio,
            "bound": self.bound,
            "holds": self.holds,
            "notes": self.notes,
        }


def alternate(rounds: int, arms: Mapping[str, Callable[[int], float]]) -> dict[str, list[float]]:
    """Runs every arm in every round, in turning order; an arm says what the round took."""
    taken: dict[str, list[float]] = {name: [] for name in arms}
    names = list(arms)
    for round in range(rounds):
        for name in names if round % 2 == 0 else reversed(names):
            taken[name].append(arms[name](round))
    return taken


def interleave(
    rounds: int, arms: Mapping[str, Callable[[int], Generator[None]]]
) -> dict[str, list[float]]:
    """Seconds that every arm took in every round, its steps in turn with those of the others.

    For work of minutes, in which the load may change. An arm prepares, yields, and from then on
    yields after each step; only the steps are timed, not what it does after the last one.
    """
    taken: dict[str, list[float]] = {name: [] for name in arms}
    ended = object()
    for round in range(rounds):
        running = {name: arms[name](round) for name in arms}
        for steps in running.values():
            next(steps)
        took = dict.fromkeys(running, 0.0)
        while running:
            for name in list(running) if round % 2 == 0 else list(reversed(running)):
                began = time.perf_counter()
                if next(running[name], ended) is ended:
                    del running[name]
                else:
                    took[name] += time.perf_counter() - began
        for name, spent in took.items():
            taken[name].append(spent)
    return taken


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def machine(scratch: Path) -> dict[str, Any]:
    """The facts that figures depend on."""
    return {
        "cpus": os.cpu_count(),
        "cpu": _first("/proc/cpuinfo", "model name"),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "git": _said("git", "--version"),
        "temporal_sdk": temporalio.service.__version__,
        "libgit2": pygit2.LIBGIT2_VERSION,
        "file_system": _said("stat", "-f", "-c", "%T", str(scratch)),
        "load_average": os.getloadavg(),
    }


def _first(path: str, label: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((ln.partition(":")[2].strip() for ln in lines if ln.startswith(label)), "unknown")


def _said(*command: Sequence[str] | str) -> str:
    return subprocess.run([*map(str, command)], capture_output=True, text=True).stdout.strip()
