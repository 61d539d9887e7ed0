"""Every command that repository content can influence runs here.

bubblewrap with namespaces of its own, no network but its own loopback, an empty environment, a
system call filter and limits; paths inside are constant. A worker that is root drops to a tool uid
first: bubblewrap as real root contains nothing. The drop also means that sources below /root could
not be reached, so they are bound to a place everyone can pass, in a private mount namespace.
Two runs of one job share nothing but the job's writable mounts.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

from activities.adapters import escape
from activities.adapters.bubblewrap import contained, limits, staging
from activities.adapters.jobs import Ended, Job, Mount, SandboxFailed, SandboxUnavailable
from activities.adapters.orphans import Lifeline
from activities.adapters.process import Capture, Process
from activities.adapters.room import check_room
from activities.adapters.rootfs import system_mounts
from activities.adapters.secret_values import redacted
from activities.adapters.unconfined import unconfined

__all__ = [
    "Ended",
    "Job",
    "Mount",
    "Sandbox",
    "SandboxFailed",
    "SandboxUnavailable",
    "detect",
    "system_mounts",
    "tool_ids",
]

Level = Literal["strict", "container", "none"]
TOOL_IDS = (63500, 63500)
"""Whom commands run as when the worker is root and no other uid is set."""
_HOST_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_Result = TypeVar("_Result")


class Sandbox:
    """Runs jobs at one level; see `detect` for one that is known to hold."""

    def __init__(
        self, level: Level, tool_ids: tuple[int, int] | None, lifelines: Path | None = None
    ) -> None:
        """`lifelines` is where a sweep looks for what a dead worker left running."""
        root = os.geteuid() == 0
        if root and level != "none" and (tool_ids is None or 0 in tool_ids):
            raise SandboxUnavailable(
                "the worker is root and no tool uid is set: set WHIMBREL_TOOL_UID to a uid other "
                "than 0 that owns nothing, or start the worker as a plain user"
            )
        self.level = level
        self.tool_ids = tool_ids if root and level != "none" else None
        self._lifelines = lifelines

    async def run(self, job: Job, beat: Callable[[], None] | None = None) -> Ended:
        """Run to the end, calling `beat` every second; whatever happens, nothing stays alive.

        Raises SandboxFailed when the command could not be started at all, and OSError where a file
        system that it may write to is full: then nobody knows what became of what it wrote.
        """
        if any(mount.changes for mount in job.mounts) and not self._stages:
            raise SandboxFailed("this host gives commands no mounts of their own")
        started = time.monotonic()
        capture = Capture(job.output_limit)
        with contextlib.ExitStack() as held:
            process = self._start(job, capture, held)
            if job.talks:
                job.talks.close()
            try:
                reason = await process.watch(job, beat)
            finally:
                code = await _to_the_end(process.end())
        check_room(*(mount.changes or mount.source for mount in job.mounts if mount.writable))
        said, truncated = capture.result()
        output = redacted(said, job.secrets.values())
        if reason == "exit" and self.level != "none" and not process.completed():
            text = output[-2000:].decode(errors="replace").strip()
            raise SandboxFailed(f"the sandbox did not start or was killed ({code}): {text}")
        if code < 0:
            code = 128 - code
        return Ended(
            exit=code if reason == "exit" else None,
            reason=reason,
            seconds=time.monotonic() - started,
            output=output,
            truncated=truncated,
        )

    async def self_test(self, *more: Mount) -> list[str]:
        """What a command, with `more` mounts, could do that it must not; empty when it holds."""

        async def run(job: Job) -> Ended:
            return await self.run(replace(job, mounts=(*job.mounts, *more)))

        try:
            return await escape.problems(run, self.hand_over, self.level)
        except SandboxFailed as failure:
            return [str(failure)]

    def hand_over(self, tree: Path) -> None:
        """Make a tree belong to whom commands run as. Blocking; links are not followed."""
        if self.tool_ids is None:
            return
        uid, gid = self.tool_ids
        for _, folders, names, fd in os.fwalk(tree, follow_symlinks=False):
            os.chown(fd, uid, gid)
            for name in (*folders, *names):
                os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)

    def _start(self, job: Job, capture: Capture, held: contextlib.ExitStack) -> Process:
        talks = job.talks.fileno() if job.talks else None
        if self.level == "none":
            scratch = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="whimbrel-")))
            marker = f"{self._lifeline.mark()}{uuid.uuid4().hex}"
            argv, env, cwd = unconfined(job, scratch, marker)
            command = [*limits(job), *argv]
            return Process(
                command,
                env=env,
                cwd=cwd,
                capture=capture,
                limit=job.output_kill,
                marker=marker,
                talks=talks,
            )
        with contextlib.ExitStack() as ours:
            keep: list[int] = []

            def given(content: bytes) -> str:
                keep.append(_memory_file(content))
                ours.callback(os.close, keep[-1])
                return str(keep[-1])

            report, theirs = os.pipe2(os.O_CLOEXEC)
            ours.callback(os.close, theirs)
            keep.append(theirs)
            unstarted = ours.enter_context(contextlib.ExitStack())
            unstarted.callback(os.close, report)
            process = Process(
                contained(
                    job,
                    self.level,
                    self.tool_ids,
                    self._stages,
                    given,
                    theirs,
                    self._lifeline.mark(),
                ),
                env=_HOST_ENV,
                cwd="/",
                capture=capture,
                limit=job.output_kill,
                keep=keep,
                status=report,
                talks=talks,
            )
            unstarted.pop_all()
            return process

    def close(self) -> None:
        """For the end of a worker, when nothing runs any more."""
        self._lifeline.close()

    @cached_property
    def _lifeline(self) -> Lifeline:
        return Lifeline(self._lifelines)

    @cached_property
    def _stages(self) -> bool:
        # Root in a container without CAP_SYS_ADMIN cannot; its sources must be reachable then.
        if self.level == "none":
            return False
        probe = [*staging(root=self.tool_ids is not None), "true"]
        ended = subprocess.run(probe, env=_HOST_ENV, capture_output=True, check=False)
        return ended.returncode == 0


def tool_ids(tool_uid: int | None) -> tuple[int, int]:
    """Whom commands run as when the worker is root; `tool_uid`: as WHIMBREL_TOOL_UID says."""
    return TOOL_IDS if tool_uid is None else (tool_uid, tool_uid)


async def detect(
    level: str,
    tool_uid: int | None = None,
    *,
    allow_unsandboxed: bool = False,
    lifelines: Path | None = None,
) -> Sandbox:
    """A sandbox of this level that has passed its escape test, or SandboxUnavailable."""
    if level not in ("strict", "container", "none"):
        raise SandboxUnavailable(f"sandbox: {level} is not one of strict, container, none")
    if level == "none":
        if not allow_unsandboxed:
            raise SandboxUnavailable(
                "sandbox: none runs commands with the worker's own rights; to allow that on this "
                "host set WHIMBREL_ALLOW_UNSANDBOXED=1"
            )
        return Sandbox("none", None, lifelines)
    needed = ("bwrap", "setpriv", "prlimit", "choom", "unshare", "mount", "bash")
    missing = [name for name in needed if not shutil.which(name, path=_HOST_ENV["PATH"])]
    if missing:
        raise SandboxUnavailable(
            f"not found: {', '.join(missing)}. Install bubblewrap 0.8 or newer and util-linux "
            "(Debian, Ubuntu: apt-get install bubblewrap util-linux), or set sandbox to none and "
            "WHIMBREL_ALLOW_UNSANDBOXED=1 to run commands unprotected"
        )
    sandbox = Sandbox(level, tool_ids(tool_uid), lifelines)
    if problems := await sandbox.self_test():
        weaker = "sandbox: container may work inside a container; " if level == "strict" else ""
        raise SandboxUnavailable(
            f"the {level} sandbox does not hold here: {'; '.join(problems)}. {weaker}sandbox: none "
            "with WHIMBREL_ALLOW_UNSANDBOXED=1 runs commands unprotected"
        )
    return sandbox


def _memory_file(content: bytes) -> int:
    fd = os.memfd_create("whimbrel")
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


async def _to_the_end(ending: Coroutine[None, None, _Result]) -> _Result:
    """Finish even when cancelled meanwhile, and only then let the cancellation through."""
    task, cancelled = asyncio.ensure_future(ending), False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()
        raise asyncio.CancelledError
    return task.result()
