"""Long-lived child processes of a starter: started again when they die, gone when the starter is.

A child asks the kernel for its own death before it becomes the program (PR_SET_PDEATHSIG survives
exec), so kill -9 of the starter leaves nothing behind. It has a session of its own: Ctrl-C reaches
the starter only, which then stops its children in order.
"""

import asyncio
import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_LAUNCH = """\
import ctypes, os, sys
PR_SET_PDEATHSIG, SIGKILL = 1, 9
ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the starter was gone before its child had started")
os.execv(sys.argv[2], sys.argv[2:])
"""
QUICK = 10.0
"""A child that lived for less died at once."""
TOLERATED = 5
"""Deaths at once, in a row, after which its owner should say so to the person."""


class Child:
    """One supervised process; started from the main thread, to which the kernel ties its life."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        keep: tuple[int, ...] = (),
        died: Callable[[], None] = lambda: None,
    ) -> None:
        """`died`: told of each death that nobody asked for."""
        self._name = name
        self._command = tuple(command)
        self._log = log
        self._env = dict(env)
        self._keep = keep
        self._died = died
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._spawning: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._quick_deaths = 0
        self.deaths = 0

    @property
    def pid(self) -> int | None:
        """The live process; None while there is none."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if alive and self._process else None

    @property
    def trouble(self) -> str:
        """Why it does not stay up, with its last words; empty while it does."""
        if self._quick_deaths < TOLERATED:
            return ""
        return f"the {self._name} stops as soon as it is started:\n{self.last_words()}"

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - 16_384))
                tail = log.read().decode(errors="replace").splitlines()[-lines:]
            return "\n".join([*tail, f"(all of it: {self._log})"])
        return f"(nothing in {self._log})"

    async def start(self) -> None:
        """Starts it and keeps it running; one that was started is left as it is."""
        if self._keeper:
            return
        self._process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep_running())
        atexit.register(self._kill)

    async def stop(self, grace: float) -> None:
        """SIGTERM, then SIGKILL to its whole group when `grace` seconds were not enough."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._spawning:
            self._process = await self._spawning
        process = self._process
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), grace)
            except TimeoutError:
                pass
            finally:
                self._kill()
            await process.wait()
        atexit.unregister(self._kill)

    async def _keep_running(self) -> None:
        clock = asyncio.get_running_loop()
        while self._process:
            born = clock.time()
            await self._process.wait()
            self.deaths += 1
            self._died()
            self._quick_deaths = self._quick_deaths + 1 if clock.time() - born < QUICK else 0
            await asyncio.sleep(min(0.2 * 2**self._quick_deaths, 10.0))
            # `stop` awaits the task: a cancelled spawn would leave a process that nobody knows.
            self._spawning = asyncio.create_task(self._spawn())
            self._process = await asyncio.shield(self._spawning)
            self._spawning = None

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-S", "-c", _LAUNCH, str(os.getpid()), *self._command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                pass_fds=self._keep,
                start_new_session=True,
            )

    def _kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
