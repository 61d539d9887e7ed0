"""What follows a judged cycle: countable evidence only. Pure."""

from activities.contracts.migration import Stage, Verdict
from workflows.options import MAX_IDLE_CYCLES


def at_the_end(leftovers: int) -> Stage:
    """How a phase ends that nobody can do anything more for; leftovers need a person."""
    return Stage.DONE_WITH_LEFTOVERS if leftovers else Stage.DONE


def next_stage(verdict: Verdict, idle_cycles: int, cycles_left: int) -> Stage:
    """Another cycle only if sites exist that somebody may still take on.

    PLAN: another cycle. Otherwise the phase is over, with or without leftovers, or it stopped
    making progress.
    """
    if verdict.open_sites == 0:
        return at_the_end(verdict.leftover_sites + verdict.unplaced)
    if idle_cycles >= MAX_IDLE_CYCLES or cycles_left <= 0:
        return Stage.STOPPED
    return Stage.PLAN
