"""The sandbox with real bubblewrap and real processes: what a command can reach, and its death."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activities.adapters import seccomp
from activities.adapters.sandbox import (
    Ended,
    Job,
    Level,
    Mount,
    Sandbox,
    SandboxFailed,
    SandboxUnavailable,
    detect,
)
from tests.adapters import plain_user

ROOT = Path(__file__).parents[2]
DAEMONS = """\
import os, sys, time
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            time.sleep(600)
        os._exit(0)
open("/src/started", "w").close()
"""

SYSTEM_CALLS = """\
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
for call in ((101, 0, 0, 0, 0), (272, 0x10000000), (425, 1, 0), (250, 0, 0), (435, 0, 0)):
    print(errno.errorcode[ctypes.get_errno()] if libc.syscall(*call) < 0 else "ok")
for family in (16, 17, 38, 40, 1, 2):
    kind = socket.SOCK_RAW if family in (16, 17) else socket.SOCK_STREAM
    try:
        socket.socket(family, kind).close()
    except OSError as error:
        print(errno.errorcode[error.errno])
    else:
        print("ok")
"""


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


@pytest.fixture
def tree(tmp_path: Path, sandbox: Sandbox) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    sandbox.hand_over(folder)
    return folder


@pytest.fixture
def marker() -> str:
    return f"marker-{uuid.uuid4().hex}"


def job(tree: Path, script: str, *mounts: Mount, **options: Any) -> Job:
    everything = (Mount(tree, "/src", writable=True), *mounts)
    return Job(("bash", "-c", script), everything, **({"env": {}, "timeout": 30.0} | options))


async def said(sandbox: Sandbox, tree: Path, script: str, *mounts: Mount, **options: Any) -> str:
    ended = await sandbox.run(job(tree, script, *mounts, **options))
    return ended.output.decode()


def alive(marker: str) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in another process
            await asyncio.sleep(0.01)


async def test_the_escape_test_holds(sandbox: Sandbox) -> None:
    assert await sandbox.self_test() == []


async def test_the_escape_test_names_what_an_unprotected_command_can_do() -> None:
    problems = await Sandbox("none", None).self_test()
    text = "\n".join(problems)
    for escape in ("could be written in", "loopback answers", "environment of the host", "killed"):
        assert escape in text


async def test_the_container_level_holds_too() -> None:
    assert (await detect("container")).level == "container"


async def test_root_without_a_tool_uid_is_refused() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with pytest.raises(SandboxUnavailable, match="tool uid"):
        Sandbox("strict", None)


async def test_no_sandbox_needs_to_be_allowed() -> None:
    with pytest.raises(SandboxUnavailable, match="WHIMBREL_ALLOW_UNSANDBOXED"):
        await detect("none")


async def test_the_exit_code_and_the_output_pass_through(sandbox: Sandbox, tree: Path) -> None:
    ended = await sandbox.run(job(tree, "echo out; echo err >&2; exit 7"))
    assert (ended.exit, ended.reason, ended.output) == (7, "exit", b"out\nerr\n")
    assert (await sandbox.run(job(tree, "kill -9 $$"))).exit == 128 + 9


async def test_a_command_that_cannot_be_started_is_a_failure_of_its_own(
    sandbox: Sandbox, tree: Path
) -> None:
    with pytest.raises(SandboxFailed, match="/src/gone"):
        await sandbox.run(job(tree, "true", cwd="/src/gone"))
    with pytest.raises(SandboxFailed, match="nowhere"):
        await sandbox.run(job(tree, "true", Mount(tree / "nowhere", "/args")))


async def test_the_environment_is_what_was_given_and_nothing_else(
    sandbox: Sandbox, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "canary-in-the-worker")
    script = "cat /proc/*/environ | tr '\\0' '\\n'; env; cat /proc/*/cmdline"
    text = await said(sandbox, tree, script, env={"GIVEN": "yes"})
    assert "GIVEN=yes" in text
    assert "canary" not in text
    worker = {f"{name}={value}" for name, value in os.environ.items() if len(value) > 12}
    assert not worker & set(text.splitlines())


async def test_no_file_descriptor_of_the_worker_is_open_inside(
    sandbox: Sandbox, tree: Path
) -> None:
    # The shell holds the fourth while it lists the folder.
    text = await said(sandbox, tree, "cd /proc/$$/fd; echo *; readlink 0")
    assert text == "0 1 2 3\n/dev/null\n"


async def test_the_network_is_a_working_loopback_and_no_more(sandbox: Sandbox, tree: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        script = f"""
        (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo host reached
        (exec 3<>/dev/tcp/192.0.2.1/80) 2>&1 | grep -om1 'Network is unreachable'
        /usr/bin/python3 - <<'CODE'
import socket, threading
server = socket.create_server(("localhost", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"inner")).start()
print(socket.create_connection(server.getsockname()).recv(9).decode())
CODE
        """
        assert await said(sandbox, tree, script) == "Network is unreachable\ninner\n"


async def test_only_the_tree_and_the_fresh_folders_can_be_written(
    sandbox: Sandbox, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    script = """
    for folder in /src /tmp /dev/shm "$HOME" / /etc /usr /usr/bin /dev /proc/sys/kernel /shared; do
      (: > $folder/core_pattern) 2>/dev/null && echo $folder
    done
    """
    text = await said(sandbox, tree, script, Mount(tmp_path / "shared", "/shared"))
    assert text.split() == ["/src", "/tmp", "/dev/shm", "/home/agent"]
    assert (tree / "core_pattern").exists()


async def test_what_a_command_writes_belongs_to_the_tool_uid(sandbox: Sandbox, tree: Path) -> None:
    await said(sandbox, tree, "touch made")
    uid = sandbox.tool_ids[0] if sandbox.tool_ids else os.geteuid()
    assert (tree / "made").stat().st_uid == uid
    assert await said(sandbox, tree, "id -un; echo ~") == "agent\n/home/agent\n"


async def test_a_source_below_a_private_folder_is_reachable(
    sandbox: Sandbox, tree: Path, tmp_path: Path
) -> None:
    private = tmp_path / "private"
    (private / "git").mkdir(parents=True)
    (private / "git" / "HEAD").write_text("ref")
    (tree / ".git").mkdir()
    private.chmod(0o700)
    git = Mount(private / "git", "/src/.git")
    assert await said(sandbox, tree, "cat .git/HEAD; touch .git/x 2>/dev/null", git) == "ref"


async def test_nothing_survives_a_timeout(sandbox: Sandbox, tree: Path, marker: str) -> None:
    script = f"/usr/bin/python3 -c '{DAEMONS}' {marker} & sleep 600"
    ended = await sandbox.run(job(tree, script, timeout=1.5))
    assert (ended.exit, ended.reason) == (None, "timeout")
    assert (tree / "started").exists()
    assert alive(marker) == []


@pytest.mark.parametrize("level", ["strict", "none"])
async def test_daemons_do_not_survive_the_command(level: Level, tree: Path, marker: str) -> None:
    sandbox = await detect(level, allow_unsandboxed=True)
    ended = await sandbox.run(job(tree, f"/usr/bin/python3 -c '{DAEMONS}' {marker}"))
    assert ended.exit == 0
    assert alive(marker) == []


async def test_cancelling_kills_everything_and_is_passed_on(
    sandbox: Sandbox, tree: Path, marker: str
) -> None:
    script = f"/usr/bin/python3 -c '{DAEMONS}' {marker}; sleep 600"
    running = asyncio.create_task(sandbox.run(job(tree, script)))
    await until((tree / "started").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert alive(marker) == []


async def test_cancelling_at_any_moment_leaves_nothing(
    sandbox: Sandbox, tree: Path, marker: str
) -> None:
    for delay in range(0, 40, 2):
        script = f"(setsid sleep 600 &) ; sleep 600 # {marker}"
        running = asyncio.create_task(sandbox.run(job(tree, script)))
        await asyncio.sleep(delay / 1000)
        running.cancel()
        await asyncio.wait([running])
        assert alive(marker) == []


async def test_nothing_survives_kill_9_of_the_worker(
    tmp_path: Path, sandbox: Sandbox, tree: Path, marker: str
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from activities.adapters.sandbox import Job, Mount, Sandbox\n"
        f"tree = Mount(Path({str(tree)!r}), '/src', True)\n"
        "job = Job(('bash', '-c', sys.argv[1]), (tree,), {})\n"
        f"asyncio.run(Sandbox('strict', {sandbox.tool_ids}).run(job))\n"
    )
    script = f"/usr/bin/python3 -c '{DAEMONS}' {marker}; sleep 600"
    process = await asyncio.create_subprocess_exec(
        sys.executable, worker, script, env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    )
    await until((tree / "started").exists)
    process.kill()
    await process.wait()
    await until(lambda: not alive(marker))


async def test_a_flood_of_output_is_bounded_and_killed(sandbox: Sandbox, tree: Path) -> None:
    ended = await sandbox.run(job(tree, "yes", output_limit=1 << 16, output_kill=8 << 20))
    assert (ended.exit, ended.reason, ended.truncated) == (None, "output", True)
    assert len(ended.output) < (1 << 16) + 100


async def test_head_and_tail_of_long_output_are_kept(sandbox: Sandbox, tree: Path) -> None:
    ended = await sandbox.run(job(tree, "seq 1 100000", output_limit=2000))
    assert ended.output.startswith(b"1\n2\n")
    assert ended.output.endswith(b"\n100000\n")
    assert b" bytes cut ..." in ended.output
    assert ended.exit == 0


async def test_a_fork_bomb_is_contained(sandbox: Sandbox, tree: Path, marker: str) -> None:
    bomb = f"b() {{ b | b & }}; b; sleep 600 # {marker}"
    exploding = asyncio.create_task(sandbox.run(job(tree, bomb, processes=64, timeout=2.0)))
    beside = await sandbox.run(job(tree, "for i in 1 2 3 4 5; do (true) & done; wait; echo fine"))
    assert beside.output == b"fine\n"
    assert (await exploding).reason == "timeout"
    assert alive(marker) == []


async def test_memory_and_file_size_are_limited(sandbox: Sandbox, tree: Path) -> None:
    hungry = "/usr/bin/python3 -c 'bytearray(1 << 29)'"
    ended = await sandbox.run(job(tree, hungry, memory=1 << 28))
    assert ended.exit == 1
    assert b"MemoryError" in ended.output
    large = await sandbox.run(job(tree, "head -c 2000000 /dev/zero > big", file_size=1_000_000))
    assert large.exit != 0
    assert (tree / "big").stat().st_size == 1_000_000


async def test_refused_system_calls_say_eperm(sandbox: Sandbox, tree: Path) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers in this test are x86_64's")
    text = await said(sandbox, tree, f"/usr/bin/python3 - <<'CODE'\n{SYSTEM_CALLS}\nCODE")
    assert text.split() == [*["EPERM"] * 4, "ENOSYS", "ok", *["EPERM"] * 3, "ok", "ok"]


def test_every_known_machine_has_a_filter() -> None:
    for machine in ("x86_64", "aarch64"):
        assert len(seccomp.program(machine)) % 8 == 0
    with pytest.raises(LookupError, match="riscv64"):
        seccomp.program("riscv64")


async def test_forty_commands_at_once(sandbox: Sandbox, tree: Path) -> None:
    async def one(number: int) -> Ended:
        return await sandbox.run(job(tree, f"echo {number} > {number}; exit {number}"))

    ended = await asyncio.gather(*(one(number) for number in range(40)))
    assert [e.exit for e in ended] == list(range(40))
    assert all((tree / str(number)).exists() for number in range(40))


async def test_the_caller_is_called_about_every_second(sandbox: Sandbox, tree: Path) -> None:
    beats: list[float] = []
    await sandbox.run(job(tree, "sleep 2.5"), lambda: beats.append(time.monotonic()))
    assert len(beats) == 2


async def test_a_beat_that_raises_ends_the_command(
    sandbox: Sandbox, tree: Path, marker: str
) -> None:
    def beat() -> None:
        raise RuntimeError("the caller is done")

    with pytest.raises(RuntimeError, match="done"):
        await sandbox.run(job(tree, f"sleep 600 # {marker}"), beat)
    assert alive(marker) == []


async def test_a_monitor_killed_from_outside_is_a_failure_and_leaves_nothing(
    sandbox: Sandbox, tree: Path, marker: str
) -> None:
    running = asyncio.create_task(sandbox.run(job(tree, f"touch started; sleep 600 # {marker}")))
    await until((tree / "started").exists)
    os.kill(min(alive(marker)), signal.SIGKILL)
    with pytest.raises(SandboxFailed, match="killed"):
        await running
    assert alive(marker) == []


def test_a_worker_that_is_a_plain_user_needs_no_tool_uid() -> None:
    plain_user.needed()
    script = (
        "import asyncio\nfrom activities.adapters.sandbox import detect\n"
        "print((asyncio.run(detect('strict'))).tool_ids)\n"
    )
    answer = subprocess.run(
        [*plain_user.PYTHON, "-c", script],
        env=plain_user.ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "None\n"
