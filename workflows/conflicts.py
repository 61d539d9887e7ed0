"""What a conflict with the green tip buys, and what is told of it when nothing settles it. Pure.

The work was merged again from its recorded base already. Where the spec has a resolver it is tried
on the merge as git left it; else the ladder is climbed anew on the tip. What no resolver settles
goes back to what landed, and needs a person; the task's other files may land without it.
"""

from activities.contracts.climb import Climb, Work
from activities.contracts.conflict import Conflict

NAMED = 3


def after(conflict: Conflict, work: Work, resolver: str) -> Climb:
    """Where a task stands whose work conflicts; `resolver` is its kind, if there is one."""
    if not resolver:
        return Climb(base=conflict.tip, start=conflict.tip, anew=conflict)
    merged = work.model_copy(update={"commit": conflict.merged, "base": conflict.tip})
    return Climb(
        base=conflict.tip,
        start=conflict.merged,
        conflict=conflict,
        # A file that is in conflict under another name leaves no rest that could be told apart.
        otherwise=merged if set(conflict.paths) <= set(work.files) else None,
    )


def unsettled(conflict: Conflict, task: str) -> dict[str, str]:
    """path → why a person is needed, with both sides named."""
    why = f"{met(conflict, task)}, and no resolver settled it"
    return dict.fromkeys(conflict.paths, why)


def met(conflict: Conflict, task: str) -> str:
    """The conflict in one sentence."""
    others = ", ".join(change.named for change in conflict.landed[:NAMED]) or "the tip"
    if len(conflict.landed) > NAMED:
        others += f" and {len(conflict.landed) - NAMED} more"
    return f"{task} conflicts with {others}, which landed meanwhile"
