"""Where a tree is spliced, it is the tree that git's own merge gives; elsewhere git is asked."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.adapters.merging import MergeEngine
from activities.adapters.quarantine import Quarantine
from tests.adapters.repositories import git, make_repository

Files = dict[str, tuple[str, str]]
"""Path → mode and content."""
FOLDERS = ("", "lib/", "lib/deep/", "lib/deep/er/", "src/", "src/sub/")
BASE: Files = {
    f"{folder}{name}": ("100644", "".join(f"{folder}{name} {n}\n" for n in range(8)))
    for folder in FOLDERS
    for name in ("a.txt", "b.txt")
}
PAIRS = 250
CERTAIN: dict[str, tuple[Files, Files]] = {
    "files of one folder": (
        {"src/a.txt": ("100644", "ours\n")},
        {"src/b.txt": ("100644", "theirs\n"), "src/new.txt": ("100644", "new\n")},
    ),
    "a folder that both add": (
        {"fresh/deep/ours.txt": ("100644", "ours\n")},
        {"fresh/deep/theirs.txt": ("100644", "theirs\n")},
    ),
    "a name that sorts otherwise as a folder": (
        {"src-x": ("100644", "x\n"), "src.txt": ("100644", "x\n")},
        {"src/new.txt": ("100644", "new\n"), "src0": ("100644", "0\n")},
    ),
    "modes and links": (
        {"src/a.txt": ("120000", "b.txt"), "lib/a.txt": ("100755", BASE["lib/a.txt"][1])},
        {"src/b.txt": ("120000", "sub/a.txt"), "lib/b.txt": ("100755", "b\n")},
    ),
}
UNCERTAIN: dict[str, tuple[Files, Files]] = {
    "a file that both changed": (
        {"src/a.txt": ("100644", "first\n" + BASE["src/a.txt"][1])},
        {"src/a.txt": ("100644", BASE["src/a.txt"][1] + "last\n")},
    ),
    "a file where the other has a folder": (
        {"fresh": ("100644", "x\n")},
        {"fresh/new.txt": ("100644", "new\n")},
    ),
}


class Store:
    """Sides of merges in one repository, with the two ways to merge them."""

    def __init__(self, path: Path, quarantine: Quarantine, engine: MergeEngine, base: str) -> None:
        self._path = path
        self._quarantine = quarantine
        self._engine = engine
        self.base = base

    def commits(self, sides: list[Files]) -> list[str]:
        """A commit on the base for each of these trees."""
        stream = b"".join(_commit(f"side{at}", side, self.base) for at, side in enumerate(sides))
        git(self._path, "fast-import", "--quiet", "--force", stdin=stream)
        names = [f"refs/heads/side{at}" for at in range(len(sides))]
        return git(self._path, "rev-parse", *names).decode().split()

    def spliced(self, ours: str, theirs: str) -> str | None:
        made = self._quarantine
        return made.splice(self.base, made.tree(ours), theirs, made.diff(self.base, theirs))

    def merged(self, ours: str, theirs: str) -> str | None:
        return self._engine.merge(ours, theirs, self.base).tree


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "r"
    make_repository(path, {}, bare=True)
    git(path, "fast-import", "--quiet", stdin=_commit("base", BASE, ""))
    base = git(path, "rev-parse", "base").decode().strip()
    with Quarantine(path) as quarantine, MergeEngine(path) as engine:
        yield Store(path, quarantine, engine, base)


def _commit(branch: str, files: Files, parent: str) -> bytes:
    lines = [f"commit refs/heads/{branch}\ncommitter T <t@localhost> 1700000000 +0000\ndata 0\n"]
    lines += [f"from {parent}\n"] if parent else []
    lines += ["deleteall\n"]
    for path, (mode, content) in files.items():
        lines += [f"M {mode} inline {path}\ndata {len(content)}\n{content}\n"]
    return "".join(lines).encode()


def _vary(chance: random.Random) -> Files:
    """A tree some steps away from the base: edits, additions, deletions, moves, other kinds."""
    files = dict(BASE)
    for _ in range(chance.randint(1, 4)):
        _step(chance, files)
    return files


def _step(chance: random.Random, files: Files) -> None:
    path = chance.choice(sorted(files))
    mode, content = files[path]
    folder = chance.choice([*FOLDERS, "new/", "new/deep/"])
    new = folder + chance.choice(["a.txt", "c.txt", "d.txt", "lib", "new"])
    match chance.choice("eeeeaaadmMtF"):
        case "e":
            files[path] = (mode, content + chance.choice(["x\n", "y\n"]))
        case "a":
            _put(files, new, ("100644", chance.choice(["1\n", "2\n"])))
        case "d":
            del files[path]
        case "m":
            _put(files, new, files.pop(path))
        case "M":
            for moved in [p for p in files if folder and p.startswith(folder)]:
                _put(files, moved.replace(folder, "moved/", 1), files.pop(moved))
        case "t":
            files[path] = chance.choice([("100755", content), ("120000", "a.txt")])
        case _:
            del files[path]
            _put(files, f"{path}/inside", ("100644", content))


def _put(files: Files, path: str, what: tuple[str, str]) -> None:
    """Puts a file where neither a folder nor a file is in its way."""
    parents = {path[:at] for at, letter in enumerate(path) if letter == "/"}
    if not parents & set(files) and not any(p.startswith(f"{path}/") for p in files):
        files[path] = what


def test_a_spliced_tree_is_the_one_that_git_merges(store: Store) -> None:
    chance = random.Random(7)
    commits = store.commits([_vary(chance) for _ in range(2 * PAIRS)])
    spliced = 0
    for ours, theirs in zip(commits[::2], commits[1::2], strict=True):
        tree = store.spliced(ours, theirs)
        if tree is not None:
            spliced += 1
            assert tree == store.merged(ours, theirs), f"{ours} {theirs}"
    assert spliced > PAIRS / 8


@pytest.mark.parametrize("case", CERTAIN)
def test_what_only_one_side_changed_needs_no_git(store: Store, case: str) -> None:
    ours, theirs = store.commits([BASE | side for side in CERTAIN[case]])
    tree = store.spliced(ours, theirs)
    assert tree is not None
    assert tree == store.merged(ours, theirs)


@pytest.mark.parametrize("case", UNCERTAIN)
def test_what_both_sides_changed_is_left_to_git(store: Store, case: str) -> None:
    ours, theirs = store.commits([BASE | side for side in UNCERTAIN[case]])
    assert store.spliced(ours, theirs) is None


def test_a_change_that_deletes_is_left_to_git(store: Store) -> None:
    lacking = {path: what for path, what in BASE.items() if path != "src/a.txt"}
    ours, theirs = store.commits([BASE | {"lib/a.txt": ("100644", "ours\n")}, lacking])
    assert store.spliced(ours, theirs) is None


def test_a_file_for_a_folder_that_moved_away_is_left_to_git(store: Store) -> None:
    moved = {path.replace("src/sub/", "elsewhere/"): what for path, what in BASE.items()}
    added = BASE | {"src/sub/new.txt": ("100644", "new\n")}
    ours, theirs = store.commits([moved, added])
    assert store.merged(ours, theirs) is None
    assert store.spliced(ours, theirs) is None


def test_a_tree_with_modes_of_old_is_left_to_git(store: Store) -> None:
    ours, theirs = store.commits(
        [BASE | {"src/b.txt": ("100644", "ours\n")}, BASE | {"src/a.txt": ("100644", "theirs\n")}]
    )
    made = store._quarantine
    old = _with_mode(store._path, ours, "src", b"100664")
    assert made.splice(store.base, old, theirs, made.diff(store.base, theirs)) is None


def _with_mode(path: Path, commit: str, folder: str, mode: bytes) -> str:
    """The commit's tree with one folder as git of old wrote it."""
    inner = git(path, "cat-file", "tree", f"{commit}:{folder}")
    odd = inner.replace(b"100644 b.txt", mode + b" b.txt")
    words = ("hash-object", "-t", "tree", "--literally", "-w", "--stdin")
    id = git(path, *words, stdin=odd).decode().strip()
    listed = git(path, "ls-tree", commit).decode().splitlines()
    lines = [f"040000 tree {id}\t{folder}" if ln.endswith(f"\t{folder}") else ln for ln in listed]
    return git(path, "mktree", stdin="\n".join(lines).encode() + b"\n").decode().strip()
