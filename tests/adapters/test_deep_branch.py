"""The branch beside the green one: forwards only, along the green chain, owned like it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from repositories import make_repository

from activities.adapters.hub import BranchMoved, BranchOwned, Hub
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
    found = {"tip": third, "green": None, "behind": 3, "both": None}
    assert hub.find_deep(BRANCH, base).model_dump() == found
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
