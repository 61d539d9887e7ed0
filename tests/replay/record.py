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
from activities.contracts.fleet import FleetSpec
from cli.fleet_starting import begin_fleet
from cli.session import Session
from cli.starting import read_any
from tests.replay.fingerprint import keep
from tests.service import service
from tests.shop import SPEC, make_shop
from workflows.options import area_id, fleet_id, migration_id, queue_id, task_id

HISTORIES = Path(__file__).parent / "histories"
NAME, FLEET = "recorded", "recorded-fleet"


async def record(release: str) -> None:
    """Runs the shop's migration and saves what its workflows did."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_shop(home / "shop")
        async with service(home) as running:
            spec = SPEC + "pilot: 1\n"
            report = await running.run(spec, NAME=NAME, REPOSITORY=str(home / "shop"))
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
            for kind, workflow_id in ids.items():
                await _save(running.client, workflow_id, HISTORIES / f"{release}-{kind}.json")


def _fleet(spec: str, repository: Path) -> str:
    """The spec for one repository under two names, one after the other."""
    entries = ", ".join(f"{{url: {repository}, name: {name}}}" for name in ("one", "two"))
    return spec.replace("repository: REPOSITORY", f"repositories: [{entries}]")


async def _save(client: Client, workflow_id: str, path: Path) -> None:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    text = json.dumps(json.loads(history.to_json()), indent=1) + "\n"
    await asyncio.to_thread(path.write_text, text)
    keep(path)
    print(f"recorded {path.name}: {len(history.events)} events")


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    asyncio.run(record(sys.argv[1] if len(sys.argv) > 1 else "0.1.0"))
