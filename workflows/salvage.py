"""What can be saved of work that is not good enough: the files that are bad are put back to the
base, the rest is checked again. Whatever is put back is remembered with its reason.
"""

from collections.abc import Collection

from temporalio import workflow

from activities.checks import ChecksActivities
from activities.contracts.children import TaskInput
from activities.contracts.climb import Work
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.work import PutBack
from activities.contracts.work_requests import PutBackFiles, RunChecks
from activities.integration import IntegrationActivities
from workflows import attempts
from workflows.file_requests import FileRequests
from workflows.guided import Guided
from workflows.options import GIT, VERIFY


class Salvage:
    """One task's files that were put back, and how more are; lives inside its workflow run."""

    def __init__(self, task: TaskInput, files: FileRequests, guided: Guided) -> None:
        self._in = task
        self._files = files
        self._guided = guided
        self.put_back = dict(task.state.put_back) if task.state else {}
        """path → why it was put back to the base."""

    async def check(self, commit: str, base: str) -> Evidence:
        """The task's checks on a clean checkout; not while it is paused."""
        self._guided.may_go_on()
        task = self._files.order.task
        workflow.set_current_details("its checks run, or wait for their turn")
        return await workflow.execute_activity_method(
            ChecksActivities.run_checks,
            RunChecks(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=self._in.phase,
                commit=commit,
                compare_with=base,
                base=self._in.base,
                moment=Moment.TASK,
                paths=task.may_change,
                mends=(task.mends,) if task.mends else (),
            ),
            summary="task checks",
            **VERIFY,
        )

    async def save(self, red: Work) -> Work | None:
        """Puts back what the failing results name, else searches by halves; lands the rest.

        Returns green work, or None when nothing of it is good.
        """
        work: Work | None = red
        while work and not work.green:
            bad = attempts.blamed(work.evidence, work.files)
            if not bad:
                return await self._search(work)
            reasons = {path: attempts.why(work.evidence, path) for path in bad}
            work = await self.without(work, reasons)
        return work

    async def without(self, work: Work | None, bad: dict[str, str]) -> Work | None:
        """The work with these files (path → why) put back to its base, checked again. None: there
        is none that could do without them."""
        self.put_back.update(bad)
        if work is None:
            return None
        rest = tuple(path for path in work.files if path not in bad)
        if not rest:
            return None
        commit = await self.restore(work.commit, work.base, bad)
        return work.model_copy(
            update={
                "commit": commit,
                "files": rest,
                "left": tuple(path for path in work.left if path not in bad),
                "evidence": await self.check(commit, work.base),
            }
        )

    async def _search(self, red: Work) -> Work | None:
        """Bisects over the changed files: keeps every half that is green on top of the kept."""
        kept: list[str] = []
        best: Work | None = None
        pending = [list(half) for half in attempts.halves(red.files)]
        while pending:
            part = pending.pop(0)
            trial = {*kept, *part}
            rest = [path for path in red.files if path not in trial]
            commit = await self.restore(red.commit, red.base, rest)
            evidence = await self.check(commit, red.base)
            if evidence.passed:
                kept.extend(part)
                found = {
                    "commit": commit,
                    "files": tuple(sorted(kept)),
                    "left": tuple(path for path in red.left if path in trial),
                    "evidence": evidence,
                }
                best = red.model_copy(update=found)
            elif len(part) > 1:
                pending[:0] = [list(half) for half in attempts.halves(part)]
        reason = attempts.why(red.evidence)
        self.put_back.update({path: reason for path in red.files if path not in kept})
        return best

    async def restore(self, commit: str, base: str, paths: Collection[str]) -> str:
        """A commit with these paths as they are in the base."""
        if not paths:
            return commit
        restored = await workflow.execute_activity_method(
            IntegrationActivities.put_back,
            PutBackFiles(
                name=self._in.name,
                repository=self._in.repository,
                task=self._files.order.task.id,
                commit=commit,
                base=base,
                paths=tuple(sorted(paths)),
                when=int(workflow.time()),
            ),
            summary=f"put back {len(paths)} files",
            **GIT,
        )
        return restored.commit

    def landed(self, files: tuple[str, ...]) -> None:
        """What landed after all (a later rung mended it) is not put back."""
        self.put_back = {p: r for p, r in self.put_back.items() if p not in files}

    def put_back_files(self) -> tuple[PutBack, ...]:
        return tuple(PutBack(path=p, reason=r) for p, r in sorted(self.put_back.items()))
