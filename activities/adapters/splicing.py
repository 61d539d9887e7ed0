"""Merges trees without git where its answer is certain: one side left alone what the other changed.

Certain means three things. The change deletes nothing, so it renames nothing. What it modifies is
in ours as it is in the base, so ours renamed or edited none of that. What it adds is new to ours,
in folders that ours still has or that are new altogether, so ours moved no folder that git would
move it along with. Then there is no content to merge and no attribute to read: the answer is ours
with the change put in, which is what git gives too. In any other case there is no answer here.
"""

from collections.abc import Iterable

from activities.adapters.objects import DiffEntry
from activities.adapters.tree_reading import NOTHING, Stored, TreeReader, is_folder

MODES = frozenset((b"100644", b"100755", b"120000", b"160000", b"40000"))
"""Those that git writes: of an old tree with others it rewrites the modes, which is left to it."""


def splice(
    trees: TreeReader, base: bytes, ours: bytes, theirs: bytes, changes: Iterable[DiffEntry]
) -> bytes | None:
    """The tree of `ours` with the changes from `base` to `theirs`; None: git has to be asked.

    What is new is held by `trees`.
    """
    if any(change.status == "D" for change in changes):
        return None
    return _merged(trees, base, ours, theirs)


def _merged(trees: TreeReader, base: bytes | None, ours: bytes, theirs: bytes) -> bytes | None:
    if theirs == base:
        return ours
    if ours == base:
        return theirs
    before = trees.entries(base) if base is not None else NOTHING
    merged = dict(trees.entries(ours))
    for name, now in trees.entries(theirs).items():
        was, mine = before.get(name), merged.get(name)
        if now == was:
            continue
        taken = now if mine == was else _below(trees, was, mine, now)
        if taken is None:
            return None
        merged[name] = taken
    if not MODES.issuperset(mode for mode, _ in merged.values()):
        return None
    return trees.hold(merged)


def _below(
    trees: TreeReader, was: Stored | None, mine: Stored | None, now: Stored
) -> Stored | None:
    """A folder that both sides changed or added."""
    if mine is None or not all(is_folder(stored[0]) for stored in (was or now, mine, now)):
        return None
    tree = _merged(trees, was[1] if was is not None else None, mine[1], now[1])
    return (now[0], tree) if tree is not None else None
