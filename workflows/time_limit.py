"""`limits.days`: how long a migration may be at work. Pure.

Time counts while tasks may run: not in a pause, nor while a person's approval is waited for. When
it is over no task is begun; what has asked to land still lands, all else ends as in a cancel.
"""

from datetime import timedelta

from activities.contracts.migration import MigrationState, Stage
from activities.contracts.requests import MigrationOrder
from workflows import area_caps


def days(state: MigrationState, order: MigrationOrder) -> int:
    """The limit, as a person last said or else the spec; 0: none."""
    return state.limits.days or order.days


def is_over(state: MigrationState, order: MigrationOrder) -> bool:
    most = days(state, order)
    return bool(most) and state.worked >= timedelta(days=most).total_seconds()


def left(state: MigrationState, order: MigrationOrder) -> timedelta | None:
    """How long it may go on; None where nothing counts down."""
    most = days(state, order)
    if not most or stands_still(state) or is_over(state, order):
        return None
    return timedelta(days=most, seconds=-state.worked)


def stands_still(state: MigrationState) -> bool:
    """Whether people hold up all of it, or have to say that it may cost more."""
    held = state.paused or any(hold.target.startswith("area ") for hold in state.holds)
    unpaid = state.counts.unpaid > 0 and state.counts.running == 0
    broke = unpaid or area_caps.broke(state.counts) is not None
    return held or broke or state.stage is Stage.APPROVAL


def why(state: MigrationState, order: MigrationOrder) -> str:
    """What a migration that it ended says."""
    return (
        f"its time is over: {days(state, order)} days at work (limits.days); to go on with what is "
        "left, start it again with its spec"
    )
