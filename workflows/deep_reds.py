"""What the deep checks of a commit mean for what is open. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence
from activities.contracts.landing_requests import FoundDeep, LandingStep
from activities.contracts.news import DeepNews
from activities.contracts.reds import OpenRed, mends

ALONE = "no rung of the phase reads what it would be told, or no file of it may be changed"
PERSON = "a person has to, on the base or in the spec; then starter.py start SPEC goes on"
REASONS, FILES, TEXT, TASKS = 5, 20, 300, 20
"""What of a red is told."""
GOOD = (CheckOutcome.GREEN, CheckOutcome.SKIPPED)


def open_reds(
    before: Sequence[OpenRed],
    evidence: Evidence,
    good: str,
    found: FoundDeep,
    bad: str,
    now: str,
) -> tuple[OpenRed, ...]:
    """What is red on the commit `bad`; what was red already is as old as it was, unless its fix
    has landed since, on whose tree it held: that is another red. `found`: what landed since `good`.
    """
    known = {red.check: red for red in before if not is_mended(red, found.fixes)}
    tasks = tuple(task for step in found.steps for task in step.tasks)[:TASKS]
    reds: list[OpenRed] = []
    for check in _red(evidence):
        fresh = OpenRed(check=check.check, since=now, good=good, bad=bad, by=tasks)
        told = {
            "reasons": tuple(reason[:TEXT] for reason in check.reasons[:REASONS]),
            "files": check.failing_files[:FILES],
            "results": len(check.new_failures) or 1,
            "merges": found.both,
        }
        reds.append(known.get(check.check, fresh).model_copy(update=told))
    return tuple(reds)


def is_mended(red: OpenRed, landed: Collection[str]) -> bool:
    """Whether its fix task is among what landed."""
    return any(mends(task, red.id) for task in landed)


def of_check(evidence: Evidence, check: str) -> Evidence:
    """What it says of one check."""
    return evidence.model_copy(
        update={"checks": tuple(said for said in evidence.checks if said.check == check)}
    )


def broken_by(red: OpenRed, steps: Sequence[LandingStep], first: int) -> OpenRed:
    """The red, once it is known with which of the steps since `good` it broke (0-based)."""
    step = steps[first]
    after = steps[first - 1].commit if first else red.good
    return red.model_copy(update={"after": after, "broke": step.commit, "by": step.tasks[:TASKS]})


def spent(reds: Sequence[OpenRed], most: int | None, age: int | None, now: datetime) -> list[str]:
    """The checks of which more is red than may be, or for longer (seconds)."""
    return [
        red.check
        for red in reds
        if (most is not None and red.results > most)
        or (age is not None and (now - datetime.fromisoformat(red.since)).total_seconds() >= age)
    ]


def next_spent(reds: Sequence[OpenRed], age: int | None, now: datetime) -> timedelta | None:
    """How long until one more is too old; None: nothing will be."""
    if age is None:
        return None
    ends = [datetime.fromisoformat(red.since) + timedelta(seconds=age) - now for red in reds]
    return min((end for end in ends if end > timedelta()), default=None)


def with_fixes(news: DeepNews, mended: Mapping[str, str]) -> DeepNews:
    """The news, whose reds name the tasks that are to mend them."""
    reds = (red.model_copy(update={"fix": mended.get(red.id, "")}) for red in news.reds)
    return news.model_copy(update={"reds": tuple(reds)})


def to_mend(news: DeepNews | None, mended: Collection[str]) -> tuple[OpenRed, ...]:
    """What is red and has had no fix task; `mended`: the ids of those that had one."""
    return tuple(red for red in news.reds if red.id not in mended) if news else ()


def why_held(reds: Sequence[OpenRed], mended: Mapping[str, str], name: str) -> str:
    """Why a phase may not end as it is, and what a person can do; empty: it may. `mended`: reds
    that had a fix task, with it; `name`: the migration's."""
    if not reds:
        return ""
    told = (f"{red.check} ({'; '.join(red.reasons) or 'red'}), {red.where}" for red in reds)
    said = [f"checks behind the landings are red: {', '.join(told)}"]
    for red in reds:
        task = mended.get(red.id)
        tried = f"{task} did not mend it (starter.py show {name} {task})" if task else ALONE
        said.append(f"{red.check}: {tried}")
    return "; ".join([*said, PERSON])


def _red(evidence: Evidence) -> list[CheckResult]:
    return [c for c in evidence.checks if c.binding and c.outcome not in GOOD]
