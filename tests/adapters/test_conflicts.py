"""Conflicts with what landed, in real repositories and the real sandbox."""

from pathlib import Path

import pytest

from activities.adapters.conflicts import lay_out, unsettled
from activities.adapters.gate import GateRules
from activities.adapters.landed_since import landed_since, on_paths
from activities.adapters.rungs import Climb
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.situation import conflict_facts, landed_facts
from activities.contracts.conflict import Conflict
from activities.contracts.landing import Candidate
from activities.contracts.plan import Plan, Task
from activities.contracts.repository import GreenBranch
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import commit_files

SPEC = """\
sites: {include: ["/**"]}
checks: {unit: {run: "true"}}
ladder: [{codemod: "true"}]
resolver: {command: "%s"}
"""
TEXT = "one\n" * 5
FILES = {
    "a.py": TEXT,
    "b.py": "import lib.core\n",
    "c.py": "c\n",
    "d.py": "d\n",
    "lib/core.py": "x = 1\n",
}
BRANCH = GreenBranch(repository="app-1a2b3c4d", name="green", migration="m")


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def host_with(tmp_path: Path, sandbox: Sandbox, run: str = "true") -> OneHost:
    host = one_host(tmp_path, sandbox, SPEC % run, FILES)
    host.hub.claim_branch(BRANCH, host.commit)
    return host


def work(host: OneHost, task: str, files: dict[str, str], delete: tuple[str, ...] = ()) -> str:
    """A task's candidate on the base."""
    ref = f"refs/whimbrel/test/{task}"
    return commit_files(
        host.hub.path, files, delete, f"{task}: Tidy {task}\n", ref=ref, parent=host.commit
    )


def land(host: OneHost, **tasks: dict[str, str]) -> str:
    """Lands these tasks as one batch; the tip."""
    tip = host.hub.tip(BRANCH.name)
    candidates = [
        Candidate(
            migration="m", task=task.replace("_", "-"), title="t", claims=tuple(files),
            commit=work(host, task.replace("_", "-"), files), base=host.commit, reply_to="",
        )
        for task, files in tasks.items()
    ]  # fmt: skip
    batch = host.hub.compose_batch(tip, candidates, GateRules(), "m", 1)
    assert not batch.refused
    return host.hub.land(BRANCH.name, tip, batch.prefixes[-1])


def conflict(host: OneHost, mine: str) -> Conflict:
    tip = host.hub.tip(BRANCH.name)
    merge = host.hub.carry(mine, host.commit, tip)
    assert merge.tree is None
    return host.hub.conflict(merge, mine, host.commit, tip, "c1-0009", "m", 1)


def test_what_landed_is_told_task_by_task_and_what_came_from_outside_too(tmp_path, sandbox):
    host = host_with(tmp_path, sandbox)
    land(host, c1_0001={"a.py": "first\n", "c.py": "x\n"}, c1_0002={"d.py": "y\n"})
    foreign = commit_files(host.hub.path, {"a.py": "theirs\n"}, ref=f"refs/heads/{BRANCH.name}")
    pushed = host.hub.find_push(BRANCH.name)
    assert pushed is not None
    host.hub.settle_push(BRANCH.name, pushed, back=False)
    tip = land(host, c1_0003={"c.py": "x\n"})
    found = landed_since(host.hub, host.commit, tip, "m", on_paths(["a.py", "d.py"]))
    assert [(change.task, change.title, change.paths) for change in found] == [
        ("", "change", ("a.py",)),
        ("c1-0002", "Tidy c1-0002", ("d.py",)),
        ("c1-0001", "Tidy c1-0001", ("a.py",)),
    ]
    assert landed_since(host.hub, foreign, tip, "m", on_paths(["a.py"])) == ()


def test_a_conflict_is_kept_with_both_sides_and_who_landed_there(tmp_path, sandbox):
    host = host_with(tmp_path, sandbox)
    land(host, c1_0001={"a.py": TEXT + "theirs\n"}, c1_0002={"d.py": "y\n"})
    mine = work(host, "c1-0009", {"a.py": TEXT + "mine\n", "b.py": "b\n"})
    found = conflict(host, mine)
    assert (found.paths, [change.task for change in found.landed]) == (("a.py",), ["c1-0001"])
    assert host.hub.parents(found.merged) == (found.tip, mine)
    assert host.hub.read_file(found.merged, "b.py") == b"b\n"
    assert b"<<<<<<<" in (host.hub.read_file(found.merged, "a.py") or b"")
    assert conflict(host, mine) == found
    lay_out(host.hub, found, tmp_path / "versions")
    versions = {name: tmp_path / "versions" / name for name in ("base", "landed", "mine")}
    assert {name: (at / "a.py").read_text() for name, at in versions.items()} == {
        "base": TEXT,
        "landed": TEXT + "theirs\n",
        "mine": TEXT + "mine\n",
    }


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (TEXT + "theirs\nmine\n", ()),
        (TEXT + "<<<<<<< x\nmine\n=======\n", ("a.py: conflict marker in line 6",)),
        (TEXT + "mine\n>>>>>>> y\n", ("a.py: conflict marker in line 7",)),
        (TEXT + "theirs\n=======\nmine\n", ()),
        (None, ("a.py: as git left it",)),
    ],
)
def test_what_is_as_git_left_it_or_has_a_marker_is_not_settled(tmp_path, sandbox, content, left):
    host = host_with(tmp_path, sandbox)
    land(host, c1_0001={"a.py": TEXT + "theirs\n"})
    found = conflict(host, work(host, "c1-0009", {"a.py": TEXT + "mine\n"}))
    ref = "refs/whimbrel/test/settled"
    files = {"b.py": "b\n"} | ({"a.py": content} if content else {})
    settled = commit_files(host.hub.path, files, ref=ref, parent=found.merged)
    assert unsettled(host.hub, settled, found) == left


def test_a_marker_that_one_side_has_by_right_is_none(tmp_path, sandbox):
    host = host_with(tmp_path, sandbox)
    land(host, c1_0001={"a.py": "<<<<<<< shown in a manual\ntheirs\n"})
    found = conflict(host, work(host, "c1-0009", {"a.py": "mine\n"}))
    both = {"a.py": "<<<<<<< shown in a manual\ntheirs\nmine\n"}
    ref = "refs/whimbrel/test/settled"
    assert unsettled(host.hub, commit_files(host.hub.path, both, ref=ref), found) == ()


def test_a_deletion_against_an_edit_is_settled_by_an_edit_of_ones_own(tmp_path, sandbox):
    host = host_with(tmp_path, sandbox)
    land(host, c1_0001={"a.py": TEXT + "theirs\n"})
    found = conflict(host, work(host, "c1-0009", {}, ("a.py",)))
    ref = "refs/whimbrel/test/settled"
    gone = commit_files(host.hub.path, {}, ["a.py"], ref=ref, parent=found.merged)
    assert unsettled(host.hub, found.merged, found) == ("a.py: as git left it",)
    assert unsettled(host.hub, gone, found) == ()


async def test_a_resolver_sees_the_merge_all_versions_and_both_intents(tmp_path, sandbox):
    run = "cat {prompt_file}; cat /conflict/landed/a.py /conflict/mine/a.py > {files}"
    host = host_with(tmp_path, sandbox, run)
    land(host, c1_0001={"a.py": "theirs\n"})
    found = conflict(host, work(host, "c1-0009", {"a.py": "mine\n", "c.py": "n\n"}))
    told = {"id": "c1-0001", "title": "t", "claims": ["a.py"], "instructions": "Keep ``` safe."}
    mine = Task(id="c1-0009", title="Mine", claims=("a.py", "c.py"), instructions="Do mine.")
    plan = Plan(
        migration="m", spec_digest="", base=host.commit, phase="main", cycle=1,
        tasks=(Task.model_validate(told), mine),
    )  # fmt: skip
    paths = host.workspaces.open(
        host.hub.path, migration="m", task=mine.id, attempt="0-2", base=found.tip,
        start=found.merged, claims=mine.claims, token="0-2",
    )  # fmt: skip
    climb = Climb(
        host.spec, host.spec.phases[0], 0, mine, found.tip, host.hub, plan, conflict=found
    )
    ran, allowed, *_ = await host.rungs.run(climb, paths)
    text = ran.output.decode()
    assert allowed, text
    assert (paths.tree / "a.py").read_text() == "theirs\nmine\n"
    for said in (
        "Do mine.",
        "# The conflict to settle",
        "- a.py: content",
        "## Landed meanwhile: c1-0001 (Tidy c1-0001)\n\n```\nKeep ` ` ` safe.\n```",
        "+theirs",
        "+mine",
    ):
        assert said in text
    assert "c.py" not in text.split("# The conflict")[1], "it is in no conflict"


def test_a_conflict_with_much_to_say_is_bounded(tmp_path, sandbox):
    host = host_with(tmp_path, sandbox)
    land(host, c1_0001={"a.py": "theirs\n" * 50_000})
    found = conflict(host, work(host, "c1-0009", {"a.py": "mine\n" * 50_000}))
    assert len(conflict_facts(host.hub, None, found)) < 20_000


def test_a_prompt_tells_what_landed_on_files_that_a_task_claims_imports_or_needs(tmp_path, sandbox):
    host = host_with(tmp_path, sandbox)
    tip = land(
        host,
        c1_0001={"lib/core.py": "y = 2\n"},
        c1_0002={"c.py": "other\n"},
        c1_0003={"d.py": "needed\n"},
    )
    task = Task(id="c1-0009", title="t", claims=("b.py",), needs=("c1-0003",))
    plan = Plan(
        migration="m", spec_digest="", base=host.commit, phase="main", cycle=1, tasks=(task,)
    )
    assert landed_facts(host.hub, plan, task, tip).splitlines()[2:] == [
        "- c1-0003 (Tidy c1-0003): d.py",
        "- c1-0001 (Tidy c1-0001): lib/core.py (imported)",
    ]
    assert landed_facts(host.hub, plan, task, host.commit) == ""
