"""Repositories of a given shape, made by `git fast-import`: nothing is downloaded.

The same arguments give the same commits. Folders hold about as many files as in the real trees
these stand for: 20 of the 5,000-file tree, 16 of the 78,000-file one (the kernel's shape).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pygit2

from activities.adapters.git import Git
from activities.adapters.hub import Hub
from activities.adapters.objects import open_repository
from activities.adapters.trees import Entry, Folder
from activities.contracts.landing import Candidate

BRANCH = "main"
WHEN = 1_700_000_000


def make_hub(root: Path, name: str, files: int, per_folder: int, lines: int) -> tuple[Hub, str]:
    """A hub with one commit of `files` files, and that commit."""
    hub = Hub.open(root, name)
    stream = b"".join(_stream(files, per_folder, lines))
    Git(hub.path).run("fast-import", "--quiet", stdin=stream, timeout=300)
    return hub, hub.tip(BRANCH)


def path_of(number: int, per_folder: int) -> str:
    """The path of the file with this number: three folders deep."""
    folder = number // per_folder
    top, middle = folder // 256, folder // 16 % 16
    return f"part{top:02}/area{middle:02}/unit{folder:04}/file{number:05}.py"


def content_of(number: int, lines: int) -> str:
    """Lines that differ between files, so that no two blobs are the same."""
    return "".join(f"value_{number}_{line} = {number * 31 + line}\n" for line in range(lines))


def make_candidate(
    hub: Hub,
    base: str,
    migration: str,
    number: int,
    files: Mapping[str, str],
    creates: tuple[str, ...] = (),
) -> Candidate:
    """The work of the task with this number as harvest leaves it: loose objects and a commit on the
    base, with these texts. `creates`: the paths that are new."""
    repository = open_repository(hub.path)
    root = Folder.of(repository, repository[base].peel(pygit2.Tree))
    for path, text in files.items():
        blob = repository.create_blob(text.encode())
        root.put(path.encode().split(b"/"), Entry(0o100644, blob))
    task = f"c1-{number:04}"
    return Candidate(
        migration=migration,
        task=task,
        commit=hub.write_commit(str(root.write()), [base], f"{task}: edits\n", WHEN),
        base=base,
        title="edits",
        claims=tuple(path for path in files if path not in creates),
        creates=creates,
        reply_to="nobody",
    )


def _stream(files: int, per_folder: int, lines: int) -> Iterator[bytes]:
    yield f"commit refs/heads/{BRANCH}\n".encode()
    yield f"committer Bench <bench@localhost> {WHEN} +0000\ndata 5\nbase\n\n".encode()
    for number in range(files):
        data = content_of(number, lines).encode()
        yield f"M 100644 inline {path_of(number, per_folder)}\ndata {len(data)}\n".encode()
        yield data + b"\n"
