"""The two curves of the HTML report, as coordinates that its template draws as SVG.

Both are steps over time: something landed at a moment, and nothing happened between two. Pure, and
bounded: a long migration's curve is thinned to what a screen can show.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import ceil, floor, log10
from typing import NamedTuple

from activities.adapters.report_words import count
from activities.contracts.report import LandedCommit, MigrationReport
from activities.contracts.work import Handoff, TaskStatus

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 424, 16, 204
"""Where the axes stand."""
MOST_POINTS = 300
MOST_DOTS = 60
"""More landings than these are a line, not dots."""
EVER = datetime.min.replace(tzinfo=UTC)
_TICKS = 4
_UNITS = (("seconds", 1.0), ("minutes", 60.0), ("hours", 3600.0), ("days", 86400.0))

Point = tuple[float, float]
"""Seconds since the start, and how many."""


class Tick(NamedTuple):
    """A place on an axis, in the drawing's units."""

    at: float
    label: str


class Chart(NamedTuple):
    """One curve with its axes; `says` is for those who cannot see it."""

    id: str
    title: str
    says: str
    path: str
    area: str
    dots: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    across_label: str
    up_label: str


def charts(report: MigrationReport) -> list[Chart]:
    """Landed files, and sites left; none where the times are not known or nothing landed."""
    times = _times(report.started_at, report.finished_at, report.landings)
    if times is None:
        return []
    offsets, took = times
    drawn = [_landed(offsets, [landing.files for landing in report.landings], took)]
    if report.sites_at_start:
        solved = _solved(report)
        drawn.append(_sites_left(report, list(zip(offsets, solved, strict=True)), took))
    return drawn


def landings_chart(
    started_at: str, finished_at: str, landings: Iterable[LandedCommit]
) -> list[Chart]:
    """Landed files of whatever landed between two moments, in whatever order it is given."""
    ordered = sorted(landings, key=lambda landing: (_moment(landing.at) or EVER, landing.commit))
    times = _times(started_at, finished_at, ordered)
    return [_landed(times[0], [landing.files for landing in ordered], times[1])] if times else []


def _times(
    started_at: str, finished_at: str, landings: Sequence[LandedCommit]
) -> tuple[list[float], float] | None:
    """Seconds from the start to each landing, and to the end."""
    start, end = _moment(started_at), _moment(finished_at)
    if start is None or end is None or not landings:
        return None
    moments = [_moment(landing.at) or start for landing in landings]
    start, end = min(start, *moments), max(end, *moments)
    return [(at - start).total_seconds() for at in moments], (end - start).total_seconds()


def _landed(offsets: Sequence[float], sizes: Sequence[int], took: float) -> Chart:
    total, points = 0, [(0.0, 0.0)]
    for offset, size in zip(offsets, sizes, strict=True):
        total += size
        points.append((offset, float(total)))
    says = (
        f"{count(total, 'file change')} landed in {count(len(sizes), 'commit')}; "
        f"half of them by {_in_units(_half(points), took)}"
    )
    return _chart("landed", "Files landed", says, points, took, dots=True)


def _sites_left(
    report: MigrationReport, solved: Sequence[tuple[float, float]], took: float
) -> Chart:
    """From the sites that landed tasks were planned with; first and last are what surveys found."""
    left, points = float(report.sites_at_start), [(0.0, float(report.sites_at_start))]
    for offset, gone in solved:
        left = max(left - gone, 0.0)
        points.append((offset, left))
    points.append((took, float(report.sites_left)))
    says = (
        f"from {count(report.sites_at_start, 'site')} to {report.sites_left}; "
        "between the surveys by what landed"
    )
    return _chart("sites", "Sites left", says, points, took, dots=False)


def _solved(report: MigrationReport) -> list[float]:
    """For each landing, how many sites its tasks took away."""
    handoffs = {handoff.task: handoff for handoff in report.handoffs}
    return [
        sum(_share(handoffs[task]) for task in landing.tasks if task in handoffs)
        for landing in report.landings
    ]


def _share(handoff: Handoff) -> float:
    """Of a task that landed in part, each file is taken to have as many sites as the others."""
    if handoff.status is not TaskStatus.PARTIAL:
        return float(handoff.sites)
    undone = len({*handoff.left, *(back.path for back in handoff.put_back)})
    return handoff.sites * len(handoff.files) / max(len(handoff.files) + undone, 1)


def _chart(
    id: str, title: str, says: str, points: list[Point], took: float, *, dots: bool
) -> Chart:
    most, took = max(value for _, value in points), max(took, 1.0)
    top = max(_ticks(most)[-1], 1.0)

    def x(offset: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * offset / took, 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)

    places = [(x(offset), y(value)) for offset, value in _thinned(points)]
    path = f"M{places[0][0]},{places[0][1]}"
    path += "".join(f"H{across}V{up}" for across, up in places[1:]) + f"H{x(took)}"
    unit, size = _unit(took)
    shown = places[1:] if dots and len(points) - 1 <= MOST_DOTS else []
    return Chart(
        id=id,
        title=title,
        says=says,
        path=path,
        area=f"{path}V{BOTTOM}H{LEFT}Z",
        dots=tuple(shown),
        across=tuple(
            Tick(x(tick * size), _number(tick))
            for tick in _ticks(took / size, 0.1)
            if tick * size <= took * 1.001
        ),
        up=tuple(Tick(y(tick), _number(tick)) for tick in _ticks(most) if tick <= top),
        across_label=f"{unit} since the start",
        up_label=title.lower(),
    )


def _ticks(most: float, least: float = 1.0) -> list[float]:
    """Round numbers from 0 to `most` or just above it, a handful of them, `least` apart."""
    step = max(_round_step(max(most, 1e-9) / _TICKS), least)
    return [step * n for n in range(ceil(most / step - 1e-9) + 1)]


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= least * 0.999)


def _thinned(points: list[Point]) -> list[Point]:
    """Every so many of them, the last one always."""
    step = max(1, ceil(len(points) / MOST_POINTS))
    return [*points[:-1:step], points[-1]]


def _unit(seconds: float) -> tuple[str, float]:
    """The largest unit of which there are at least two."""
    return next((u for u in reversed(_UNITS) if seconds >= 2 * u[1]), _UNITS[0])


def _in_units(offset: float, took: float) -> str:
    unit, size = _unit(took)
    return f"{_number(round(offset / size, 1))} {unit} after the start"


def _half(points: list[Point]) -> float:
    return next(offset for offset, value in points if value * 2 >= points[-1][1])


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
