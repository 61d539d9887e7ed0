"""What an agent may change in its workspace, and how: its own files, never protected ones.

A file keeps its mode, encoding, line ends and last line end; a new one is 0644. What is written is
whole or not there at all. Whatever is refused is told with what to do instead.
"""

import os
from collections.abc import Sequence

from pathspec import GitIgnoreSpec
from pygit2.enums import FileMode

from activities.adapters.allowed_paths import AllowedPaths
from activities.adapters.harvest import LARGEST
from activities.adapters.path_names import name_of
from activities.adapters.tool_text import NEW, Refused, Text, listed, places, why_absent
from activities.adapters.tool_views import LARGEST as EDITED
from activities.adapters.tool_views import CommitView, Found, TreeView, path_in
from activities.adapters.tree_files import Owner, delete_file, move_file, write_file
from activities.contracts.tools import DeleteFile, EditFile, MoveFile, WriteFile

NAMED = 20


class Edits:
    """The edits of one batch."""

    def __init__(
        self,
        view: TreeView,
        base: CommitView,
        allowed: AllowedPaths,
        *,
        creates: Sequence[str],
        protect: Sequence[str],
        lifted: Sequence[str],
        owner: Owner,
    ) -> None:
        """`protect`, `lifted`: gitignore patterns of what nobody may change, and what of it this
        phase may."""
        self._view = view
        self._base = base
        self._allowed = allowed
        self._new = ", ".join(creates)
        self._protect = GitIgnoreSpec.from_lines(protect)
        self._lifted = GitIgnoreSpec.from_lines(lifted)
        self._owner = owner

    def edit(self, wanted: EditFile) -> str:
        path = self._mine(wanted.path)
        name = wanted.path
        file = Text.of(self._content(path, name), name)
        old, new = wanted.old, file.like(wanted.new)
        found = places(file.text, old)
        if not found:
            old = file.like(old)
            found = places(file.text, old)
        if not found:
            raise Refused(
                f"`old` is not in {name}: {why_absent(file.lines(), wanted.old, wanted.new)}"
            )
        if old == new:
            raise Refused("`old` and `new` are the same: nothing would change")
        if len(found) > 1 and not wanted.all:
            raise Refused(
                f"`old` is in {name} {len(found)} times, at lines {listed(found)}: add lines "
                "around it until it is unique, or set `all` to change every one"
            )
        text = file.text.replace(old, new)
        self._write(path, file.bytes_of(text, name), name)
        return f"changed {name} at line {listed(found)}{file.notes}"

    def write(self, wanted: WriteFile) -> str:
        path = self._mine(wanted.path)
        name = wanted.path
        found = self._view.look(path)
        if found is None:
            self._refuse_collision(path)
            before = self._before(path)
            file = Text.of(before, name) if before else NEW
        else:
            file = Text.of(self._content(path, name), name)
        if not wanted.content and file.text:
            raise Refused(f"this would empty {name}: use `delete` where the file has to go")
        content = file.bytes_of(file.like(wanted.content), name)
        self._write(path, content, name)
        what = "wrote" if found else "added"
        return f"{what} {name}: {len(content)} bytes{file.notes}"

    def delete(self, wanted: DeleteFile) -> str:
        path = self._mine(wanted.path)
        self._file(path, wanted.path, links=True)
        delete_file(self._view.tree, path)
        return f"deleted {wanted.path}"

    def move(self, wanted: MoveFile) -> str:
        path, to = self._mine(wanted.path), self._mine(wanted.to)
        self._file(path, wanted.path, links=True)
        if self._view.look(to) is not None:
            raise Refused(f"{wanted.to} is there already: `delete` it first, or choose another")
        self._refuse_collision(to, leaving=path)
        move_file(self._view.tree, path, to, self._owner)
        return f"moved {wanted.path} to {wanted.to}"

    def _mine(self, name: str) -> bytes:
        """The path, if the task may change it."""
        path = path_in(name)
        name = name_of(path)
        if self._protect.match_file(name) and not self._lifted.match_file(name):
            raise Refused(f"{name} is protected: nobody may change it in this migration")
        before = self._base.entry(path)
        if before is not None and before.mode == FileMode.TREE:
            raise Refused(f"{name} is a folder: file tools take one file at a time")
        if self._allowed.covers(path, before):
            return path
        own = sorted(name_of(claim) for claim in self._allowed.claims)
        more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
        may_add = f"; you may add {self._new}" if self._new else ""
        raise Refused(
            f"{name} is not yours to change. Yours are: {', '.join(own[:NAMED])}{more}{may_add}. "
            "Ask for it with `request_files`, or tell of it with `report_site`"
        )

    def _file(self, path: bytes, name: str, *, links: bool = False) -> Found:
        """What is there, if it is a file that tools may touch."""
        found = self._view.look(path)
        if found is None:
            raise Refused(f"there is no {name}: see what there is with `find_files`")
        if found.kind == "folder":
            raise Refused(f"{name} is a folder: file tools take one file at a time")
        if found.kind == "link" and not links:
            raise Refused(f"{name} is a symbolic link: change it with `run` and ln -sfn")
        if found.kind not in ("file", "link"):
            raise Refused(f"{name} is no file that a repository can hold: remove it with `run`")
        return found

    def _content(self, path: bytes, name: str) -> bytes:
        found = self._file(path, name)
        if found.size > EDITED:
            raise Refused(f"{name} has {found.size} bytes, too many for this tool: use `run`")
        return self._view.read(path)

    def _before(self, path: bytes) -> bytes:
        """What the base has there; nothing where it has no file."""
        entry = self._base.entry(path)
        regular = entry is not None and entry.mode not in (FileMode.LINK, FileMode.COMMIT)
        return self._base.read(path) if regular else b""

    def _write(self, path: bytes, content: bytes, name: str) -> None:
        if len(content) > LARGEST:
            raise Refused(f"{name} would have {len(content)} bytes: no repository takes that")
        entry = self._base.entry(path)
        executable = entry is not None and entry.mode == FileMode.BLOB_EXECUTABLE
        write_file(self._view.tree, path, content, self._owner, executable=executable)

    def _refuse_collision(self, path: bytes, leaving: bytes = b"") -> None:
        """Two names that differ in case alone are one file on other people's machines."""
        parts = path.split(b"/")
        for depth, part in enumerate(parts):
            above = b"/".join(parts[:depth])
            there = self._view.folder(above)
            if part in there:
                continue
            folded = os.fsdecode(part).casefold()
            for other in there:
                whole = above + b"/" + other if above else other
                if os.fsdecode(other).casefold() == folded and whole != leaving:
                    raise Refused(
                        f"{name_of(whole)} is there and differs in case only: use that name"
                    )
            return
