"""The green branch as a ref that others push to: what of it is ours, whatever died when."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from activities.adapters.fault_points import Effect
from activities.adapters.green_branch import find_push, last_of_ours
from activities.adapters.hub import Hub
from activities.adapters.refs import BranchMoved
from activities.contracts.repository import GreenBranch
from tests.adapters.repositories import commit_files, git, make_repository

ROOT = Path(__file__).parents[2]
BRANCH = "whimbrel/m"
HEAD = f"refs/heads/{BRANCH}"
LANDED, LANDING = f"refs/whimbrel/landed/{BRANCH}", f"refs/whimbrel/landing/{BRANCH}"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """One whose green branch has begun and has one landing."""
    make_repository(tmp_path / "upstream", {"a.py": "old\n"})
    hub = Hub.open(tmp_path / "hubs", "app-1a2b3c4d")
    base = hub.fetch_base(str(tmp_path / "upstream"), "main", "m").commit
    claim(hub, base)
    land(hub, "1")
    return hub


def claim(hub: Hub, at: str) -> str:
    return hub.claim_branch(GreenBranch(repository="app", name=BRANCH, migration="m"), at)


def made(hub: Hub, content: str, parent: str) -> str:
    work = commit_files(hub.path, {"a.py": content}, ref="refs/whimbrel/work/x", parent=parent)
    return hub.write_commit(hub.tree(work), [parent], f"{content}\n", 1)


def land(hub: Hub, content: str) -> str:
    tip = hub.tip(BRANCH)
    return hub.land(BRANCH, tip, made(hub, content, tip))


def pushes(hub: Hub, content: str, parent: str) -> str:
    return commit_files(hub.path, {"a.py": content}, ref=HEAD, parent=parent)


def test_what_we_put_there_is_ours(hub: Hub):
    assert hub.find_push(BRANCH) is None
    assert claim(hub, hub.tip(BRANCH)) == hub.ref(HEAD) == hub.ref(LANDED)


def test_a_push_is_told_and_nothing_lands_on_it(hub: Hub):
    ours = hub.tip(BRANCH)
    head = pushes(hub, "by hand", ours)
    push = hub.find_push(BRANCH)
    assert push
    assert (push.ours, push.head, push.rewritten, push.commits) == (ours, head, False, 1)
    assert push.told.startswith(f"{head[:12]} by ")
    assert hub.tip(BRANCH) == claim(hub, ours) == ours
    for old in (ours, head):
        with pytest.raises(BranchMoved):
            hub.land(BRANCH, old, made(hub, "2", old))
    for _ in range(2):
        hub.settle_push(BRANCH, push, back=False)
    assert (hub.find_push(BRANCH), hub.tip(BRANCH)) == (None, head)
    land(hub, "2")


def test_a_branch_is_set_back_and_what_was_pushed_is_kept(hub: Hub):
    ours = hub.tip(BRANCH)
    head = pushes(hub, "by hand", ours)
    push = hub.find_push(BRANCH)
    assert push
    for _ in range(2):
        hub.settle_push(BRANCH, push, back=True)
    assert hub.find_push(BRANCH) is None
    assert hub.ref(HEAD) == hub.tip(BRANCH) == ours
    assert hub.ref(f"refs/whimbrel/pushed/{BRANCH}/{head}") == head


SETTLE = """\
import sys
from pathlib import Path
from activities.adapters.fault_points import arm
from activities.adapters.hub import Hub
hubs, marks, orders, back = sys.argv[1:]
hub = Hub.open(Path(hubs), "app-1a2b3c4d")
push = hub.find_push("whimbrel/m")
arm(orders, Path(marks), ())
hub.settle_push("whimbrel/m", push, back == "True")
"""


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_who_is_killed_in_a_decision_has_it_carried_out_by_the_next(
    hub: Hub, tmp_path: Path, when: str, back: bool
):
    ours = hub.tip(BRANCH)
    head = pushes(hub, "by hand", ours)
    push = hub.find_push(BRANCH)
    assert push
    point = Effect.REF_SET_BACK if back else Effect.REF_ACCEPTED
    command = [sys.executable, "-c", SETTLE, str(hub.path.parent), str(tmp_path)]
    killed = subprocess.run([*command, f"crash@{when}:{point}", str(back)], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    hub.settle_push(BRANCH, push, back)
    assert hub.find_push(BRANCH) is None
    assert hub.ref(HEAD) == hub.tip(BRANCH) == (ours if back else head)


def test_a_decision_about_an_earlier_push_changes_nothing(hub: Hub):
    ours = hub.tip(BRANCH)
    first = pushes(hub, "by hand", ours)
    push = hub.find_push(BRANCH)
    assert push
    second = pushes(hub, "again", first)
    for back in (True, False):
        with pytest.raises(BranchMoved):
            hub.settle_push(BRANCH, push, back)
    assert (hub.ref(HEAD), hub.tip(BRANCH)) == (second, ours)


def test_a_branch_that_does_not_go_on_from_ours_is_rewritten(hub: Hub):
    ours = hub.tip(BRANCH)
    before = hub.parents(ours)[0]
    aside = pushes(hub, "instead", before)
    as_second = hub.write_commit(hub.tree(aside), [aside, ours], "a pull the wrong way round\n", 1)
    for head in (aside, before, as_second):
        git(hub.path, "update-ref", HEAD, head)
        push = hub.find_push(BRANCH)
        assert push
        assert (push.rewritten, push.ours) == (True, ours)
    git(hub.path, "update-ref", "-d", HEAD)
    push = hub.find_push(BRANCH)
    assert push
    assert (push.head, claim(hub, before), hub.ref(HEAD)) == (None, ours, None)
    with pytest.raises(BranchMoved):
        hub.settle_push(BRANCH, push, back=False)
    hub.settle_push(BRANCH, push, back=True)
    assert hub.ref(HEAD) == ours


def test_whatever_a_landing_left_undone_is_not_taken_for_a_push(hub: Hub):
    old = hub.tip(BRANCH)
    new = made(hub, "2", old)
    git(hub.path, "update-ref", LANDING, new)  # it died before the branch moved
    assert (last_of_ours(hub, BRANCH), find_push(hub, BRANCH)) == (old, None)
    git(hub.path, "update-ref", HEAD, new)  # or between the two that are written together
    assert (last_of_ours(hub, BRANCH), find_push(hub, BRANCH)) == (new, None)
    head = pushes(hub, "by hand", new)
    push = find_push(hub, BRANCH)
    assert push
    assert (push.ours, push.head) == (new, head)
    git(hub.path, "update-ref", HEAD, new)
    assert hub.land(BRANCH, old, new) == new
    land(hub, "3")
    assert hub.ref(LANDED) == hub.ref(HEAD) == hub.tip(BRANCH)
