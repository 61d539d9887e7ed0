"""Programs of agents as command rungs, by small scripts in their place: what they may have, what is
known of them while they run, and what is kept of them however they end."""

import asyncio
import socket
from pathlib import Path

import pytest

from activities.adapters.agent_programs import AgentRefused
from activities.adapters.doing import fresh_slate
from activities.adapters.harvest import HostileTree
from activities.adapters.hubs import Hubs
from activities.adapters.rungs import Climb, Climbed
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.workspaces import WorkspacePaths
from activities.contracts.plan import Task
from activities.contracts.repository import Repository
from activities.contracts.work import RungRun, Workspace
from activities.contracts.work_requests import OpenWorkspace, RunRung
from activities.workspace import WorkspaceActivities
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import Executable, git
from tests.service import eventually
from workflows.attempts import outcome_of

SPEC = """\
sites: {include: ["/src/**"]}
checks: {unit: {run: "true"}}
ladder: [{command: RUNG}]
"""
TOLD = '{"type": "result", "subtype": "success", "num_turns": 2, "total_cost_usd": 0.5, "result": '
TASK = Task(id="c1-0001", title="Tidy up", claims=("src/a.py",))
CANARY = "canary-8f1c2b77"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


class Bench:
    """A workspace in which a fake `claude` is the agent."""

    def __init__(
        self,
        root: Path,
        sandbox: Sandbox,
        script: str,
        more: str = "",
        reaches: tuple[str, ...] = (),
    ) -> None:
        files = {"src/a.py": "old\n", "bin/claude": Executable(f"#!/bin/bash\n{script}\n")}
        rung = f'{{run: [bin/claude, -p, "{{prompt}}"], timeout: 3s{more}}}'
        self.host: OneHost = one_host(
            root, sandbox, SPEC.replace("RUNG", rung), files, reaches=reaches
        )
        (root / "secrets").mkdir()
        (root / "secrets/KEY").write_text(CANARY)
        host = self.host
        self.paths: WorkspacePaths = host.workspaces.open(
            host.hub.path, migration="m", task=TASK.id, attempt="0-1-0", base=host.commit,
            start=host.commit, claims=TASK.claims, token="t",
        )  # fmt: skip
        self.request = RunRung(
            workspace=Workspace(
                migration="m", repository=host.hub.path.stem, task=TASK.id, attempt="0-1-0",
                host="h", queue="q", base=host.commit, start=host.commit,
            ),
            spec=host.blobs.put_model("m", host.spec), phase=host.spec.phases[0].name, rung=0,
            task=TASK, when=1,
        )  # fmt: skip
        self.activities = WorkspaceActivities(
            host.blobs, Hubs(host.hub.path.parent), host.workspaces, host.rungs, host.checkpoints,
            "h", "q",
        )  # fmt: skip

    async def climb(self) -> Climbed:
        host, phase = self.host, self.host.spec.phases[0]
        climb = Climb(host.spec, phase, 0, TASK, host.commit, host.hub)
        return await host.rungs.run(climb, self.paths)

    async def run(self) -> RungRun:
        """The activity, harvest and all."""
        return await self.activities.run_rung(self.request)

    def open_another(self) -> Workspace:
        """As the workflow does when the first one is lost."""
        host = self.host
        return self.activities.open_workspace(
            OpenWorkspace(
                name="m", repository=Repository(url="/x", id=host.hub.path.stem), task=TASK.id,
                attempt="0-1-1", base=host.commit, start=host.commit, claims=TASK.claims,
            )
        )  # fmt: skip

    def kept(self, path: str) -> bytes:
        ref = "refs/whimbrel/host/h/m/c1-0001/0-1-0"
        return git(self.host.hub.path, "show", f"{ref}:{path}")


async def test_an_agent_has_its_prompt_no_input_and_says_what_it_did(
    sandbox: Sandbox, tmp_path: Path
):
    script = f"""\
read -t 5 line; echo "read: $?"
echo new > src/a.py
printf '%s"%s"}}\\n' '{TOLD}' "$(echo "$2" | grep -c Objective) objective"
"""
    bench = Bench(tmp_path, sandbox, script)
    ran = await bench.run()
    assert "read: 1" in ran.run.tail
    assert ran.allowed
    assert ran.run.said
    assert (ran.run.said.agent, ran.run.said.turns, str(ran.run.said.usd)) == ("claude", 2, "0.5")
    assert ran.run.said.summary == "1 objective"
    assert outcome_of(ran) == "changed"


async def test_an_agent_that_says_it_failed_has_failed_whatever_its_exit(
    sandbox: Sandbox, tmp_path: Path
):
    told = TOLD.replace("success", "error_max_turns")
    bench = Bench(tmp_path, sandbox, f"echo half > src/a.py; echo '{told}\"\"}}'")
    ran = await bench.run()
    assert (ran.run.exit, ran.allowed) == (0, False)
    assert ran.run.said
    assert ran.run.said.error == "turns"
    assert outcome_of(ran) == "failed_changed"
    assert bench.kept("src/a.py") == b"half\n"


@pytest.mark.parametrize(
    ("end", "exit", "ended"),
    [("kill -9 $$", 137, "exit"), ("sleep 60", None, "timeout"), ("yes", None, "output")],
)
async def test_what_was_done_is_kept_however_the_agent_ends(
    sandbox: Sandbox, tmp_path: Path, end: str, exit: int | None, ended: str
):
    script = f"echo half > src/a.py; (sleep 600 &); {end}"
    bench = Bench(tmp_path, sandbox, script)
    ran = await bench.run()
    assert (ran.run.exit, ran.run.ended, ran.allowed) == (exit, ended, False)
    assert bench.kept("src/a.py") == b"half\n"


async def test_what_was_done_is_kept_when_the_task_is_cancelled(sandbox: Sandbox, tmp_path: Path):
    bench = Bench(tmp_path, sandbox, "echo half > src/a.py; sleep 600")
    running = asyncio.create_task(bench.run())

    async def begun() -> bool:
        return (bench.paths.tree / "src/a.py").read_text() == "half\n"

    await eventually(begun)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.kept("src/a.py") == b"half\n"


async def test_what_was_done_is_kept_when_the_worker_dies(sandbox: Sandbox, tmp_path: Path):
    bench = Bench(tmp_path, sandbox, "exit 0")
    (bench.paths.tree / "src/a.py").write_text("half\n")  # and then the worker was killed
    opened = bench.open_another()
    assert opened.attempt == "0-1-1"
    assert bench.kept("src/a.py") == b"half\n"
    tree = bench.host.workspaces.paths("m", TASK.id, "0-1-1").tree
    assert (tree / "src/a.py").read_text() == "old\n"
    assert not bench.paths.root.exists()


async def test_beats_say_what_an_agent_has_printed_and_changed(sandbox: Sandbox, tmp_path: Path):
    bench = Bench(tmp_path, sandbox, "echo one; echo new > src/a.py; sleep 600")
    words = fresh_slate()
    running = asyncio.create_task(bench.climb())

    async def told() -> bool:
        return "1 lines printed (4 bytes)" in " ".join(words)

    await eventually(told)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert words == []


KEY = ", network: [models], secrets: {API_KEY: secret:KEY}"


async def test_a_key_is_had_where_spec_and_worker_agree_and_is_never_told(
    sandbox: Sandbox, tmp_path: Path
):
    script = 'echo "key $API_KEY ${#API_KEY}"; tail -n +3 /proc/net/dev | wc -l'
    bench = Bench(tmp_path, sandbox, script, KEY, ("models",))
    ran = (await bench.climb()).ran
    interfaces = len(socket.if_nameindex())
    assert ran.output.decode() == f"key [secret] {len(CANARY)}\n{interfaces}\n"


@pytest.mark.parametrize(
    ("more", "reaches", "why"),
    [
        (KEY, (), "add it to WHIMBREL_AGENT_REACHES"),
        (KEY, ("others",), "the network models"),
        (
            KEY.replace("secret:KEY", "secret:NONE"),
            ("models",),
            "secret NONE is not on this worker",
        ),
    ],
)
async def test_without_the_workers_consent_nothing_runs(
    sandbox: Sandbox, tmp_path: Path, more: str, reaches: tuple[str, ...], why: str
):
    bench = Bench(tmp_path, sandbox, "echo ran > src/a.py", more, reaches)
    with pytest.raises(AgentRefused, match=why):
        await bench.climb()
    assert (bench.paths.tree / "src/a.py").read_text() == "old\n"


@pytest.mark.parametrize("leak", ['echo "# $API_KEY" > src/a.py', 'touch "x$API_KEY"'])
async def test_a_key_that_is_left_in_the_tree_is_committed_nowhere(
    sandbox: Sandbox, tmp_path: Path, leak: str
):
    bench = Bench(tmp_path, sandbox, leak, KEY, ("models",))
    with pytest.raises(HostileTree, match="holds a secret") as refused:
        await bench.run()
    assert CANARY not in str(refused.value)
    assert bench.host.hub.refs("refs/whimbrel/host/") == {}
