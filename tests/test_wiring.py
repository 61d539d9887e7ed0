"""Everything that is scheduled is registered, on the queue it is sent to, and says what it is."""

import ast
import re
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import pytest

import worker
from activities.planner import PlannerActivities
from roles.control import WORKFLOWS
from workflows import options

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW_FILES = sorted((ROOT / "workflows").glob("*.py"))
SCHEDULING = {
    "execute_activity_method",
    "locally",
    "start_child_workflow",
    "sleep",
}
QUEUES = {
    "GIT": "integration",
    "MERGE_BASE_TRIES": "integration",
    "OPEN": "workspace",
    "VERIFY": "checks",
    "VERIFY_LANDING": "checks",
    "DELIVER": "delivery",
    "TURN": "model",
}


def registered() -> dict[str, set[str]]:
    """Queue → names of the activities that its worker registers."""
    host = Mock(queue="host", planner=lambda: PlannerActivities(Mock(), Mock(), Mock()))
    host.settings.workspaces_per_host = 1
    polled = [
        queue
        for role in worker.ROLES
        for queue in import_module(f"roles.{role}").queues(host, Mock())
    ]
    assert len({queue.name for queue in polled}) == len(polled)
    return {queue.name: names(queue.activities) for queue in polled}


def names(methods) -> set[str]:
    return {method.__temporal_activity_definition.name for method in methods}


def calls(path: Path) -> list[ast.Call]:
    found = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    return [c for c in found if called(c) in SCHEDULING and path.name != "locally.py"]


def called(call: ast.Call) -> str:
    """The last word of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def scheduled() -> list[tuple[str, str, str]]:
    """(activity, queue, where) for every activity that a workflow schedules."""
    out = []
    for path in WORKFLOW_FILES:
        for call in calls(path):
            local = called(call) == "locally"
            if not local and "activity" not in called(call):
                continue
            activity = call.args[0].attr
            splat = next((ast.unparse(k.value) for k in call.keywords if k.arg is None), "")
            queue = "control" if local else QUEUES.get(splat, "host")
            out.append((activity, queue, f"{path.name}:{call.lineno}"))
    return out


def test_every_scheduled_activity_is_registered_on_the_queue_it_is_sent_to():
    where = registered()
    missing = [entry for entry in scheduled() if entry[0] not in where[entry[1]]]
    assert not missing


def test_every_registered_activity_is_scheduled_by_some_workflow():
    used = {activity for activity, _, _ in scheduled()}
    assert set().union(*registered().values()) <= used


def test_the_options_send_each_kind_to_the_queue_of_its_role():
    for name, queue in QUEUES.items():
        assert getattr(options, name)["task_queue"] == queue
    assert options.on_host("host/a")["task_queue"] == "host/a"


@pytest.mark.parametrize("path", WORKFLOW_FILES, ids=lambda p: p.name)
def test_everything_in_the_timeline_says_what_it_is(path):
    silent = [
        f"{path.name}:{call.lineno}"
        for call in calls(path)
        if not {"summary", "static_summary"}.intersection(k.arg for k in call.keywords if k.arg)
    ]
    assert not silent


def test_whatever_a_dying_worker_holds_is_noticed_in_seconds():
    kinds = [options.GIT, options.OPEN, options.VERIFY, options.VERIFY_LANDING, options.DELIVER]
    kinds += [options.OUTLASTING, options.TURN]
    for kind in [*kinds, options.on_host("host/a"), options.closing("host/a")]:
        assert kind["heartbeat_timeout"].total_seconds() <= 10


def test_no_worker_keeps_heartbeats_back_until_they_are_almost_too_late():
    opened = [c for c in ast.walk(ast.parse((ROOT / "worker.py").read_text())) if is_worker(c)]
    assert opened
    for call in opened:
        named = {k.arg: ast.unparse(k.value) for k in call.keywords}
        assert named.get("max_heartbeat_throttle_interval") == "SENT_WITHIN"


def is_worker(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Name) and called.id == "Worker"


def test_every_workflow_file_with_a_definition_is_registered():
    defined = {
        name
        for path in WORKFLOW_FILES
        for name in re.findall(r"@workflow\.defn\b[^\n]*\nclass (\w+)", path.read_text())
    }
    assert defined == {kind.__name__ for kind in WORKFLOWS}


def test_every_role_has_a_worker():
    assert set(options.ROLES) == set(worker.ROLES)


def test_no_timeout_or_retry_number_stands_outside_the_options_table():
    for path in WORKFLOW_FILES:
        if path.name != "options.py":
            assert "RetryPolicy(" not in path.read_text()
            assert "_timeout=timedelta" not in path.read_text()
