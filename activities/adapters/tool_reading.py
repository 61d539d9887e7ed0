"""Looks at a repository for an agent: folders, file names, files, outlines.

What is too much to show is cut, and said how to get; what is not there is answered with what is.
"""

from collections.abc import Sequence

from activities.adapters.path_names import name_of
from activities.adapters.tool_outline import outline_of
from activities.adapters.tool_search import search
from activities.adapters.tool_text import Refused, Text, globbing, near_names, numbered
from activities.adapters.tool_views import LARGEST, View, folder_in, path_in
from activities.adapters.tree_files import UnsafePath
from activities.contracts.tools import FindFiles, ListFiles, Outline, ReadFile, SearchText

RESULT = 30_000
"""Characters of one answer."""
LISTED = 500


class Reading:
    """The tools that change nothing, over one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def list_files(self, wanted: ListFiles) -> str:
        path = folder_in(wanted.path)
        found = self._view.look(path) if path else None
        if path and (found is None or found.kind != "folder"):
            raise Refused(f"{wanted.path} is no folder here{self._near(path)}")
        lines: list[str] = []
        for name, there in sorted(self._view.folder(path).items()):
            said = {"folder": "/", "link": " (symbolic link)", "submodule": " (submodule)"}
            what = said.get(there.kind, "" if there.kind == "file" else " (no plain file)")
            size = f"{there.size:>10} " if there.kind == "file" else " " * 11
            lines.append(f"{size}{name_of(name)}{what}")
        return _some(lines, "list its folders one by one, or use `find_files`") or "an empty folder"

    def find_files(self, wanted: FindFiles) -> str:
        found = [name_of(path) for path in filter(globbing([wanted.pattern]), self._view.paths())]
        return _some(found, "make the pattern longer") or "no file matches"

    def search(self, wanted: SearchText) -> str:
        return search(self._view, wanted)

    def read(self, wanted: ReadFile) -> str:
        name, lines, notes = self._text(wanted.path)
        first, last = wanted.first, min(wanted.first + wanted.lines - 1, len(lines))
        if not lines:
            return f"{name} is empty"
        if first > len(lines):
            raise Refused(f"{name} has {len(lines)} lines: `first` is beyond its end")
        shown = numbered(lines[first - 1 : last], first)
        if len(shown) > RESULT - 500:
            shown = shown[: RESULT - 500].rpartition("\n")[0] + "\n"
            last = first + shown.count("\n") - 1
        more = f"\n[more: go on with first={last + 1}]" if last < len(lines) else ""
        return f"{name}, lines {first}-{last} of {len(lines)}{notes}\n{shown}{more}"

    def outline(self, wanted: Outline) -> str:
        path = self.file(wanted.path)
        return outline_of(name_of(path), self._view.read(path))

    def _text(self, named: str) -> tuple[str, list[str], str]:
        """A text file's name, lines, and what cannot be seen in them."""
        path = path_in(named)
        found = self._view.look(path)
        if found is not None and found.kind == "link":
            target = name_of(self._view.read(path))
            raise Refused(f"{named} is a symbolic link to {target}: links are not followed")
        path, name = self.file(named), name_of(path_in(named))
        text = Text.of(self._view.read(path), name)
        return name, text.lines(), text.notes

    def file(self, named: str) -> bytes:
        """The path of a plain file that is not too large."""
        path = path_in(named)
        found = self._view.look(path)
        if found is None:
            raise Refused(f"there is no {named}{self._near(path)}")
        if found.kind == "folder":
            raise Refused(f"{named} is a folder: use `list_files`")
        if found.kind != "file":
            raise Refused(f"{named} is no plain file ({found.kind}): it cannot be read")
        if found.size > LARGEST:
            raise Refused(f"{named} has {found.size} bytes, too many to read: use `search` in it")
        return path

    def _near(self, path: bytes) -> str:
        """Names like it in its folder, else in the whole repository."""
        folder, _, name = path.rpartition(b"/")
        try:
            there = [name_of(other) for other in self._view.folder(folder)]
        except UnsafePath:
            there = []
        lead = f"{name_of(folder)}/" if folder else ""
        like = [lead + near for near in near_names(name_of(name), there)]
        like = like or [name_of(p) for p in self._view.paths() if p.endswith(b"/" + name)][:3]
        if like:
            return f": did you mean {' or '.join(like)}?"
        return ": see what there is with `find_files` or `list_files`"


def _some(lines: Sequence[str], rest: str) -> str:
    """The first lines, and how to get the rest."""
    if len(lines) <= LISTED:
        return "\n".join(lines)
    return "\n".join((*lines[:LISTED], f"[cut: {len(lines) - LISTED} more; {rest}]"))
