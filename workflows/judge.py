"""What follows a judged cycle: countable evidence only. Pure."""

from collections.abc import Sequence

from activities.contracts.evidence import Moment
from activities.contracts.migration import MigrationState, Stage, Verdict
from activities.contracts.opinion import FAIL, Opinion
from workflows.options import MAX_IDLE_CYCLES


def at_the_end(leftovers: int) -> Stage:
    """How a phase ends that nobody can do anything more for; leftovers need a person."""
    return Stage.DONE_WITH_LEFTOVERS if leftovers else Stage.DONE


def next_stage(verdict: Verdict, idle_cycles: int, cycles_left: int) -> Stage:
    """Another cycle only if sites exist that somebody may still take on, or what tasks said may be
    followed up.

    PLAN: another cycle. Otherwise the phase is over, with or without leftovers, or it stopped
    making progress.
    """
    over = idle_cycles >= MAX_IDLE_CYCLES or cycles_left <= 0
    if verdict.open_sites == 0 and (over or not verdict.follow_ups):
        return at_the_end(verdict.leftover_sites + verdict.left_beside + verdict.unplaced)
    return Stage.STOPPED if over else Stage.PLAN


def why_stopped(idle_cycles: int) -> str:
    """What a phase says that no further cycle is begun for."""
    if idle_cycles >= MAX_IDLE_CYCLES:
        return "no progress in the last cycles"
    return "its cycles are used up (limits.cycles)"


def weighed(stage: Stage, opinion: Opinion | None) -> tuple[Stage, str]:
    """What follows when an opinion is heard beside what was counted, and why: it makes nothing
    better than it was counted, and what a judge would take back is not done."""
    if opinion is None or opinion.verdict != FAIL or stage is not Stage.DONE:
        return stage, ""
    return Stage.DONE_WITH_LEFTOVERS, f"the judge says fail: {opinion.summary}"


def gates(checked: Sequence[Moment], last: bool) -> list[Moment]:
    """The moments whose checks a phase (the last one: the migration too) has to pass to end."""
    wanted = (Moment.PHASE, Moment.END) if last else (Moment.PHASE,)
    return [moment for moment in wanted if moment in checked]


def is_bound(state: MigrationState) -> bool:
    """Whether a plan has to be for exactly the base: the tree that later phases begin with, or a
    migration that goes on from what landed in an earlier life, nobody could plan for."""
    return state.phase == 0 and state.first_cycle == 0


def after_pilot(state: MigrationState, approval: bool) -> tuple[Stage, str]:
    """Whether the tasks that a pilot holds back may start: WORK, APPROVAL where a person has to say
    so, or how the migration ends and why.

    Without an approval one landed task is enough: what the others did not do is theirs alone. A
    pilot of which nothing landed tells that the rest would fail too.
    """
    if state.pilot is None or state.released:
        return Stage.WORK, ""
    if state.rejected:
        return Stage.CANCELLED, f"the pilot was rejected: {state.rejected}"
    if approval:
        return Stage.APPROVAL, ""
    if state.pilot.landed:
        return Stage.WORK, ""
    why = state.pilot.undone[0] if state.pilot.undone else "nothing says why"
    return Stage.STOPPED, f"no task of the pilot landed, so the rest was not started: {why}"
