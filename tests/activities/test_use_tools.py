"""A reply's calls in real workspaces: what is kept of them, what is told, what runs twice."""

from pathlib import Path

import pytest
from desk import TASK, Desk, edit, run

from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.workspaces import WorkspaceGone
from activities.contracts.conversation import (
    FileAnswer,
    Role,
    Room,
)
from activities.contracts.tools import WorkerForm
from tests.adapters.repositories import git

END = {"status": "done", "did": "It.", "verified": "checks"}


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Desk:
    return Desk(tmp_path, sandbox)


async def test_what_a_batch_changed_is_a_commit_on_the_base(desk: Desk):
    read = await desk.use(("read", {"path": "src/a.py"}))
    assert (read.commit, read.tree, read.errors) == (None, "", "")
    first = await desk.use(edit("src/a.py", "a", "A"), ("write", {"path": "new/x", "content": "x"}))
    second = await desk.use(edit("src/b.py", "b", "B"), ("finish", END))
    assert first.commit
    assert second.commit
    assert desk.show(second.commit, "src/a.py") == b"A\n"
    assert desk.show(second.commit, "new/x") == b"x"
    assert desk.host.hub.parents(second.commit) == (desk.host.commit,)
    assert first.tree != second.tree
    assert second.finished
    assert second.finished.status == "done"
    assert desk.host.blobs.get_model(second.finished.form, WorkerForm).did == "It."


async def test_a_second_run_finds_what_the_first_one_did(desk: Desk):
    request = desk.says(edit("src/a.py", "a", "aa"), run("date +%N"), ("report_site", {
        "path": "lib/c.py", "why": "old"}))  # fmt: skip
    first = await desk.run(request)
    desk.activities = desk.restarted()
    assert await desk.run(request) == first
    assert first.reported == ("lib/c.py: old",)
    assert (desk.paths.tree / "src/a.py").read_text() == "aa\n"


async def test_a_batch_that_was_killed_halfway_is_carried_out_on_the_tree_before_it(desk: Desk):
    kept = await desk.use(edit("src/b.py", "b", "B"))
    request = desk.says(edit("src/a.py", "a", "A"))
    (desk.paths.tree / "src/a.py").write_text("A\n")  # and then the worker was killed
    assert kept.commit
    where = desk.opened("0-1-1", kept.commit)
    used = await desk.run(request.model_copy(update={"room": Room.of(where)}))
    assert used.errors == ""
    assert used.commit
    assert desk.show(used.commit, "src/a.py") == b"A\n"
    assert desk.show(used.commit, "src/b.py") == b"B\n"


async def test_what_was_changed_outside_is_put_back_and_told(desk: Desk):
    used = await desk.use(run("echo x >> lib/c.py; rm far/0/f.py; echo A > src/a.py"))
    assert used.commit
    assert "put back, for they are not yours to change: far/0/f.py, lib/c.py" in desk.texts(used)[0]
    assert used.errors
    assert (desk.paths.tree / "lib/c.py").read_text() == "c\n"
    assert (desk.paths.tree / "far/0/f.py").exists()
    assert desk.show(used.commit, "src/a.py") == b"A\n"
    again = await desk.use(run("true"))
    assert again.errors == ""


async def test_new_files_that_are_not_kept_are_told_and_stay(desk: Desk):
    used = await desk.use(run("mkdir build; echo x > build/x; echo y > new"))
    assert used.errors == ""
    assert "not kept: build/x, new]" in desk.texts(used)[0]
    assert (desk.paths.tree / "build/x").exists()


async def test_damage_is_told_until_it_is_mended_and_nothing_ends_before(desk: Desk):
    used = await desk.use(run(r"sed -i 's/\r//' src/crlf"))
    assert "src/crlf: line ends flipped from CRLF to LF" in desk.texts(used)[0]
    refused = await desk.use(("finish", END))
    assert refused.finished is None
    assert "not ended yet" in desk.texts(refused)[0]
    assert (await desk.use(("finish", {**END, "status": "partial"}))).finished
    mended = await desk.use(run("git show HEAD:src/crlf > src/crlf"), ("finish", END))
    assert mended.finished, desk.texts(mended)


async def test_a_tree_that_no_git_may_meet_is_told_and_keeps_nothing(desk: Desk):
    used = await desk.use(run("git init -q new && echo A > src/a.py"), ("finish", END))
    assert (used.commit, used.finished) == (None, None)
    assert "new/.git" in desk.texts(used)[1]
    assert "remove it with `run`" in desk.texts(used)[1]
    mended = await desk.use(run("rm -rf new"))
    assert mended.commit
    assert desk.show(mended.commit, "src/a.py") == b"A\n"


async def test_a_check_is_asked_for_on_a_commit_that_is_there(desk: Desk):
    used = await desk.use(("check", {}))
    assert used.wants_check
    assert used.commit
    assert desk.host.hub.tree(used.commit) == desk.host.hub.tree(desk.host.commit)


async def test_files_that_were_granted_are_the_tasks(desk: Desk):
    answers = (
        FileAnswer(path="lib/c.py", granted=True),
        FileAnswer(path="far/0/f.py", granted=False, text="c1-0002 has it"),
    )
    asked = ("request_files", {"paths": ["lib/c.py", "far/0/f.py", "x"], "reason": "calls it"})
    request = desk.says(asked, edit("lib/c.py", "c", "C"))
    more = {"answers": answers, "granted": ("lib/c.py",)}
    used = await desk.run(request.model_copy(update=more))
    assert desk.texts(used)[0].splitlines() == [
        "lib/c.py: yours now",
        "far/0/f.py: not granted: c1-0002 has it",
        "x: nobody answered; ask for fewer files at once",
    ]
    assert used.commit
    assert desk.show(used.commit, "lib/c.py") == b"C\n"


async def test_in_a_sparse_tree_the_rest_is_read_from_git_and_granted_files_come(
    sandbox: Sandbox, tmp_path: Path
):
    desk = Desk(tmp_path, sandbox, full_checkout=3)
    assert not (desk.paths.tree / "far").exists()
    used = await desk.use(
        ("read", {"path": "far/1/f.py"}),
        ("search", {"pattern": "needle", "paths": ["far"]}),
        ("find_files", {"pattern": "*.py"}),
        ("list_files", {"path": "far"}),
        edit("src/a.py", "a", "needle here"),
        ("delete", {"path": "src/b.py"}),
        ("search", {"pattern": "needle"}),
        run("cat far/1/f.py"),
    )
    texts = desk.texts(used)
    assert used.errors == ""
    assert "needle 1" in texts[0]
    assert texts[1].splitlines() == [f"far/{n}/f.py:1: needle {n}" for n in range(5)]
    assert len(texts[2].splitlines()) == 8
    assert texts[3].split() == [f"{n}/" for n in range(5)]
    assert texts[6].splitlines()[0] == "src/a.py:1: needle here"
    assert len(texts[6].splitlines()) == 6
    assert "the file tools see all" in texts[7]
    request = desk.says(
        edit("far/1/f.py", "needle", "pin"), ("delete", {"path": "far/2/f.py"}),
        run("cat far/3/f.py"), ("find_files", {"pattern": "*.py"}),
    )  # fmt: skip
    granted = ("far/1/f.py", "far/2/f.py", "far/3/f.py")
    used = await desk.run(request.model_copy(update={"granted": granted}))
    assert used.errors == ""
    assert used.commit
    assert desk.show(used.commit, "far/1/f.py") == b"pin 1\n"
    assert git(desk.host.hub.path, "ls-tree", "--name-only", used.commit, "far/2/") == b""
    assert "far/4/f.py" in desk.texts(used)[3]
    assert "far/2/f.py" not in desk.texts(used)[3]


async def test_who_only_reads_needs_no_workspace(desk: Desk):
    desk.talk = desk.began(Role.JUDGE)
    request = desk.says(("read", {"path": "src/a.py"}), edit("src/a.py", "a", "A"))
    used = await desk.run(request.model_copy(update={"room": None}))
    assert "     1\ta" in desk.texts(used)[0]
    assert "no tool is called 'edit'" in desk.texts(used)[1]
    assert used.commit is None


async def test_a_plan_that_comes_back_counts_wherever_in_the_reply_it_was(desk: Desk):
    desk.talk = desk.began(Role.PLANNER)
    looks = [("read", {"path": "src/a.py"})] * 30
    bad, good = ("submit_plan", {"summary": 1}), {"summary": "As proposed.", "take_static": True}
    plan = ("submit_plan", good)
    said = [(*looks,), (*looks, bad), (bad, plan), (plan,)]
    back = [await desk.run(desk.says(*calls).model_copy(update={"room": None})) for calls in said]
    assert [(used.sent_back, bool(used.finished)) for used in back] == [
        (False, False),
        (True, False),
        (True, False),
        (False, True),
    ]


async def test_a_workspace_that_is_gone_is_opened_anew(desk: Desk):
    request = desk.says(edit("src/a.py", "a", "A"))
    desk.host.workspaces.close("m", TASK.id, "0-1-0")
    with pytest.raises(WorkspaceGone):
        await desk.run(request)
