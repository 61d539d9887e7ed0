"""The people's door against a real Temporal server and a scripted migration behind it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.adapters.blobs import BlobStore
from activities.adapters.embedded import Embedded
from activities.contracts.base import BlobRef, digest_of
from activities.contracts.commands import Command
from activities.contracts.migration import MigrationInput, MigrationResult, Progress, Stage
from activities.contracts.plan import Forecast, PhaseOutlook, Plan, PlanSummary, Task
from activities.contracts.report import MigrationReport
from activities.contracts.survey import Site, Survey, SurveyData
from activities.contracts.work import Handoff, PutBack, TaskStatus
from cli import asking, fleet_planning, planning, starting, tasks, telling, watching
from cli.boundary import Code, Refused
from cli.ledger import show_ledger
from cli.report import Format, report
from cli.session import read_settings
from cli.watching import Following
from workflows.options import CONTROL, SEARCH_ATTRIBUTES, migration_id

ROOT = Path(__file__).parent.parent
BASE, TIP = "b" * 40, "c" * 40
SPEC = """\
version: 1
name: NAME
repository: https://git.example.com/team/app.git
objective: Tests use bare asserts.
sites: {include: ["/tests/**/*.py"], find: {regex: 'self\\.assert\\w+\\('}}
split: directory
ladder: [{codemod: "sed -i s/a/b/ {files}"}]
environments: {tests: {requires: [sed]}}
checks: {unit: {run: "test -d tests"}}
"""


@workflow.defn(name="MigrationWorkflow")
class ScriptedMigration:
    """Waits for approval, then ends with a leftover; its blobs are there beforehand."""

    plan: BlobRef
    report: BlobRef

    @workflow.init
    def __init__(self, given: MigrationInput) -> None:
        self._given = given
        self._stage = Stage.APPROVAL

    @workflow.run
    async def run(self, given: MigrationInput) -> MigrationResult:
        if given.until == "plan":
            forecast = Forecast(waves=1, task_count=1, file_count=2, site_count=5, check_runs=3)
            plan = PlanSummary(plan=self.plan, phase="main", cycle=1, base=BASE, forecast=forecast)
            outlook = (PhaseOutlook(phase="main", plan=plan),)
            return MigrationResult(stage=Stage.PLAN, plan=plan, outlook=outlook)
        await workflow.wait_condition(lambda: self._stage is not Stage.APPROVAL)
        return MigrationResult(
            stage=self._stage,
            branch=f"whimbrel/{given.name}",
            tip=TIP,
            landed=3,
            leftovers=1,
            sites_left=2,
            report=self.report,
        )

    @workflow.query
    def progress(self) -> Progress:
        ended = self._stage is not Stage.APPROVAL
        return Progress(
            name=self._given.name,
            stage=self._stage,
            objective="Tests use bare asserts.",
            repository=self._given.repository.id,
            report=self.report if ended else None,
            waiting_for="" if ended else "the plan waits for a person's approval",
        )

    @workflow.update
    def approve(self, command: Command) -> str:
        assert command.actor
        self._stage = Stage.DONE_WITH_LEFTOVERS
        return "ok"

    @approve.validator
    def _may_approve(self, command: Command) -> None:
        if self._stage is not Stage.APPROVAL:
            raise ApplicationError("nothing waits for approval")

    @workflow.update
    def resume(self, command: Command) -> str:
        raise ApplicationError("it is not paused")


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A service as the environment names it: its state directory, a worker with the script."""
    home = tmp_path_factory.mktemp("home")
    embedded = Embedded(home / "server", SEARCH_ATTRIBUTES)
    server = await embedded.start()
    client = await Client.connect(server.address, data_converter=pydantic_data_converter)
    before = dict(os.environ)
    os.environ |= {"TEMPORAL_ADDRESS": server.address, "WHIMBREL_HOME": str(home)}
    async with Worker(
        client,
        task_queue=CONTROL,
        workflows=[ScriptedMigration],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield home
    os.environ.clear()
    os.environ |= before
    await embedded.stop()


@pytest.fixture
def spec(service: Path, request: pytest.FixtureRequest) -> Path:
    """A valid spec whose name is the test's own, with the blobs that the script answers with."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    path = service / f"{name}.yaml"
    path.write_text(SPEC.replace("NAME", name))
    read = starting.read_spec(path)
    task = Task(id="c1-0001", title="tests/unit", claims=("tests/a.py", "tests/b.py"), sites=5)
    made = Plan(
        migration=name,
        spec_digest=digest_of(read),
        base=BASE,
        phase="main",
        cycle=1,
        tasks=(task,),
    )
    back = PutBack(path="tests/b.py", reason="newly failing: tests.b::test_x")
    handoff = Handoff(
        task="c1-0001",
        status=TaskStatus.PARTIAL,
        landed=TIP,
        files=("tests/a.py",),
        put_back=(back,),
    )
    ended = MigrationReport(
        name=name,
        objective="Tests use bare asserts.",
        repository="app",
        base=BASE,
        branch=f"whimbrel/{name}",
        tip=TIP,
        outcome=Stage.DONE_WITH_LEFTOVERS,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:01:00+00:00",
        sites_at_start=5,
        sites_left=2,
        cycles=1,
        handoffs=(handoff,),
    )
    blobs = BlobStore(service / "blobs")
    ScriptedMigration.plan = blobs.put_model(name, made)
    ended = ended.model_copy(update=_surveyed(blobs, name, ScriptedMigration.plan))
    ScriptedMigration.report = blobs.put_model(name, ended)
    return path


def _surveyed(blobs: BlobStore, name: str, plan: BlobRef) -> dict[str, object]:
    """What the last survey and plan leave in a report: two sites in one file."""
    sites = (Site(path="tests/b.py", line=3), Site(path="tests/b.py", line=7))
    data = blobs.put_model(name, SurveyData(commit=TIP, phase="main", files=(), sites=sites))
    counts = {"files": 1, "sites": 2, "tracked_files": 2}
    forecast = Forecast(waves=1, task_count=1, file_count=2, site_count=5, check_runs=3)
    return {
        "survey": Survey(commit=TIP, phase="main", data=data, **counts),
        "plan": PlanSummary(plan=plan, phase="main", cycle=1, base=BASE, forecast=forecast),
    }


def reword(spec: Path, old: str = "bare asserts", new: str = "other words") -> None:
    spec.write_text(spec.read_text().replace(old, new))


NOT_WATCHED = Following(wanted=False)
FOLLOWED = Following(quiet=True)


async def start(spec: Path, saved: Path | None = None, following: Following = NOT_WATCHED) -> int:
    return await starting.start(spec, local=False, saved=saved, following=following)


async def tell(verb: str, name: str) -> int:
    said = telling.Said(verb, {"reason": "said in a test"})
    return await telling.tell(said, name, local=False)


async def until_listed(names: set[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The list that has them: it is eventually consistent, and prefixes are looked up in it."""
    async with asyncio.timeout(20):
        while True:
            capsys.readouterr()
            await asking.list_all(local=False, as_json=True)
            listed = json.loads(capsys.readouterr().out)
            if names <= {row["name"] for row in listed["migrations"]}:
                return listed


async def test_a_migration_is_started_approved_followed_and_read(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = spec.stem
    assert await start(spec) == Code.OK
    assert capsys.readouterr().out.strip() == migration_id(name)

    await until_listed({name}, capsys)
    assert await asking.status(name[:8], local=False, as_json=True) == Code.OK
    status = json.loads(capsys.readouterr().out)
    assert (status["schema"], status["stage"]) == ("whimbrel.status/1", "approval")
    with pytest.raises(Refused, match="no survey yet"):
        await show_ledger(name, local=False, as_json=False)
    assert "approval" in status["waiting_for"]

    assert await tell("approve", name) == Code.OK
    assert await watching.watch(name, local=False, following=FOLLOWED) == Code.NOT_DONE
    told = capsys.readouterr()
    assert "done with leftovers" in told.out
    assert "landed 3 tasks, sites left 2" in told.out
    assert "1 file needs a person" in told.out
    # It ends with what a person has to act on, and why.
    assert "c1-0001  tests/b.py" in told.out
    assert "newly failing: tests.b::test_x" in told.out

    # Of one that has ended, the report is read: the script's own progress knows no counts.
    assert await asking.status(name, local=False, as_json=True) == Code.OK
    assert json.loads(capsys.readouterr().out)["counts"]["landed"] == 1

    assert await report(name, False, Format.MARKDOWN, None) == Code.OK
    written = capsys.readouterr().out
    assert written.index("## Not done") < written.index("## Tasks")
    page = spec.with_name("report.html")
    assert await report(name, False, Format.HTML, page) == Code.OK
    assert (capsys.readouterr().out, page.read_text()[:15]) == ("", "<!DOCTYPE html>")
    assert await show_ledger(name, local=False, as_json=False) == Code.OK
    assert capsys.readouterr().out.splitlines() == [
        "path,sites,accepted,task,state,lines,owners",
        "tests/a.py,0,0,c1-0001,partial,,",
        "tests/b.py,2,0,c1-0001,partial,3 7,",
    ]
    assert await tasks.show(name, "c1", local=False, as_json=True) == Code.OK
    shown = json.loads(capsys.readouterr().out)
    assert shown["schema"] == "whimbrel.task/1"
    assert shown["put_back"][0]["path"] == "tests/b.py"


async def test_the_same_spec_joins_and_another_one_is_refused(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await start(spec) == Code.OK
    assert await start(spec) == Code.OK
    assert "joined" in capsys.readouterr().err
    reword(spec)
    with pytest.raises(Refused, match="another spec") as refused:
        await start(spec)
    assert refused.value.code is Code.REJECTED


async def test_yes_approves_the_plan_in_the_persons_name(spec: Path) -> None:
    following = Following(quiet=True, yes=True)
    assert await start(spec, following=following) == Code.NOT_DONE


async def test_waiting_too_long_is_told_apart_and_changes_nothing(spec: Path) -> None:
    await start(spec)
    with pytest.raises(Refused, match="goes on") as late:
        await watching.watch(spec.stem, False, Following(quiet=True, timeout=0.1))
    assert late.value.code is Code.TIMED_OUT
    assert await tell("approve", spec.stem) == Code.OK


async def test_what_the_workflow_refuses_is_said_with_its_reason(spec: Path) -> None:
    await start(spec, following=Following(quiet=True, yes=True))
    await start(spec)
    with pytest.raises(Refused, match="refused to resume: it is not paused") as refused:
        await tell("resume", spec.stem)
    assert refused.value.code is Code.REJECTED
    with pytest.raises(Refused, match="has no report yet"):
        await report(spec.stem, False, Format.MARKDOWN, None)


async def test_a_plan_is_shown_saved_and_refused_for_another_spec(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = spec.with_suffix(".json")
    made = fleet_planning.plan(spec, local=False, as_json=False, saved=saved, patience=30)
    assert await made == Code.OK
    shown = capsys.readouterr().out
    assert "tests/a.py" in shown
    assert "1 task, 2 files, 5 sites, 1 wave, about 3 check runs" in shown
    assert await start(spec, saved) == Code.OK
    reword(spec)
    with pytest.raises(Refused, match="made for another spec"):
        await start(spec, saved)


async def test_a_name_that_nothing_has_is_not_found(spec: Path) -> None:
    for verb in (asking.status("no-such", False, False), tell("approve", "no-such")):
        with pytest.raises(Refused, match="No migration is named 'no-such'") as refused:
            await verb
        assert refused.value.code is Code.NOT_FOUND
    await start(spec)
    with pytest.raises(Refused, match="'nothing' is no task of it"):
        await tasks.show(spec.stem, "nothing", local=False, as_json=False)


async def test_a_prefix_of_several_names_is_refused_and_the_list_has_them_all(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for letter in "xy":
        other = spec.with_name(f"twin-{letter}.yaml")
        other.write_text(SPEC.replace("NAME", other.stem))
        await start(other)
    listed = await until_listed({"twin-x", "twin-y"}, capsys)
    assert listed["schema"] == "whimbrel.list/1"
    with pytest.raises(Refused, match="several: twin-x, twin-y"):
        await asking.status("twin", local=False, as_json=False)


def starter(*words: str, home: Path) -> "subprocess.CompletedProcess[str]":
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "WHIMBREL_"))}
    env |= {"WHIMBREL_HOME": str(home), "TEMPORAL_CONFIG_FILE": str(home / "none.toml")}
    command = [sys.executable, str(ROOT / "starter.py"), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)


def test_help_loads_neither_the_engine_nor_models(tmp_path: Path) -> None:
    code = (
        "import sys, starter\n"
        "heavy = {'temporalio', 'anthropic', 'pydantic', 'rich', 'git', 'activities'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
    shown = starter("--help", home=tmp_path)
    assert shown.returncode == 0
    assert "demo" in shown.stdout


def test_a_broken_spec_is_exit_2_with_every_error_and_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "spec.yaml"
    broken.write_text(SPEC.replace("NAME", "Not A Name").replace("objective:", "objectiv:"))
    done = starter("validate", str(broken), home=tmp_path)
    assert done.returncode == Code.USAGE
    assert done.stdout == ""
    assert f"{broken}:2:" in done.stderr
    assert f"{broken}:4:" in done.stderr
    assert starter("validate", str(tmp_path / "none.yaml"), home=tmp_path).returncode == Code.USAGE


def test_without_any_temporal_the_way_out_is_named(tmp_path: Path) -> None:
    done = starter("status", "anything", home=tmp_path)
    assert done.returncode == Code.UNREACHABLE
    assert "--local" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("start", "SPEC", "--local", "--wait"), ("demo",)])
def test_a_state_directory_that_cannot_be_made_is_one_line(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    spec, home = tmp_path / "spec.yaml", tmp_path / "file"
    spec.write_text(SPEC.replace("NAME", "never-started"))
    home.write_text("a file stands where the directory should be")
    done = starter(*(w.replace("SPEC", str(spec)) for w in words), home=home)
    assert done.returncode == Code.USAGE
    assert "Traceback" not in done.stderr
    assert str(home) in done.stderr.splitlines()[-1]
    assert "WHIMBREL_HOME" in done.stderr


def test_settings_that_are_wrong_are_named_by_their_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHIMBREL_HOME", str(tmp_path))
    monkeypatch.setenv("WHIMBREL_CHECKS_PER_HOST", "zero")
    monkeypatch.setenv("WHIMBREL_TOOL_UID", "nobody")
    with pytest.raises(Refused) as refused:
        read_settings()
    assert refused.value.code is Code.USAGE
    told = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in told] == [
        "WHIMBREL_TOOL_UID=nobody",
        "WHIMBREL_CHECKS_PER_HOST=zero",
    ]


def test_a_dead_server_is_said_without_the_transports_inner_names(tmp_path: Path) -> None:
    env = {**os.environ, "WHIMBREL_HOME": str(tmp_path), "TEMPORAL_ADDRESS": "127.0.0.1:9"}
    command = [sys.executable, str(ROOT / "starter.py"), "list"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == Code.UNREACHABLE
    assert "127.0.0.1:9 does not answer: connection refused" in done.stderr
    assert "tonic" not in done.stderr


async def test_where_a_plan_cannot_be_saved_nothing_is_planned(spec: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / "plan.json"
    with pytest.raises(FileNotFoundError):
        await fleet_planning.plan(spec, local=False, as_json=False, saved=nowhere, patience=30)
    there = tmp_path / "kept.json"
    there.write_text("kept")
    planning.check_writable(there)
    assert there.read_text() == "kept"


async def test_what_a_spec_says_without_effect_is_told(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await starting.validate(spec) == Code.OK
    assert "note:" not in capsys.readouterr().err
    reword(spec, "ladder: [", "limits: {usd: 5}\nladder: [")
    assert await starting.validate(spec) == Code.OK
    told = capsys.readouterr().err
    assert "`limits.usd` has no effect" in told
    reword(spec, "ladder: [", "ladder: [{claude: {}}, ")
    assert await starting.validate(spec) == Code.OK
    told = capsys.readouterr().err
    assert "`claude` rungs need a worker of the role `model`" in told
    assert "no effect" not in told
    told = "\n".join(starting.notices(starting.read_spec(spec), has_model=True))
    assert told == "", "a worker that asks a model is there"


def test_the_schema_for_editors_is_json(tmp_path: Path) -> None:
    done = starter("schema", home=tmp_path)
    assert json.loads(done.stdout)["type"] == "object"
