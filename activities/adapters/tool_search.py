"""Searches a repository for an agent: ripgrep on a tree, git's grep in a commit.

Neither reads any configuration, follows a link or looks at what git ignores; both are ended after a
while, and as soon as there is enough to show. Only tracked files and those that the task added
count: what a build left behind would bury them.
"""

import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import cache
from importlib.metadata import files
from pathlib import Path

from activities.adapters.git import Git
from activities.adapters.path_names import name_of
from activities.adapters.tool_text import LINE_SHOWN, Refused, globbing, shortened
from activities.adapters.tool_views import LARGEST, CommitView, TreeView, View, folder_in
from activities.contracts.tools import SearchText

SECONDS = 30
SHOWN = 300
"""Lines."""
PER_FILE = 100
"""Matches."""
_GLOB = re.compile(r"[*?\[]")
_HIT = re.compile(rb"(\d+)([:-])(.*)", re.DOTALL)
_LONGEST = 1 << 16
"""Bytes of one line that are read."""


def search(view: View, wanted: SearchText) -> str:
    """Lines that match, as `path:line: text`. Raises Refused, UnsafePath."""
    if "\0" in wanted.pattern:
        raise Refused("a pattern cannot hold a NUL")
    counts, roots = _scope(view, wanted.paths)
    with closing(_hits(view, wanted, roots, counts)) as hits:
        shown: list[str] = []
        found: Counter[bytes] = Counter()
        for path, line, text in hits:
            if len(shown) == SHOWN:
                shown.append(
                    f"[cut: more than {SHOWN} lines; make the pattern longer or name `paths`]"
                )
                break
            shown.append(f"{name_of(path)}:{line}: {shortened(text, 300)}")
            found[path] += 1
        shown += [
            f"[{name_of(path)} may have more: {PER_FILE} matches of a file are shown]"
            for path, lines in found.items()
            if lines >= PER_FILE
        ]
    return "\n".join(shown) or "nothing matches"


def _scope(view: View, paths: Sequence[str]) -> tuple[Callable[[bytes], bool], list[bytes]]:
    """Whether a path counts, and where to look for such; everywhere: no roots."""
    known = set(view.paths())
    globs = [path for path in paths if _GLOB.search(path)]
    roots = [folder_in(path) for path in paths if path not in globs]
    if not paths or b"" in roots:
        return known.__contains__, []
    for path in roots:
        found = view.look(path)
        if found is None or found.kind not in ("file", "folder"):
            raise Refused(
                f"{name_of(path)} is no file or folder here: see what there is with `list_files`"
            )
    if globs:
        by_glob = set(filter(globbing(globs), known))
        if not by_glob and not roots:
            raise Refused(f"no file matches {', '.join(globs)}: try `find_files`")
        below = tuple(root + b"/" for root in roots)
        inside = {p for p in known if p in by_glob or p in roots or p.startswith(below or (b"\0",))}
        return inside.__contains__, []
    return known.__contains__, roots


def _hits(
    view: View, wanted: SearchText, roots: list[bytes], counts: Callable[[bytes], bool]
) -> Generator[tuple[bytes, int, str]]:
    if isinstance(view, CommitView):
        yield from _in_commit(view, wanted, roots, counts)
        return
    assert isinstance(view, TreeView)
    on_disk = view.on_disk() if view.sparse else set[bytes]()
    here = [r for r in roots if r in on_disk or (view.tree / os.fsdecode(r)).is_dir()]
    if not view.sparse or here or not roots:
        yield from _in_tree(view.tree, wanted, here if view.sparse else roots, counts)
    if view.sparse:
        yield from _in_commit(
            view.below, wanted, roots, lambda path: counts(path) and path not in on_disk
        )


def _in_tree(
    tree: Path, wanted: SearchText, roots: list[bytes], counts: Callable[[bytes], bool]
) -> Generator[tuple[bytes, int, str]]:
    words = [
        *(_ripgrep(), "--no-config", "--no-ignore", "--hidden", "--sort=path", "--null", "-n"),
        *("--no-heading", "--with-filename", "--color=never", "--no-messages", "--threads=1"),
        *(f"--max-count={PER_FILE}", f"--max-filesize={LARGEST}", "--glob=!/.git"),
        *(["-i"] if wanted.ignore_case else []),
        *([f"-C{wanted.context}"] if wanted.context else []),
        *("-e", wanted.pattern, "--"),
        *([f"./{os.fsdecode(root)}" for root in roots] or ["."]),
    ]
    for raw in _lines(words, tree, nothing=1):
        path, nul, rest = raw.partition(b"\0")
        hit = _HIT.fullmatch(rest)
        path = path.removeprefix(b"./")
        if nul and hit and counts(path):
            yield path, int(hit[1]), _text(hit[3])


def _in_commit(
    view: CommitView, wanted: SearchText, roots: list[bytes], counts: Callable[[bytes], bool]
) -> Generator[tuple[bytes, int, str]]:
    # -P: git's own -E takes ten times as long
    words = Git(view.hub.path).command(
        *("grep", "-I", "-n", "-z", "-P", "--no-color", f"--max-count={PER_FILE}", "--full-name"),
        *(["-i"] if wanted.ignore_case else []),
        *([f"-C{wanted.context}"] if wanted.context else []),
        *("-e", wanted.pattern, view.commit, "--"),
        *(f":(literal,top){os.fsdecode(root)}" for root in roots),
    )
    lead = f"{view.commit}:".encode()
    for raw in _lines(words, view.hub.path, nothing=1):
        parts = raw.removeprefix(lead).split(b"\0", 2)
        if len(parts) == 3 and parts[1].isdigit() and counts(parts[0]):
            yield parts[0], int(parts[1]), _text(parts[2])


def _lines(words: Sequence[str], place: Path, nothing: int) -> Generator[bytes]:
    """What a program prints, while it is read; `nothing` is its exit code for no match. Ended by
    `timeout`, so that it dies even when this process was killed meanwhile. Raises Refused."""
    command = ["timeout", "--kill-after=1", str(SECONDS), *words]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, cwd=place,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        )  # fmt: skip
        assert process.stdout
        try:
            while line := process.stdout.readline(_LONGEST):
                yield line.removesuffix(b"\n")
                while line and not line.endswith(b"\n"):
                    line = process.stdout.readline(_LONGEST)
            code = process.wait()
        finally:
            process.terminate()  # `timeout` passes it on
            process.stdout.close()
            process.wait()
        said.seek(0)
        text = said.read(4000).decode(errors="replace").strip()
    if code in (124, 137):
        raise Refused(f"the search took longer than {SECONDS} s: make it simpler or name `paths`")
    if code not in (0, nothing) and text:  # without words: a file that may not be read
        raise Refused(f"the pattern cannot be used: {shortened(text, 500)}")


def _text(line: bytes) -> str:
    line = line.removesuffix(b"\r")[: 4 * LINE_SHOWN]
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


@cache
def _ripgrep() -> str:
    """The program that comes with this one's packages, wherever these are."""
    [ours] = [file for file in files("ripgrep") or () if file.name == "rg"]
    return str(Path(str(ours.locate())).resolve())
