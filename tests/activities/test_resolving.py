"""A conflict from its rework to what the resolver left, through the real activities."""

from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.hubs import Hubs
from activities.adapters.sandbox import detect
from activities.contracts.plan import Plan, Task
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.work_requests import OpenWorkspace, Rework, RunRung
from activities.integration import IntegrationActivities
from activities.workspace import WorkspaceActivities
from tests.adapters.one_host import one_host
from tests.adapters.repositories import commit_files

SPEC = """\
sites: {{include: ["/**"]}}
checks: {{unit: {{run: "true"}}}}
ladder: [{{codemod: "true"}}]
resolver: {{command: "{run}"}}
"""
BRANCH = GreenBranch(repository="app-1a2b3c4d", name="green", migration="m")
REPOSITORY = Repository(url="/upstream", id=BRANCH.repository)


@pytest.mark.parametrize(
    ("run", "left", "content"),
    [
        ("cat /conflict/landed/a.txt /conflict/mine/a.txt > {files}", (), b"theirs\nmine\n"),
        ("sed -i '/^=/d; /^>/d' {files}", ("a.txt: conflict marker in line 1",), None),
        ("echo more > b.txt", ("a.txt: as git left it",), None),
    ],
)
async def test_a_conflict_is_settled_where_nothing_of_it_is_left(
    tmp_path: Path, run: str, left: tuple[str, ...], content: bytes | None
) -> None:
    files = {"a.txt": "old\n", "b.txt": "b\n"}
    host = one_host(tmp_path, await detect("strict"), SPEC.format(run=run), files)
    hubs = Hubs(tmp_path / "hub")
    host.hub.claim_branch(BRANCH, host.commit)
    tip = commit_files(host.hub.path, {"a.txt": "theirs\n"}, ref="refs/heads/green")
    mine = commit_files(
        host.hub.path, {"a.txt": "mine\n"}, ref="refs/whimbrel/mine", parent=host.commit
    )
    asked = Rework(
        name="m", repository=REPOSITORY, task="c1-0001", commit=mine, old_base=host.commit,
        new_base=tip, when=1,
    )  # fmt: skip
    integration = IntegrationActivities(host.blobs, hubs)
    reworked = ActivityEnvironment().run(integration.rework, asked)
    assert ActivityEnvironment().run(integration.rework, asked) == reworked
    conflict = reworked.conflict
    assert (reworked.commit, conflict.paths) == (None, ("a.txt",))

    workspace = WorkspaceActivities(
        host.blobs, hubs, host.workspaces, host.rungs, host.checkpoints, "here", "host/here"
    )
    task = Task(id="c1-0001", title="t", claims=("a.txt", "b.txt"))
    plan = Plan(
        migration="m", spec_digest="", base=host.commit, phase="main", cycle=1, tasks=(task,)
    )
    opened = ActivityEnvironment().run(
        workspace.open_workspace,
        OpenWorkspace(
            name="m", repository=REPOSITORY, task=task.id, attempt="0-2-0", base=tip,
            start=conflict.merged, claims=task.claims,
        ),
    )  # fmt: skip
    ran = await ActivityEnvironment().run(
        workspace.run_rung,
        RunRung(
            workspace=opened, spec=host.blobs.put_model("m", host.spec), phase="main", rung=0,
            task=task, when=1, plan=host.blobs.put_model("m", plan), conflict=conflict,
        ),
    )  # fmt: skip
    assert ran.allowed, ran.run.tail
    assert (ran.checkpoint.base, ran.checkpoint.moved) == (tip, True)
    assert ran.checkpoint.unresolved == left
    if content:
        assert host.hub.read_file(ran.checkpoint.commit, "a.txt") == content
        assert host.hub.parents(ran.checkpoint.commit) == (tip,), "it may ask to land"
