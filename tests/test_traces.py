"""What a migration must not leave or touch is noticed when it does."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import traces
from tests.adapters.repositories import git, make_repository


def test_a_process_that_is_left_is_noticed(tmp_path: Path):
    env, pipe = {"WHIMBREL_HOME": str(tmp_path)}, subprocess.PIPE
    with subprocess.Popen(["cat"], env=env, stdin=pipe, stdout=pipe) as left:
        assert left.stdin and left.stdout  # noqa: PT018
        left.stdin.write(b"it runs\n")
        left.stdin.flush()
        assert left.stdout.readline()
        assert traces.processes_of(tmp_path) == ["cat "]
        left.kill()
    traces.assert_nothing_runs(tmp_path)


def test_a_mount_that_is_left_is_noticed(tmp_path: Path):
    look = "from pathlib import Path; import sys; from tests import traces; "
    look += "print(traces.mounts_of(Path(sys.argv[1])))"
    inside = f"mount -t tmpfs left {tmp_path} && python3 -c '{look}' {tmp_path}"
    run = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside]
    seen = subprocess.run(run, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert seen.stdout.strip() == str([str(tmp_path)]), seen.stderr


@pytest.mark.parametrize(
    "touch",
    [
        lambda repository: (repository / "a.py").write_text("changed"),
        lambda repository: git(repository, "update-ref", "refs/heads/mine", "HEAD"),
        lambda repository: (repository / "a.py").chmod(0o755),
        lambda repository: os.utime(repository / "a.py"),
        lambda repository: (repository / "a.py").unlink(),
    ],
    ids=["content", "ref", "mode", "time", "gone"],
)
def test_a_touched_repository_is_noticed(tmp_path: Path, touch: Callable[[Path], object]):
    make_repository(tmp_path / "mine", {"a.py": "a"})
    before = traces.fingerprint(tmp_path / "mine")
    assert traces.fingerprint(tmp_path / "mine") == before
    touch(tmp_path / "mine")
    assert traces.fingerprint(tmp_path / "mine") != before
