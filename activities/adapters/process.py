"""One running command: bounded output, and a death that takes everything it started with it.

bubblewrap's monitor reports the pid of the namespace's first process; a pidfd on that one becomes
readable only after the kernel has killed and reaped every process of the namespace. So the order
is: kill the first process, wait for its pidfd, reap the monitor, read the output to its end.
asyncio's own subprocesses are not used: their wait() hangs when output was left unread, and a
cancelled start leaves a process nobody knows.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

from activities.adapters.jobs import Job, SandboxFailed
from activities.adapters.orphans import kill_marked

_BEAT = 1.0
_PATIENCE = 10.0
"""Seconds the kernel gets to end processes it was told to kill."""
_CHUNK = 1 << 16


class Capture:
    """The head and the tail of a stream; the middle is counted and dropped."""

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0
        self.lines = 0

    def feed(self, chunk: bytes) -> None:
        """Take one chunk; memory stays below twice the limit."""
        self.total += len(chunk)
        self.lines += chunk.count(b"\n")
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def result(self) -> tuple[bytes, bool]:
        """What was kept, with a line where the cut is, and whether there is one."""
        tail = bytes(self._tail[-self._half :])
        cut = self.total - len(self._head) - len(tail)
        if cut <= 0:
            return bytes(self._head) + tail, False
        return b"%b\n... %d bytes cut ...\n%b" % (bytes(self._head), cut, tail), True


class Process:
    """A started command. Every instance must be ended with `end`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: dict[str, str],
        capture: Capture,
        limit: int,
        keep: Sequence[int] = (),
        status: int | None = None,
        marker: str = "",
        cwd: str | None = None,
        talks: int | None = None,
    ) -> None:
        """Starts it. `talks` is what it reads and writes, other than errors. `status` is the read
        end that bubblewrap reports to; without one, `marker` in the environment is how stray
        processes are found: see orphans.py."""
        if threading.current_thread() is not threading.main_thread():
            # The kernel ties --die-with-parent to the thread that forked.
            raise SandboxFailed("start sandboxes on the main thread's event loop only")
        self._loop = asyncio.get_running_loop()
        self._capture, self._limit, self._marker = capture, limit, marker
        self._stop, self._silent, self._gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._status, self._report, self._first = status, b"", -1
        self._output, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(theirs, True)
        try:
            self._popen = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL if talks is None else talks,
                stdout=theirs if talks is None else talks,
                stderr=theirs,
                start_new_session=True,
                pass_fds=tuple(keep),
            )
        except BaseException:
            os.close(self._output)
            raise
        finally:
            os.close(theirs)
        try:
            self._monitor = os.pidfd_open(self._popen.pid)
        except OSError:
            self._kill_group()
            self._popen.wait()
            os.close(self._output)
            raise
        self._loop.add_reader(self._monitor, self._exited)
        self._loop.add_reader(self._output, self._read_output)
        if status is not None:
            os.set_blocking(status, False)
            self._loop.add_reader(status, self._read_status)

    async def watch(self, job: Job, beat: Callable[[], None] | None) -> str:
        """Wait until it exits (`exit`) or must be ended (`timeout`, `output`); every second `beat`
        is called, and `job.printed` with how much it has printed."""
        deadline = self._loop.time() + job.timeout
        while True:
            left = deadline - self._loop.time()
            if left <= 0:
                return "timeout"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), min(left, _BEAT))
                return "output" if self._capture.total > self._limit else "exit"
            if beat:
                beat()
            if job.printed:
                job.printed(self._capture.total, self._capture.lines)

    async def end(self) -> int:
        """Kill what is left of it and return the monitor's exit code; all of it is dead then."""
        try:
            self._read_status()
            self._kill_first()
            if self._first < 0:
                self._kill_group()
            await self._wait(self._gone, self._kill_group)
            self._kill_group()  # its number is ours until the monitor is reaped
            self._popen.wait()
            self._read_status()
            await self._first_is_dead()
            await self._sweep()
            await self._wait(self._silent)
            return self._popen.returncode
        finally:
            self._close()

    def completed(self) -> bool:
        """Whether the command itself ran to its end, by the monitor's own report."""
        return b'"exit-code"' in self._report

    def _exited(self) -> None:
        self._loop.remove_reader(self._monitor)
        self._gone.set()
        self._stop.set()

    def _read_output(self) -> None:
        try:
            chunk = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._loop.remove_reader(self._output)
            self._silent.set()
            return
        self._capture.feed(chunk)
        if self._capture.total > self._limit:
            self._stop.set()

    def _read_status(self) -> None:
        if self._status is None:
            return
        try:
            chunk = os.read(self._status, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._loop.remove_reader(self._status)
            return
        self._report += chunk
        first, line, _ = self._report.partition(b"\n")
        if self._first < 0 and line:
            with contextlib.suppress(ProcessLookupError, json.JSONDecodeError, KeyError):
                self._first = os.pidfd_open(json.loads(first)["child-pid"])

    def _kill_first(self) -> None:
        if self._first >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    async def _first_is_dead(self) -> None:
        if self._first < 0:
            return
        dead = asyncio.Event()
        self._kill_first()
        self._loop.add_reader(self._first, dead.set)
        try:
            await self._wait(dead)
        finally:
            self._loop.remove_reader(self._first)

    async def _wait(
        self, event: asyncio.Event, otherwise: Callable[[], None] | None = None
    ) -> None:
        """Wait for what the kernel owes us; `otherwise` is tried once half of the time is over."""
        if otherwise:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), _PATIENCE / 2)
                return
            otherwise()
        try:
            await asyncio.wait_for(event.wait(), _PATIENCE)
        except TimeoutError:
            raise SandboxFailed("a killed command would not die; see its state in ps") from None

    async def _sweep(self) -> None:
        """Without a pid namespace: kill whoever carries the marker until nobody does."""
        deadline = self._loop.time() + _PATIENCE
        while self._marker and (strays := kill_marked(self._marker)):
            if self._loop.time() > deadline:
                raise SandboxFailed(f"processes outlive their command: {strays}")
            await asyncio.sleep(0.01)

    def _close(self) -> None:
        for fd in (self._output, self._monitor, self._status, self._first):
            if fd is not None and fd >= 0:
                self._loop.remove_reader(fd)
                os.close(fd)
