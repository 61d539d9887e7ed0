"""What an attempt has done so far as one commit on its base, kept under the attempt's own ref.

A ref is written by one opening of a workspace alone, whose name no other ever has, and what a ref
left behind stays in the hub: so who comes back late moves nothing that anybody goes on from.
"""

from contextlib import suppress
from functools import partial

from activities.adapters.composing import one_line
from activities.adapters.harvest import HostileTree, harvest
from activities.adapters.hub import Hub
from activities.adapters.refs import attempt_ref
from activities.adapters.surveying import Surveyor
from activities.adapters.tree_files import put_back
from activities.adapters.waived import NOTHING_WAIVED, Waived
from activities.adapters.workspaces import LiveWorkspace, Workspaces, opened_with
from activities.contracts.base import CommitId
from activities.contracts.plan import Task
from activities.contracts.spec import MigrationSpec
from activities.contracts.work import Checkpoint, Workspace

ABANDONED = "what an attempt had done when its worker died"


class Checkpoints:
    """Takes them from the workspaces of this host."""

    def __init__(self, workspaces: Workspaces, surveyor: Surveyor) -> None:
        self._workspaces = workspaces
        self._surveyor = surveyor

    def take(
        self,
        hub: Hub,
        where: Workspace,
        task: Task,
        spec: MigrationSpec,
        phase: str,
        start: CommitId,
        when: int,
    ) -> Checkpoint:
        """Harvests, and counts the sites that are left where nothing has to run for it. `start`:
        what the attempt began from. Raises what harvest does."""
        kept = self.harvest(hub, where, task, when, waived=Waived(spec.integrity))
        scene = self._surveyor.scene(hub, spec, spec.phase(phase), kept.commit)
        left = self._surveyor.left_in(scene, task.claims)
        return kept.model_copy(
            update={
                "moved": kept.tree != hub.tree(start),
                "left": tuple(sorted(left)),
                "sites_left": sum(left.values()),
            }
        )

    def rescue(self, hub: Hub, host: str, left: LiveWorkspace) -> None:
        """Keeps what a workspace holds whose worker died, if it can be kept: its ref is what people
        find it by. Blocking."""
        with suppress(HostileTree, OSError):
            opened = opened_with(self._workspaces.paths(*left))
            where = Workspace(
                migration=left.migration,
                repository=hub.path.stem,
                task=left.task,
                attempt=left.attempt,
                host=host,
                queue="",
                base=opened.base,
                start=opened.start,
            )
            claims, creates = tuple(opened.claims), tuple(opened.creates)
            task = Task(id=left.task, title=ABANDONED, claims=claims, creates=creates)
            self.harvest(hub, where, task, opened.mark // 10**9)

    def harvest(
        self,
        hub: Hub,
        where: Workspace,
        task: Task,
        when: int,
        *,
        mend: bool = False,
        waived: Waived = NOTHING_WAIVED,
    ) -> Checkpoint:
        """The claimed files as one commit on the base: what may ask to land as it is. Made of the
        tree and the arguments alone: a second one makes the same commit.

        `mend` puts tracked files outside the claim back as they were; they are named all the same.
        """
        paths = self._workspaces.paths(where.migration, where.task, where.attempt)
        ref = attempt_ref(where.host, where.migration, task.id, where.attempt)
        kept = harvest(
            paths,
            hub=hub.path,
            base=where.base,
            start=where.start,
            claims=task.may_change,
            creates=task.creates,
            message=f"{task.id}: {one_line(task.title)}\n",
            when=when,
            ref=ref,
            waived=waived,
            mend=partial(put_back, paths.tree, owner=self._workspaces.tool_ids) if mend else None,
        )
        hub.publish(ref)
        return kept
