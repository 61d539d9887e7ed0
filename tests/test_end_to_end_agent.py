"""A model does a migration's work with its tools alone, while the worker is killed under it."""

from pathlib import Path

from activities.contracts.migration import Stage
from tests.adapters.repositories import git, make_repository
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Reply, call, text
from tests.service import service

SPEC = """\
version: 1
name: agent
repository: REPOSITORY
objective: Every old_name is called new_name.
sites: {include: ["/src/*.py"], find: {regex: old_name}}
ladder: [{claude: {}}]
checks: {compiles: {run: "python3 -m py_compile {files}"}}
"""
FILES = {"src/a.py": "def old_name():\n    return 1\n", "lib/b.py": "x = 1\n"}
PATH = "src/a.py"


def mind(request: Request) -> Reply:
    """Looks, edits badly and in somebody else's file, is told, mends, checks, ends."""
    turn = sum(message["role"] == "assistant" for message in request.body["messages"]) + 1
    heard = "\n".join(str(block) for block in request.last)
    if turn == 1:
        return Reply((call("search", pattern="old_name"), call("read", path=PATH)))
    if turn == 2:
        assert "src/a.py:1: def old_name():" in heard
        broken = call("edit", path=PATH, old="def old_name():", new="def new_name(:")
        return Reply((text("Now the edit."), broken, call("run", command="echo >> lib/b.py")))
    if turn == 3:
        assert "put back, for they are not yours to change: lib/b.py" in heard
        return Reply((call("check"),))
    if turn == 4:
        assert "Your checks do not pass." in heard
        assert "Check compiles" in heard
        mended = call("edit", path=PATH, old="def new_name(:", new="def new_name():")
        return Reply((mended, call("check")))
    assert "Your checks pass." in heard
    return Reply((call("finish", status="done", did="Renamed it.", verified="checks"),))


async def test_a_model_does_the_work_with_its_tools_though_the_worker_is_killed(
    tmp_path: Path,
) -> None:
    """After edits that are made and committed, and that nobody heard of."""
    make_repository(tmp_path / "upstream", FILES)
    marks = tmp_path / "marks"
    marks.mkdir()
    orders = "crash@after:ref/checkpoint"
    async with MessagesApi(mind) as api:
        faults = {"WHIMBREL_FAULTS": orders, "WHIMBREL_FAULTS_DIR": str(marks)}
        model = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "k"}
        async with service(tmp_path / "home", **faults, **model) as whimbrel:
            report = await whimbrel.run(SPEC, REPOSITORY=str(tmp_path / "upstream"))
            hub = whimbrel.hub(report)
    assert report.outcome is Stage.DONE, report.reason
    assert len(list(marks.iterdir())) == 1
    assert git(hub, "show", f"{report.tip}:{PATH}") == b"def new_name():\n    return 1\n"
    assert git(hub, "show", f"{report.tip}:lib/b.py") == b"x = 1\n"
    [attempt] = report.handoffs[0].attempts
    assert attempt.agent
    assert attempt.agent.turns == len(api.requests) == 5
    assert attempt.agent.finished
    assert attempt.agent.finished.summary == "Renamed it."
