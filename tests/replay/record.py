"""Records histories of a real migration, one of each workflow kind: `make record`.

The migration is synthetic but whole: real server, worker, git and sandbox. A history is what
today's code wrote; every released version's histories stay in histories/ and must replay.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from temporalio.client import Client

from activities.adapters.settings import Settings
from activities.contracts.commands import Aimed
from activities.contracts.fleet import FleetSpec
from cli.asking import Handle
from cli.fleet_starting import begin_fleet
from cli.session import Session
from cli.starting import read_any
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Reply, call, said
from tests.replay.fingerprint import keep
from tests.service import Service, eventually, service, until
from tests.shop import SPEC, make_shop
from workflows.options import area_id, deep_id, fleet_id, migration_id, queue_id, task_id
from workflows.parked import ParkedTaskWorkflow

HISTORIES = Path(__file__).parent / "histories"
NAME, FLEET, THINKER = "recorded", "recorded-fleet", "recorded-thinker"
THINKS = """\
plan: claude
limits: {usd: 9, attempts: 1}
landing: {deep: [behind]}
split:"""


async def record(release: str) -> None:
    """Runs the shop's migration and saves what its workflows did."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_shop(home / "shop")
        key = {"ANTHROPIC_API_KEY": "k"}
        async with (
            MessagesApi(_model) as api,
            service(home, ANTHROPIC_BASE_URL=api.url, **key) as running,
        ):
            spec = SPEC.replace("sed -i", "sleep 1; sed -i") + "pilot: 1\n"
            handle = await running.start(spec, NAME=NAME, REPOSITORY=str(home / "shop"))
            paused = await _paused(running, handle)
            report = running.report(await handle.result())
            hub = running.hub(report).stem
            ids = {
                "migration": migration_id(NAME),
                "area": area_id(NAME, "root"),
                "queue": queue_id(hub, report.branch),
                **{
                    f"task-{handoff.status}": task_id(NAME, handoff.task, 0)
                    for handoff in report.handoffs
                },
            }
            path = home / "fleet.yaml"
            path.write_text(_fleet(SPEC.replace("NAME", FLEET), home / "shop"))
            session = Session(running.client, Settings(home=home), local=False, ui="")
            fleet = read_any(path)
            assert isinstance(fleet, FleetSpec)
            await (await begin_fleet(session, fleet)).result()
            ids["fleet"] = fleet_id(FLEET)
            ids |= await _with_a_model(running, home / "shop")
            runs = {kind: (workflow_id, None) for kind, workflow_id in ids.items()} | paused
            for kind, run in runs.items():
                await _save(running.client, *run, HISTORIES / f"{release}-{kind}.json")


async def _paused(running: Service, handle: Handle) -> dict[str, tuple[str, str | None]]:
    """Holds the pilot up once: its run before the pause, the one that waits, and the one after."""
    await until(handle, lambda progress: progress.counts.running > 0)
    await handle.execute_update("pause", Aimed())
    id = task_id(NAME, "c1-0001", 0)
    pilot = running.client.get_workflow_handle(id)

    async def is_parked() -> bool:
        return (await pilot.describe()).workflow_type == ParkedTaskWorkflow.__name__

    await eventually(is_parked)
    parked = await pilot.describe()
    await handle.execute_update("resume", Aimed())
    first = parked.raw_description.workflow_execution_info.first_run_id
    runs = {"paused": first, "parked": parked.run_id, "resumed": None}
    return {f"task-{kind}": (id, run) for kind, run in runs.items()}


async def _with_a_model(running: Service, repository: Path) -> dict[str, str]:
    """A migration that a model plans and works at, with a check that runs behind its landings."""
    spec = SPEC.replace("files}\n", "files}\n  - claude: {}\n", 1).replace("split:", THINKS)
    spec += "  behind: {run: [/usr/bin/python3, run_checks.py], results: tap, at: [landing]}\n"
    report = await running.run(spec, NAME=THINKER, REPOSITORY=str(repository))
    agents = [h.task for h in report.handoffs if any(a.agent for a in h.attempts)]
    return {
        "thinking": migration_id(THINKER),
        "talk": f"{migration_id(THINKER)}/plan/c1/root",
        "deep": deep_id(running.hub(report).stem, report.branch),
        "task-agent": task_id(THINKER, agents[0], 0),
    }


def _model(request: Request) -> Reply:
    """Its planner takes what is proposed; its workers look, and say that they cannot."""
    if len(request.body["messages"]) == 1:
        return said(call("list_files"))
    if any(tool["name"] == "submit_plan" for tool in request.body["tools"]):
        return said(call("submit_plan", summary="As proposed.", take_static=True))
    return said(call("finish", status="cannot", did="Nothing to mend.", verified="nothing"))


def _fleet(spec: str, repository: Path) -> str:
    """The spec for one repository under two names, one after the other."""
    entries = ", ".join(f"{{url: {repository}, name: {name}}}" for name in ("one", "two"))
    return spec.replace("repository: REPOSITORY", f"repositories: [{entries}]")


async def _save(client: Client, workflow_id: str, run: str | None, path: Path) -> None:
    """One run; the latest where none is named."""
    history = await client.get_workflow_handle(workflow_id, run_id=run).fetch_history()
    text = json.dumps(json.loads(history.to_json()), indent=1) + "\n"
    await asyncio.to_thread(path.write_text, text)
    keep(path)
    print(f"recorded {path.name}: {len(history.events)} events")


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    asyncio.run(record(sys.argv[1] if len(sys.argv) > 1 else "0.1.0"))
