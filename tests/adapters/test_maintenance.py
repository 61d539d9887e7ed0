"""A hub in which refs and history added up: less to read for everybody, and nothing is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.adapters.hub import Hub
from activities.adapters.hubs import Hubs
from activities.adapters.mirrors import Mirrors
from activities.adapters.tidying import REFS, tidy
from tests.adapters.repositories import git, make_repository
from tests.adapters.test_tidying import ROOT, TIDIES, wait_for_its_children

ID = "app-1a2b3c4d"
GRAPHS = "objects/info/commit-graphs"


@pytest.fixture
def hubs(tmp_path: Path) -> Hubs:
    make_repository(tmp_path / "upstream", {"a": "1\n"})
    hubs = Hubs(tmp_path / "hub")
    hubs.of(ID).fetch_base(str(tmp_path / "upstream"), "main", "m")
    return hubs


@pytest.fixture
def hub(hubs: Hubs) -> Hub:
    return hubs.of(ID)


@pytest.fixture
def base(hub: Hub) -> str:
    pinned = hub.pinned_base("m")
    assert pinned
    return pinned.commit


def many(hub: Hub, base: str, count: int, host: str = "one") -> dict[str, str]:
    """Refs of a host's attempts, as loose as they are written."""
    refs = {f"refs/whimbrel/host/{host}/m/c1-{n:04}/0-0-0": base for n in range(count)}
    lines = "".join(f"create {ref} {commit}\n" for ref, commit in refs.items())
    git(hub.path, "update-ref", "--stdin", stdin=lines.encode())
    return refs


def loose(hub: Hub) -> int:
    return sum(path.is_file() for path in (hub.path / "refs").rglob("*"))


def test_many_refs_become_a_file_and_each_is_there(hub: Hub, base: str) -> None:
    few = many(hub, base, 5)
    assert "refs" not in tidy(hub)
    refs = few | many(hub, base, REFS, "two")
    assert "refs" in tidy(hub)
    assert loose(hub) == 0
    assert hub.refs("refs/whimbrel/host/") == refs
    assert hub.pinned_base("m")
    gone = next(iter(refs))
    hub.drop([gone])
    assert hub.ref(gone) is None, "what is packed can go"


def test_who_writes_refs_meanwhile_loses_none(hub: Hub, base: str) -> None:
    """Both kinds: those who take the hub's lock, and harvest and pushes, who do not."""
    refs = many(hub, base, 2 * REFS)
    over = threading.Event()
    written: dict[str, str] = {}

    def write() -> None:
        for number in range(10_000):
            if over.is_set():
                return
            ref = f"refs/whimbrel/host/one/m/late-{number:04}/0-0-0"
            if number % 2:
                hub.keep(ref, base)
            else:
                git(hub.path, "update-ref", ref, base)
            written[ref] = base

    writer = threading.Thread(target=write)
    writer.start()
    while len(written) < 3:
        time.sleep(0.01)
    done = [tidy(hub)]
    over.set()
    writer.join()
    assert "refs" in done[0]
    assert hub.refs("refs/whimbrel/host/") == refs | written


def test_history_is_written_down_and_added_to(hub: Hub, base: str) -> None:
    fetched = hub.path / "objects/pack"
    commits = [base]
    for number in range(30):
        commits.append(hub.write_commit(base, [commits[-1]], f"{number}\n", number))
    git(hub.path, "update-ref", "refs/heads/whimbrel/m", commits[-1])
    os.utime(fetched)
    assert "the commit graph" in tidy(hub)
    assert tidy(hub) == [], "nothing came since"
    chain = hub.path / GRAPHS / "commit-graph-chain"
    first = chain.read_text().split()
    git(hub.path, "commit-graph", "verify")
    more = hub.write_commit(base, [commits[-1]], "more\n", 99)
    git(hub.path, "update-ref", "refs/heads/whimbrel/m", more)
    os.utime(fetched)
    assert tidy(hub) == [], "not every time that something comes"
    os.utime(chain, (1, 1))
    assert tidy(hub) == ["the commit graph"]
    assert chain.read_text().split()[:1] == first[:1], "what was written is not written again"
    git(hub.path, "commit-graph", "verify")
    assert hub.on_chain(more, {base}) == {base}


def test_where_nothing_adds_up_no_git_is_started(hub: Hub, base: str) -> None:
    assert tidy(hub) == ["the commit graph"]
    (hub.path / "config").write_text("[no")
    assert tidy(hub) == [], "git would have failed"
    assert base


MOMENTS: dict[str, Callable[[Hub], bool]] = {
    "refs locked": lambda hub: (hub.path / "packed-refs.lock").exists(),
    "refs written": lambda hub: (hub.path / "packed-refs").exists(),
    "graph begun": lambda hub: any((hub.path / GRAPHS).glob("*")),
    "graph named": lambda hub: any((hub.path / GRAPHS).glob("*.graph")),
}


@pytest.fixture
def added(hub: Hub, base: str) -> dict[str, str]:
    return many(hub, base, 2 * REFS)


@pytest.mark.parametrize("seen", MOMENTS)
def test_killed_at_any_moment_it_stands_in_nobodys_way(
    hubs: Hubs, hub: Hub, base: str, added: dict[str, str], seen: str
) -> None:
    command = [sys.executable, "-c", TIDIES, str(hub.path.parent)]
    with subprocess.Popen(command, start_new_session=True, cwd=ROOT) as tidying:
        while tidying.poll() is None and not MOMENTS[seen](hub):
            pass
        kill_all_of(tidying.pid)
        tidying.wait()
    wait_for_its_children(hub)
    assert hub.refs("refs/whimbrel/host/") == added
    hub.keep("refs/whimbrel/test", base)
    for left in (*hub.path.glob("packed-refs.*"), *(hub.path / "refs").rglob("*.lock")):
        os.utime(left, (1, 1))  # a minute later
    hubs.sweep()
    hub.drop(["refs/whimbrel/test"])
    chain = hub.path / GRAPHS / "commit-graph-chain"
    if chain.exists():
        os.utime(chain, (1, 1))
    many(hub, base, REFS + 1, "two")
    os.utime(hub.path / "objects/pack")
    assert {"refs", "the commit graph"} <= {*tidy(hub)}
    assert not [*hub.path.rglob("*.lock"), *(hub.path / GRAPHS).glob("tmp_*")]
    assert added.items() <= hub.refs("refs/whimbrel/host/").items()
    git(hub.path, "commit-graph", "verify")
    git(hub.path, "fsck", "--connectivity-only")


def kill_all_of(pid: int) -> None:
    """The process and whatever it started, in whichever groups they are."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    doomed = [pid]
    for one in doomed:  # grows while it is walked
        doomed += children.get(one, [])
    for one in doomed:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_mirrors_are_tidied_as_hubs_are(tmp_path: Path, hub: Hub, base: str) -> None:
    mirrors = Mirrors(tmp_path / "mirrors", f"file://{hub.path.parent}", "one")
    git(hub.path, "config", "uploadpack.allowAnySHA1InWant", "true")
    mirror = mirrors.of(ID, base)
    many(mirror, base, REFS + 1)
    assert mirrors.tidy() == [mirror.path]
    assert loose(mirror) == 0
    assert (mirror.path / GRAPHS / "commit-graph-chain").exists()
    assert mirror.has_commit(base)
    assert mirrors.tidy() == []
