"""The green branch follows an upstream that really moves: merged, rewritten, deleted, away."""

from pathlib import Path

import pytest

from activities.adapters.hub import Hub
from activities.adapters.taken_anew import taken_anew
from activities.contracts.landing import Candidate
from activities.contracts.moving_base import BaseLook, BaseSeen, BothSides
from activities.contracts.repository import GreenBranch, Repository
from tests.adapters.repositories import Content, commit_files, git, make_repository
from tests.adapters.test_hub import MIGRATION, compose

WHEN = 1_750_000_000
BRANCH = "whimbrel/m"
FILES: dict[str | bytes, Content] = {"a.py": "one\ntwo\nthree\n", "b.py": "b\n", "c.py": "c\n"}


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    make_repository(tmp_path / "upstream", FILES)
    return tmp_path / "upstream"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.open(tmp_path / "hubs", "app-1a2b3c4d")


@pytest.fixture
def base(hub: Hub, upstream: Path) -> str:
    """The base, with a green branch that begins there."""
    base = hub.fetch_base(str(upstream), "main", MIGRATION).commit
    green = GreenBranch(repository="app-1a2b3c4d", name=BRANCH, migration=MIGRATION)
    assert hub.claim_branch(green, base) == base
    return base


def look(hub: Hub, upstream: Path, base: str, accepted: str | None = None) -> BaseLook:
    of = Repository(url=str(upstream), id="app-1a2b3c4d")
    return hub.look_at_base(of, MIGRATION, hub.tip(BRANCH), base, accepted)


def landed(hub: Hub, task: str, base: str, files: dict[str | bytes, str]) -> str:
    """A batch of one task that changes these files, on the branch."""
    tip = hub.tip(BRANCH)
    (commit,) = compose(hub, tip, candidate(hub, task, base, files)).prefixes
    return hub.land(BRANCH, tip, commit)


def candidate(hub: Hub, task: str, base: str, files: dict[str | bytes, str]) -> Candidate:
    work = commit_files(hub.path, files, ref=f"refs/whimbrel/work/{task}", parent=base)
    return Candidate(
        migration=MIGRATION,
        task=task,
        commit=hub.write_commit(hub.tree(work), [base], f"Change {task}\n", WHEN),
        base=base,
        title=task,
        claims=tuple(map(str, files)),
        reply_to="task",
    )


def merged(hub: Hub, upstream: Path, base: str, head: str) -> str:
    """The head, which upstream is at, merged and landed."""
    assert look(hub, upstream, base).head == head
    composed = hub.compose_base_merge(BRANCH, hub.tip(BRANCH), base, head, WHEN)
    assert composed.commit
    return hub.land(BRANCH, composed.tip, composed.commit)


def test_a_base_that_did_not_move_is_the_same(hub: Hub, upstream: Path, base: str) -> None:
    landed(hub, "c1-0001", base, {"b.py": "new\n"})
    found = look(hub, upstream, base)
    assert (found.seen, found.head, found.stands_on) == (BaseSeen.SAME, base, base)
    tip = hub.tip(BRANCH)
    assert hub.compose_base_merge(BRANCH, tip, base, base, WHEN).commit is None


def test_a_base_that_moved_is_merged_as_one_commit_of_tip_and_head(
    hub: Hub, upstream: Path, base: str
) -> None:
    tip = landed(hub, "c1-0001", base, {"b.py": "new\n"})
    commit_files(upstream, {"c.py": "upstream\n"})
    head = commit_files(upstream, {"d.py": "more\n"})
    found = look(hub, upstream, base)
    assert (found.seen, found.head, found.commits) == (BaseSeen.MOVED, head, 2)
    composed = hub.compose_base_merge(BRANCH, tip, base, head, WHEN)
    assert composed == hub.compose_base_merge(BRANCH, tip, base, head, WHEN)
    assert composed.commit
    assert hub.parents(composed.commit) == (tip, head)
    assert hub.message(composed.commit).endswith(f"\n\nBase: {head}\n")
    assert {e.path for e in hub.diff(tip, composed.commit)} == {"c.py", "d.py"}
    assert hub.land(BRANCH, tip, composed.commit) == composed.commit
    assert look(hub, upstream, base).seen is BaseSeen.SAME
    assert hub.stands_on(hub.tip(BRANCH), base) == head
    assert hub.compose_base_merge(BRANCH, composed.commit, base, head, WHEN).commit is None


def test_tasks_that_landed_before_and_after_a_merge_are_read_from_the_chain(
    hub: Hub, upstream: Path, base: str
) -> None:
    first = landed(hub, "c1-0001", base, {"b.py": "new\n"})
    merge = merged(
        hub, upstream, base, commit_files(upstream, {"c.py": "upstream\n"}, message=TRAP)
    )
    second = landed(hub, "c1-0002", base, {"a.py": "ONE\ntwo\nthree\n"})
    assert hub.landed(BRANCH, base, MIGRATION) == {"c1-0001": first, "c1-0002": second}
    assert [landing.commit for landing in hub.landings(BRANCH, base, MIGRATION)] == [first, second]
    (found,) = hub.base_merges(hub.tip(BRANCH), base)
    assert (found.commit, found.commits, found.taken_anew) == (merge, 1, ())
    assert hub.read_file(second, "c.py") == b"upstream\n"
    assert [e.path for e in hub.diff(found.head, second)] == ["a.py", "b.py"]


TRAP = f"a commit of upstream's\n\nTask-Id: {MIGRATION}/c1-0009\nBase: {'1' * 40}\n"


def test_where_both_changed_the_same_place_the_base_wins_and_the_path_is_named(
    hub: Hub, upstream: Path, base: str
) -> None:
    odd = "o\ndd \xe9.py"
    commit_files(upstream, {odd: "odd\n"})
    merged(hub, upstream, base, git(upstream, "rev-parse", "main").decode().strip())
    tip = hub.tip(BRANCH)
    landed(hub, "c1-0001", tip, {"a.py": "NEW\ntwo\nthree\n", "b.py": "new\n", odd: "new\n"})
    head = commit_files(upstream, {"a.py": "upstream\ntwo\nthree\n", odd: "upstream\n"}, ["b.py"])
    assert look(hub, upstream, base).seen is BaseSeen.MOVED
    composed = hub.compose_base_merge(BRANCH, hub.tip(BRANCH), base, head, WHEN)
    assert composed.commit
    assert set(composed.taken_anew) == {"a.py", "b.py", odd}
    assert composed.conflicts == 3
    assert hub.tree(composed.commit) == hub.tree(head)
    hub.land(BRANCH, composed.tip, composed.commit)
    *_, last = hub.base_merges(hub.tip(BRANCH), base)
    assert set(last.taken_anew) == {"a.py", "b.py", odd}


def test_a_rewritten_base_is_told_apart_and_needs_to_be_accepted(
    hub: Hub, upstream: Path, base: str
) -> None:
    first = commit_files(upstream, {"c.py": "to be dropped\n"})
    merged(hub, upstream, base, first)
    tip = landed(hub, "c1-0001", hub.tip(BRANCH), {"b.py": "new\n"})
    head = commit_files(upstream, {"d.py": "instead\n"}, parent=base)
    assert look(hub, upstream, base).seen is BaseSeen.REWRITTEN
    found = look(hub, upstream, base, accepted=head)
    assert (found.seen, found.head, found.stands_on) == (BaseSeen.MOVED, head, first)
    merge = merged(hub, upstream, base, head)
    assert hub.parents(merge) == (tip, head)
    assert [e.path for e in hub.diff(head, merge)] == ["b.py"]  # what was dropped is gone
    assert look(hub, upstream, base).seen is BaseSeen.SAME
    moved = commit_files(upstream, {"e.py": "goes on\n"})
    assert look(hub, upstream, base).seen is BaseSeen.MOVED
    assert hub.parents(merged(hub, upstream, base, moved)) == (merge, moved)


def test_a_base_that_was_set_back_is_rewritten_too(hub: Hub, upstream: Path, base: str) -> None:
    head = commit_files(upstream, {"c.py": "to be dropped\n"})
    merged(hub, upstream, base, head)
    git(upstream, "update-ref", "refs/heads/main", base)
    assert look(hub, upstream, base).seen is BaseSeen.REWRITTEN
    merge = merged(hub, upstream, base, base)
    assert hub.tree(merge) == hub.tree(base)


def test_what_upstream_took_of_the_branch_is_no_news(hub: Hub, upstream: Path, base: str) -> None:
    landed(hub, "c1-0001", base, {"b.py": "new\n"})
    taken = hub.tip(BRANCH)
    git(upstream, "fetch", "-q", str(hub.path), f"+{taken}:refs/heads/main", "--update-head-ok")
    landed(hub, "c1-0002", base, {"c.py": "new\n"})
    assert look(hub, upstream, base).seen is BaseSeen.SAME


def test_a_branch_that_is_gone_and_an_upstream_that_is_away_are_answers(
    hub: Hub, upstream: Path, base: str
) -> None:
    git(upstream, "update-ref", "-d", "refs/heads/main")
    gone = look(hub, upstream, base)
    assert (gone.seen, gone.text) == (BaseSeen.GONE, f"{upstream} has no branch main")
    upstream.rename(upstream.with_name("moved"))
    assert look(hub, upstream, base).seen is BaseSeen.UNREACHABLE
    assert hub.tip(BRANCH) == base


def test_what_the_base_changed_after_it_had_landed_is_outdated(
    hub: Hub, upstream: Path, base: str
) -> None:
    first = landed(hub, "c1-0001", base, {"a.py": "NEW\ntwo\nthree\n", "b.py": "new\n"})
    head = commit_files(upstream, {"a.py": "one\ntwo\n3\n", "b.py": "upstream\n", "d.py": "d\n"})
    merge = merged(hub, upstream, base, head)
    second = landed(hub, "c1-0002", merge, {"d.py": "new\n"})
    tip = hub.tip(BRANCH)
    outdated = hub.outdated(tip, base, {"a.py": first, "b.py": first, "d.py": second})
    assert outdated == ({"a.py", "b.py"}, {"b.py"})
    assert hub.outdated(tip, base, {}) == (set(), set())
    third = landed(hub, "c2-0001", tip, {"b.py": "new again\n"})
    again = {"a.py": first, "b.py": third, "d.py": second}
    assert hub.outdated(third, base, again) == ({"a.py"}, set())
    assert hub.brought_since(third, base) == {"a.py", "b.py", "d.py"}
    assert hub.brought_since(third, merge) == set()


def test_a_task_is_told_both_changes_of_a_file_that_is_to_be_migrated_anew(
    hub: Hub, upstream: Path, base: str
) -> None:
    first = landed(hub, "c1-0001", base, {"a.py": "ONE\ntwo\nthree\n", "b.py": "new\n"})
    head = commit_files(upstream, {"a.py": "1 ```\ntwo\nthree\n"})
    merged(hub, upstream, base, head)
    told = taken_anew(hub, hub.tip(BRANCH), base, {"a.py": first, "b.py": first})
    assert list(told) == ["a.py"]
    assert "-one\n+ONE\n two" in told["a.py"]
    assert "-one\n+1 ` ` `\n two" in told["a.py"]


def test_what_looks_behind_the_landings_holds_them_against_the_base_that_was_merged_too(
    hub: Hub, upstream: Path, base: str
) -> None:
    green = GreenBranch(repository="app-1a2b3c4d", name=BRANCH, migration=MIGRATION)
    head = commit_files(upstream, {"c.py": "upstream\n"})
    merge = merged(hub, upstream, base, head)
    assert hub.find_deep(green, base).both == BothSides(head=head, stands_on=base)
    assert hub.find_deep(green, base, to=merge).both is None
