"""What a program may say in $REQUESTS, and what becomes of files it was granted."""

import json

import pytest

from activities.adapters.asked_files import MOST_BYTES, read_requests
from activities.adapters.rungs import Climb
from activities.adapters.sandbox import Sandbox, detect
from activities.contracts.file_requests import MAX_GRANTS, MAX_REASON
from activities.contracts.plan import Task
from activities.contracts.work import Workspace
from tests.adapters.one_host import one_host

SPEC = """\
sites: {include: ["/**"]}
checks: {unit: {run: "true"}}
ladder: [{command: "%s"}]
"""


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def line(path: object = "b.py", reason: object = "it calls it") -> bytes:
    return json.dumps({"path": path, "reason": reason}).encode()


def test_each_line_is_a_request_and_each_path_is_asked_for_once() -> None:
    said = b"\n".join([line("./b.py"), b"", line("b.py", "again"), line("c d.py", "two\nlines")])
    asked = read_requests([said, line("e.py")])
    assert [(r.path, r.reason) for r in asked.requests] == [
        ("b.py", "it calls it"),
        ("c d.py", "two lines"),
        ("e.py", "it calls it"),
    ]
    assert asked.unclear == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b'{"path": "b.py"', "it is no JSON"),
        (b"{" * 100_000, "it is no JSON"),
        (line(path=7), "`path` must be the path of a file"),
        (line(path=""), "`path` must be the path of a file"),
        (line(path="x" * 2000), "`path` must be the path of a file"),
        (line(reason=" "), "`reason` must say why"),
        (line(reason=None), "`reason` must say why"),
    ],
)
def test_what_is_no_request_is_told_and_goes_no_further(said: bytes, why: str) -> None:
    asked = read_requests([line(), said])
    assert [r.path for r in asked.requests] == ["b.py"]
    assert asked.unclear == (f"line 2: {why}",)


def test_reports_of_another_kind_are_none_of_it() -> None:
    assert read_requests([b"<testsuite/>\n1..2\nok 1\n"]) == read_requests([])


def test_all_of_it_is_bounded() -> None:
    many = read_requests([b"\n".join(line(f"{n}.py", "y" * 999) for n in range(50))])
    assert len(many.requests) == MAX_GRANTS
    assert {len(r.reason) for r in many.requests} == {MAX_REASON}
    assert many.unclear == ("it asked for 50 files: 20 are the most",)
    assert read_requests([b"x" * (MOST_BYTES + 1)]).requests == ()


async def test_a_program_asks_and_may_change_what_it_was_granted_and_no_more(tmp_path, sandbox):
    asks = r"""echo '{\"path\": \"c.py\", \"reason\": \"why not\"}' > $REQUESTS"""
    run = f"cat {{prompt_file}}; {asks}; for f in a b c; do echo new > $f.py; done"
    files = {"a.py": "old\n", "b.py": "old\n", "c.py": "old\n"}
    host = one_host(tmp_path, sandbox, SPEC % run, files)
    granted = [{"path": "b.py", "reason": "its callers"}]
    task = Task.model_validate({"id": "t", "title": "t", "claims": ["a.py"], "grants": granted})
    paths = host.workspaces.open(
        host.hub.path, migration="m", task=task.id, attempt="0-1", base=host.commit,
        start=host.commit, claims=task.may_change, token="0-1",
    )  # fmt: skip
    notes = ("c1-0007 may change a.py, which is yours: it has to",)
    climb = Climb(host.spec, host.spec.phases[0], 0, task, host.commit, host.hub, notes=notes)
    climbed = await host.rungs.run(climb, paths)
    text = climbed.ran.output.decode()
    assert climbed.allowed, text
    assert [(r.path, r.reason) for r in climbed.asked.requests] == [("c.py", "why not")]
    assert "You may also change, for these reasons alone:\n\n- b.py: its callers\n" in text
    assert f"# What the planner says\n\n- {notes[0]}\n" in text
    where = Workspace(
        migration="m", repository="r", task=task.id, attempt="0-1", host="h", queue="q",
        base=host.commit, start=host.commit,
    )  # fmt: skip
    kept = host.checkpoints.harvest(host.hub, where, task, 1)
    assert [change.path for change in kept.changed] == ["a.py", "b.py"]
    assert kept.outside == ("c.py",)
