"""The branch beside the green one: the last commit of it on which the deep checks held too.

It goes forwards only, along the first-parent chain of the green branch, by compare-and-swap.
"""

from collections.abc import Iterable, Sequence

from activities.adapters.fault_points import Effect
from activities.adapters.refs import ABSENT, BranchMoved, References, update
from activities.contracts.landing_requests import FoundDeep, LandingStep

MOST_STEPS = 64
"""Where more landed, a step is several commits."""
MOST_TASKS = 20
"""That a step names."""


def find_deep(refs: References, branch: str, tip: str, base: str) -> FoundDeep:
    """How far `branch` is behind the green tip; `base` is where both began."""
    green = refs.ref(f"refs/heads/{branch}")
    behind = refs.git.text("rev-list", "--count", "--first-parent", tip, f"^{green or base}")
    return FoundDeep(tip=tip, green=green, behind=int(behind))


def advance_deep(refs: References, branch: str, tip: str, to: str, base: str) -> None:
    """Moves `branch` to `to`. Harmless when it is there, or further, already.

    Raises BranchMoved when it, or `to`, is not on the first-parent chain of the green tip.
    """
    head = f"refs/heads/{branch}"
    with refs.writing([head]) as git:
        now = refs.ref(head)
        ours = {to, now} if now else {to}
        if refs.on_chain(tip, ours, until=base) != ours:
            raise BranchMoved(branch, now or "nothing")
        if now and refs.on_chain(now, {to}, until=base):
            return
        update(git, head, to, now or ABSENT, Effect.REF_DEEP)


def steps_of(landed: Iterable[tuple[str, Sequence[str]]]) -> tuple[LandingStep, ...]:
    """Commits with their tasks, oldest first, as steps of one commit or of a few."""
    commits = list(landed)
    size = -(-len(commits) // MOST_STEPS) or 1
    parts = (commits[at : at + size] for at in range(0, len(commits), size))
    return tuple(
        LandingStep(
            commit=part[-1][0],
            tasks=tuple([task for _, tasks in part for task in tasks][:MOST_TASKS]),
        )
        for part in parts
    )
