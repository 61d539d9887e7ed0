"""The branch beside the green one: forwards only, along the green chain, owned like it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from repositories import make_repository

from activities.adapters.deep_branch import MOST_STEPS, MOST_TASKS, steps_of
from activities.adapters.hub import BranchOwned, Hub
from activities.adapters.refs import BranchMoved
from activities.contracts.landing_requests import FoundDeep, LandingStep
from activities.contracts.repository import GreenBranch

BRANCH = GreenBranch(repository="app-1a2b3c4d", name="whimbrel/x", migration="x")
WHEN = 1_750_000_000


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    make_repository(tmp_path / "upstream", {"a.py": "a\n"})
    return Hub.open(tmp_path / "hubs", BRANCH.repository)


@pytest.fixture
def chain(hub: Hub, tmp_path: Path) -> list[str]:
    """The base, and three commits that landed; the second has a side parent."""
    base = hub.fetch_base(str(tmp_path / "upstream"), "main", "x").commit
    found = [hub.claim_branch(BRANCH, base, deep=True)]
    for n in range(3):
        side = [hub.write_commit(base, [base], f"side {n}", WHEN)]
        new = hub.write_commit(base, [found[-1], *side], f"batch {n}", WHEN)
        found.append(hub.land(BRANCH.name, found[-1], new))
    return found


def test_it_begins_where_all_held_and_goes_forwards(hub: Hub, chain: list[str]) -> None:
    base, first, second, third = chain
    assert hub.find_deep(BRANCH, base) == FoundDeep(tip=third, green=None, behind=3)
    assert hub.find_deep(BRANCH, base, first).green == first
    ahead = hub.find_deep(BRANCH, base, third)
    assert (ahead.green, ahead.behind) == (third, 0)
    assert hub.find_deep(BRANCH, base, second).green == third, "a late one changes nothing"
    assert hub.ref("refs/heads/whimbrel/x-green") == third
    assert hub.tip(BRANCH.name) == third


def test_it_goes_to_no_commit_that_did_not_land(hub: Hub, chain: list[str]) -> None:
    base, first, *_ = chain
    side = hub.parents(first)[1]
    never = hub.write_commit(base, [chain[-1]], "never landed", WHEN)
    for stranger in (side, never):
        with pytest.raises(BranchMoved):
            hub.find_deep(BRANCH, base, stranger)
    hub.find_deep(BRANCH, base, first)
    hub.git.run("update-ref", "refs/heads/whimbrel/x-green", never)
    with pytest.raises(BranchMoved, match="x-green is at"):
        hub.find_deep(BRANCH, base, chain[-1])


def test_it_ends_at_the_last_of_those_that_several_moved_it_to_at_once(
    hub: Hub, chain: list[str]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        moves = [pool.submit(hub.find_deep, BRANCH, chain[0], to) for to in chain[1:] * 4]
    assert {move.result().tip for move in moves} == {chain[-1]}
    assert hub.find_deep(BRANCH, chain[0]).green == chain[-1]


def test_its_name_belongs_to_the_migration_and_no_other_one_lands_there(
    hub: Hub, chain: list[str]
) -> None:
    other = GreenBranch(repository=BRANCH.repository, name="whimbrel/x-green", migration="x-green")
    with pytest.raises(BranchOwned, match="whimbrel/x-green belongs to the migration x"):
        hub.claim_branch(other, chain[0])
    plain = GreenBranch(repository=BRANCH.repository, name="whimbrel/y-green", migration="y-green")
    hub.claim_branch(plain, chain[0])
    with pytest.raises(BranchOwned, match="whimbrel/y-green belongs to the migration y-green"):
        hub.claim_branch(
            GreenBranch(repository=BRANCH.repository, name="whimbrel/y", migration="y"),
            chain[0],
            deep=True,
        )


def test_it_tells_what_landed_between_two_commits_and_which_fixes(hub: Hub) -> None:
    base = hub.fetch_base(str(hub.path.parent.parent / "upstream"), "main", "x").commit
    chain = [hub.claim_branch(BRANCH, base, deep=True)]
    for tasks in (["c1-0001", "c1-0002"], ["c2-fix-e2e-1a2b3c4d"], ["c2-0001"]):
        said = "batch\n\n" + "".join(f"Task-Id: x/{task}\n" for task in tasks)
        new = hub.write_commit(base, [chain[-1]], said, WHEN)
        chain.append(hub.land(BRANCH.name, chain[-1], new))
    found = hub.find_deep(BRANCH, base, between=(chain[0], chain[2]))
    assert found.steps == (
        LandingStep(commit=chain[1], tasks=("c1-0001", "c1-0002")),
        LandingStep(commit=chain[2], tasks=("c2-fix-e2e-1a2b3c4d",)),
    )
    assert found.fixes == ("c2-fix-e2e-1a2b3c4d",)
    assert hub.find_deep(BRANCH, base, between=(chain[2], chain[3])).fixes == ()


def test_many_commits_are_told_as_steps_of_a_few() -> None:
    many = [(f"{n:040x}", [f"c1-{n}-{m}" for m in range(30)]) for n in range(MOST_STEPS + 1)]
    steps = steps_of(many)
    assert len(steps) <= MOST_STEPS
    assert (steps[0].commit, steps[-1].commit) == (many[1][0], many[-1][0])
    assert all(len(step.tasks) == MOST_TASKS for step in steps)
    assert [step.commit for step in steps_of(many[:3])] == [commit for commit, _ in many[:3]]
