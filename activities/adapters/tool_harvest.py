"""What a batch of calls left in the workspace, kept as a checkpoint; what it must not be is told to
the model, which can still mend it.

A tracked file outside the claim is put back, for it would never land; damage to a claimed one is
the model's to mend. New files outside are left where they are, and not kept.
"""

from collections.abc import Sequence

from activities.adapters.checkpoints import Checkpoints
from activities.adapters.harvest import HostileTree
from activities.adapters.hub import Hub
from activities.adapters.toolbox import Batch
from activities.contracts.plan import Task
from activities.contracts.work import Checkpoint, Workspace

NAMED = 10
HOSTILE = "{}; remove it with `run`. Nothing that you do is kept while it is there"
OUTSIDE = (
    "put back, for they are not yours to change: {}. Ask for them with `request_files`, or report "
    "the places with `report_site`"
)
DAMAGE = (
    "damaged: {}. Mend it: `git show HEAD:PATH > PATH` in `run` puts a file back as it was before "
    "you began; what stays damaged does not land"
)
DROPPED = "[new files that are not yours to add, and are not kept: {}]"


class ToolHarvest:
    """Takes a checkpoint after each batch that may have changed something."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints

    def after(
        self, batch: Batch, hub: Hub, where: Workspace, task: Task, when: int
    ) -> Checkpoint | None:
        """The checkpoint, where there may be a change, a check is wanted or the work has ended;
        what is wrong with the tree joins the batch's last answer. Blocking. Raises WorkspaceGone,
        and OSError where the storage fails."""
        if not (batch.changed or batch.wants_check or batch.form):
            return None
        try:
            kept = self._checkpoints.harvest(hub, where, task, when, mend=True)
        except HostileTree as hostile:
            batch.spoil(HOSTILE.format(hostile))
            return None
        ends = getattr(batch.form, "status", "done") != "done"
        if kept.outside:
            batch.spoil(OUTSIDE.format(_some(kept.outside)))
        if kept.damage and not ends:
            batch.spoil(DAMAGE.format(_some(kept.damage, "; ")))
        if kept.dropped and "run" in batch.called and not batch.form:
            batch.add(DROPPED.format(_some(kept.dropped)))
        return kept


def _some(words: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return between.join(words[:NAMED]) + more
