"""A host works on a mirror of a hub that another host serves by git."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.adapters.collecting import refs_of
from activities.adapters.fault_points import Effect, points_of
from activities.adapters.harvest import HostileTree
from activities.adapters.hub import Hub
from activities.adapters.hub_door import NotServed, rights, served
from activities.adapters.hubs import HubUnreachable
from activities.adapters.mirrors import Mirrors
from activities.adapters.objects import ObjectMissing
from activities.adapters.refs import attempt_ref
from tests.adapters.hub_server import free_port, serving
from tests.adapters.repositories import git, make_repository

ID = "app-1a2b3c4d"
ROOT = Path(__file__).parents[2]
COMMIT = """\
commit refs/heads/main
committer Test <test@localhost> {0} +0000
data 4
more
M 100644 inline src/b.py
data 3
{0:03}

"""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its history is longer than what anybody works on."""
    path = tmp_path_factory.mktemp("mirrors") / "upstream"
    make_repository(path, {"src/a.py": "a\n", "docs/x.md": "x\n"}, bare=True)
    head = git(path, "rev-parse", "main").decode().strip()
    stream = "".join(COMMIT.format(number) for number in range(60))
    first, rest = stream.split("M ", 1)
    git(path, "fast-import", "--quiet", stdin=f"{first}from {head}\nM {rest}".encode())
    return path


@pytest.fixture
def hub(tmp_path: Path, upstream: Path) -> Hub:
    hub = Hub.open(tmp_path / "hub", ID)
    base = hub.fetch_base(str(upstream), "main", "m").commit
    git(hub.path, "update-ref", "refs/heads/whimbrel/m", base)
    return hub


@pytest.fixture
def base(hub: Hub) -> str:
    return hub.tip("whimbrel/m")


@pytest.fixture
def url(hub: Hub) -> Iterator[str]:
    with serving(hub.path.parent, "one") as url:
        yield url


@pytest.fixture
def mirrors(tmp_path: Path, url: str) -> Mirrors:
    return Mirrors(tmp_path / "mirrors", url, "one")


def made(mirror: Hub, base: str, number: int) -> str:
    """Work on the base, kept in the mirror as harvest keeps it; its ref."""
    blob = mirror.write_blob(b"work %d\n" % number)
    listed = mirror.git.run("ls-tree", "-z", base)
    tree = git(mirror.path, "mktree", "-z", stdin=listed + f"100644 blob {blob}\tnew\0".encode())
    commit = mirror.write_commit(tree.decode().strip(), [base], f"work {number}\n", number)
    ref = attempt_ref("one", "m", "c1-0001", f"0-{number}-0")
    git(mirror.path, "update-ref", ref, commit)
    return ref


def packs(hub: Hub) -> set[Path]:
    return set((hub.path / "objects/pack").glob("*.pack"))


def objects_in(pack: Path) -> int:
    index = pack.with_suffix(".idx").read_bytes()
    return len(git(pack.parent, "show-index", stdin=index).splitlines())


def test_what_is_needed_comes_by_its_id_whole(mirrors: Mirrors, hub: Hub, base: str) -> None:
    unseen = hub.write_commit(base, [base], "no ref reaches it\n", 1)
    mirror = mirrors.of(ID, base, unseen)
    assert mirror.path != hub.path
    assert mirror.read_file(unseen, "src/b.py") == b"059"
    assert git(mirror.path, "fsck", "--connectivity-only", unseen) == b""
    assert len(packs(mirror)) == 1
    assert mirrors.of(ID, base, unseen).path == mirror.path, "and is not asked for again"
    later = hub.write_commit(base, [unseen], "later\n", 2)
    before = packs(mirror)
    mirrors.of(ID, later)
    assert [objects_in(pack) for pack in packs(mirror) - before] == [1], "only what is new"


def test_many_who_need_something_at_once_share_a_connection(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    mirror = mirrors.of(ID, base)
    wanted = [hub.write_commit(base, [base], f"{n}\n", n) for n in range(24)]
    before = packs(mirror)

    def needed(commit: str) -> bool:
        return mirrors.of(ID, commit).has_commit(commit)

    with ThreadPoolExecutor(24) as threads:
        assert all(threads.map(needed, wanted))
    assert len(packs(mirror) - before) <= 4


def test_one_that_the_hub_has_not_is_nobody_elses_trouble(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    mirror = mirrors.of(ID)
    with pytest.raises(ObjectMissing):
        mirror.need([base, "1" * 40])
    assert mirror.has_commit(base)


def test_work_is_in_the_hub_when_publishing_returns(mirrors: Mirrors, hub: Hub, base: str) -> None:
    mirror = mirrors.of(ID, base)
    ref = made(mirror, base, 1)
    commit = mirror.ref(ref)
    mirror.publish(ref)
    assert hub.ref(ref) == commit
    assert hub.read_file(commit or "", "new") == b"work 1\n"
    assert mirror.refs("refs/whimbrel/host/") == {}
    mirror.publish(ref)
    assert hub.ref(ref) == commit, "again: it is there"


def test_a_host_new_to_a_hub_sends_its_work_and_no_history(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    """The branch has gone on meanwhile: the host knows no ref of the hub."""
    mirror = mirrors.of(ID, base)
    tip = hub.write_commit(base, [base], "landed meanwhile\n", 5)
    git(hub.path, "update-ref", "refs/heads/whimbrel/m", tip)
    before = packs(hub)
    mirror.publish(made(mirror, base, 1))
    assert [objects_in(pack) for pack in packs(hub) - before] == [3]


def test_what_many_publish_at_once_goes_in_few_pushes(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    mirror = mirrors.of(ID, base)
    refs = {ref: mirror.ref(ref) for ref in (made(mirror, base, n) for n in range(24))}
    before = packs(hub)
    with ThreadPoolExecutor(24) as threads:
        list(threads.map(mirrors.of(ID).publish, refs))
    assert hub.refs("refs/whimbrel/host/") == refs
    assert len(packs(hub) - before) <= 4


def test_processes_of_one_host_share_its_mirror(
    tmp_path: Path, mirrors: Mirrors, url: str, hub: Hub, base: str
) -> None:
    """Those of the roles workspace and checks: each has its own threads, both the same locks."""
    both = [mirrors, Mirrors(tmp_path / "mirrors", url, "one")]
    wanted = [hub.write_commit(base, [base], f"{n}\n", n) for n in range(8)]

    def work(number: int) -> str:
        mirror = both[number % 2].of(ID, base, wanted[number // 2])
        ref = made(mirror, wanted[number // 2], number)
        mirror.publish(ref)
        return ref

    with ThreadPoolExecutor(16) as threads:
        refs = set(threads.map(work, range(16)))
    assert hub.refs("refs/whimbrel/host/").keys() == refs
    assert mirrors.of(ID).refs("refs/whimbrel/host/") == {}


def test_a_run_over_everything_is_kept_under_the_hosts_own_name(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    mirror = mirrors.of(ID, base)
    git(mirror.path, "update-ref", "refs/whimbrel/once/m/0123-0", base)
    mirror.publish("refs/whimbrel/once/m/0123-0")
    there = "refs/whimbrel/host/one/+once/m/0123-0"
    assert hub.refs("refs/whimbrel/host/") == {there: base}
    assert hub.attempts("m") == {}
    assert refs_of(hub, "m") == [there], "and goes with the migration"


def test_of_an_attempts_checkpoints_the_hub_has_the_newest(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    mirror = mirrors.of(ID, base)
    ref = made(mirror, base, 1)
    mirror.publish(ref)
    git(mirror.path, "update-ref", ref, base)
    mirror.publish(ref)
    assert hub.ref(ref) == base


def test_what_a_killed_worker_left_is_sent_by_the_next(
    mirrors: Mirrors, hub: Hub, base: str
) -> None:
    mirror = mirrors.of(ID, base)
    left = made(mirror, base, 1)
    mirror.publish(made(mirror, base, 2))
    assert left in hub.refs("refs/whimbrel/host/")


def test_a_host_writes_nothing_but_its_own_refs(
    tmp_path: Path, url: str, hub: Hub, base: str
) -> None:
    stranger = Mirrors(tmp_path / "stranger", url, "two").of(ID, base)
    ref = attempt_ref("two", "m", "c1-0001", "0-0-0")
    git(stranger.path, "update-ref", ref, base)
    with pytest.raises(PermissionError, match="refused"):
        stranger.publish(ref)
    work = stranger.write_commit(base, [base], "sneaked in\n", 1)
    own = attempt_ref("one", "m", "c1-0001", "0-0-0")
    hub.keep(own, base)
    heads = (f"{work}:refs/heads/whimbrel/m", f"{work}:refs/heads/other", ":refs/heads/whimbrel/m")
    refused = (*heads, f"{work}:refs/whimbrel/owner/whimbrel/m", f":{own}")
    for refspec in refused:
        pushed = subprocess.run(
            ["git", f"--git-dir={stranger.path}", "push", f"{url}{ID}.git", refspec],
            capture_output=True,
        )
        assert pushed.returncode == 1, (refspec, pushed.stderr)
    assert hub.tip("whimbrel/m") == base
    assert hub.refs("refs/whimbrel/host/") == {own: base}


def test_the_refs_of_a_hundred_thousand_attempts_are_shown_to_nobody(
    mirrors: Mirrors, hub: Hub, base: str, url: str
) -> None:
    lines = (f"{base} refs/whimbrel/host/two/m/c1-{n:06}/0-0-0\n" for n in range(100_000))
    with (hub.path / "packed-refs").open("a") as file:
        file.writelines(lines)
    for service, most in (("upload-pack", 2_000), ("receive-pack", 2_000)):
        shown = subprocess.run(
            ["git", service, "--http-backend-info-refs", str(hub.path)],
            env=dict(rights("one")),
            capture_output=True,
            check=True,
        )
        assert base.encode() in shown.stdout, "the branch is"
        assert len(shown.stdout) < most
    mirror = mirrors.of(ID, base)
    ref = made(mirror, base, 1)
    mirror.publish(ref)
    assert hub.ref(ref)


def test_a_hub_that_is_away_is_waited_for(tmp_path: Path, hub: Hub, base: str) -> None:
    port = free_port()
    with serving(hub.path.parent, "one", port) as url:
        mirrors = Mirrors(tmp_path / "mirrors", url, "one")
        mirror = mirrors.of(ID, base)
    ref = made(mirror, base, 1)
    sent = threading.Thread(target=mirror.publish, args=(ref,))
    sent.start()
    time.sleep(0.5)
    assert sent.is_alive()
    with serving(hub.path.parent, "one", port):
        sent.join(20)
        assert hub.ref(ref) == base or hub.ref(ref)
    impatient = Mirrors(tmp_path / "mirrors", url, "one", patience=0).of(ID)
    with pytest.raises(HubUnreachable, match="does not answer"):
        impatient.publish(made(mirror, base, 2))
    with pytest.raises(HubUnreachable):
        impatient.probe()
    with pytest.raises(HubUnreachable):
        impatient.need(["1" * 40])


def test_what_git_refuses_spoils_no_other_work(mirrors: Mirrors, hub: Hub, base: str) -> None:
    mirror = mirrors.of(ID, base)
    blob = mirror.write_blob(b"[core]\n")
    inner = git(mirror.path, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    line = f"040000 tree {inner.decode().strip()}\t.git\n"
    tree = git(mirror.path, "mktree", stdin=line.encode()).decode().strip()
    bad = attempt_ref("one", "m", "c1-0002", "0-0-0")
    git(mirror.path, "update-ref", bad, mirror.write_commit(tree, [base], "bad\n", 1))
    good = made(mirror, base, 1)
    mirror.publish(good)
    assert hub.refs("refs/whimbrel/host/").keys() == {good}
    git(mirror.path, "update-ref", bad, mirror.write_commit(tree, [base], "bad\n", 1))
    with pytest.raises(HostileTree, match="fsck"):
        mirror.publish(bad)
    assert mirror.refs("refs/whimbrel/host/") == {}


FETCH = """\
import sys
from pathlib import Path
from activities.adapters.mirrors import Mirrors
mirrors = Mirrors(Path(sys.argv[1]), sys.argv[2], "one")
print("ready", flush=True)
mirrors.of(sys.argv[3], sys.argv[4])
"""


def test_a_fetch_that_is_killed_leaves_no_commit_without_its_files(
    tmp_path: Path, url: str, hub: Hub, base: str
) -> None:
    command = [sys.executable, "-c", FETCH, str(tmp_path / "m"), url, ID, base]
    for moment in (0.01, 0.04):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, process_group=0) as child:
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            time.sleep(moment)
            os.killpg(child.pid, signal.SIGKILL)
        mirrors = Mirrors(tmp_path / "m", url, "one")
        mirrors.sweep()
        if mirrors.of(ID).has_commit(base):
            break
    mirror = mirrors.of(ID, base)
    assert git(mirror.path, "fsck", "--connectivity-only", base) == b""


PUBLISH = """\
import sys
from pathlib import Path
from activities.adapters.fault_points import arm
from activities.adapters.mirrors import Mirrors
root, marks, orders, url, repository, base, ref = sys.argv[1:]
arm(orders, Path(marks), ())
mirror = Mirrors(Path(root), url, "one").of(repository, base)
mirror.git.run("update-ref", ref, base)
mirror.publish(ref)
"""


@pytest.mark.parametrize("point", points_of([Effect.REF_MIRRORED, Effect.PUSHED, Effect.REF_SENT]))
def test_killed_at_any_step_to_the_hub_the_next_one_takes_it_there(
    tmp_path: Path, url: str, hub: Hub, base: str, point: str
) -> None:
    ref, more = (attempt_ref("one", "m", "c1-0001", f"0-{n}-0") for n in (0, 1))
    command = [sys.executable, "-c", PUBLISH, str(tmp_path / "mirrors"), str(tmp_path)]
    command += [f"crash@{point}", url, ID, base]
    killed = subprocess.run([*command, ref], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    mirrors = Mirrors(tmp_path / "mirrors", url, "one")
    mirror = mirrors.of(ID, base)
    git(mirror.path, "update-ref", more, base)
    mirror.publish(more)
    began = "ref/mirrored" not in point
    assert hub.refs("refs/whimbrel/host/").keys() == ({ref, more} if began else {more})
    assert mirror.refs("refs/whimbrel/host/") == {}
    assert git(mirror.path, "fsck", "--connectivity-only", base) == b""


@pytest.mark.parametrize(
    "asked",
    [
        "git-upload-pack '/app-1a2b3c4d.git' --upload-pack=x",
        "git-upload-archive '/app-1a2b3c4d.git'",
        "git-upload-pack '/other-1a2b3c4d.git'",
        "git-upload-pack '/../hub'",
        "sh -c id",
        "git-upload-pack '",
        "",
    ],
)
def test_the_door_opens_for_nothing_else(tmp_path: Path, asked: str) -> None:
    (tmp_path / f"{ID}.git").mkdir()
    with pytest.raises(NotServed):
        served(asked, tmp_path)


def test_the_door_serves_git_over_ssh(hub: Hub, base: str) -> None:
    """As sshd runs a forced command; nothing of its own environment is needed."""
    door = [sys.executable, "-m", "activities.adapters.hub_door"]
    for asked in ("git-upload-pack", "git receive-pack"):
        shown = subprocess.run(
            [*door, "one", str(hub.path.parent)],
            cwd=ROOT,
            env={"SSH_ORIGINAL_COMMAND": f"{asked} '/hubs/{ID}.git'"},
            input=b"0000",
            capture_output=True,
        )
        assert base.encode() in shown.stdout, shown.stderr
    with pytest.raises(NotServed):
        rights("a/b")
