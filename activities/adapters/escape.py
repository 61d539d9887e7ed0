"""The escape test: a job that tries what no job may do, and what came of it.

It acts instead of asking for versions or messages: a write outside, a connection to a listening
port of the host, another process's environment, a signal to a process of the host. A probe that
does not reach its last line counts as a failure.
"""

import asyncio
import contextlib
import subprocess
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

from activities.adapters.jobs import Ended, Job, Mount

_LAST = "the probe has ended"
# Errors are expected at every step, so they are silenced; each line of output is an escape.
_PROBE = """\
exec 3>&1 2>/dev/null
touch /src/probe || echo 'the tree cannot be written' >&3
for folder in "$OUTSIDE" "" /usr /etc /dev; do
  file="$folder/whimbrel-$LEFT"
  ( : > "$file" ) && rm -f "$file" && echo "a file could be written in ${folder:-/}" >&3
done
[ -e "$OUTSIDE/secret" ] && echo 'a file of the host can be seen' >&3
( : >> /proc/sys/kernel/core_pattern ) && echo 'kernel.core_pattern is writable' >&3
( exec 4<>"/dev/tcp/127.0.0.1/$PORT" ) && echo "a port of the host's loopback answers" >&3
for file in /proc/[0-9]*/environ; do
  grep -q "$LEFT$RIGHT" "$file" && echo "an environment of the host can be read in $file" >&3
done
if [ "$PID" != "$$" ] && grep -q "$LEFT$RIGHT" "/proc/$PID/cmdline"; then
  kill -9 "$PID" && echo 'a process of the host could be killed' >&3
  [ "$LEVEL" = strict ] && echo 'processes of the host can be seen' >&3
fi
echo "$LAST" >&3
"""


async def problems(
    run: Callable[[Job], Awaitable[Ended]], hand_over: Callable[[Path], None], level: str
) -> list[str]:
    """Run the probe; one sentence for each thing it managed to do."""
    left, right = uuid.uuid4().hex, uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="whimbrel-") as folder, _victim(left + right) as victim:
        outside, tree = _folders(Path(folder))
        hand_over(tree)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            env = {
                "OUTSIDE": str(outside),
                "PORT": str(server.sockets[0].getsockname()[1]),
                "PID": str(victim.pid),
                "LEFT": left,
                "RIGHT": right,
                "LEVEL": level,
                "LAST": _LAST,
            }
            job = Job(("bash", "-c", _PROBE), (Mount(tree, "/src", True),), env, timeout=60)
            ended = await run(job)
        found = ended.output.decode(errors="replace").splitlines()
        if victim.poll() is not None and "a process of the host could be killed" not in found:
            found.insert(0, "a process of the host died")
    if not found or found.pop() != _LAST:
        found.append(f"the escape test did not run to its end ({ended.reason}, {ended.exit})")
    return found


def _folders(folder: Path) -> tuple[Path, Path]:
    outside, tree = folder / "outside", folder / "tree"
    outside.mkdir()
    tree.mkdir()
    (outside / "secret").touch()
    outside.chmod(0o777)  # only the sandbox stands between the probe and this folder
    folder.chmod(0o755)
    return outside, tree


@contextlib.contextmanager
def _victim(canary: str) -> Generator[subprocess.Popen[bytes]]:
    """A process of the worker's own user with the canary in its environment and arguments."""
    command = ["bash", "-c", "read -r line", canary]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env={"CANARY": canary}) as process:
        try:
            yield process
        finally:
            process.kill()
