"""What a task is told of a file that the base and the migration had both changed, and of which the
base's was taken: both changes, as data.
"""

from collections.abc import Mapping

from activities.adapters.base_merges import MovingBase
from activities.adapters.git import printable

MOST_PATHS = 50
SHOWN = 1500
"""Characters of each change."""


def taken_anew(
    hub: MovingBase, tip: str, base: str, landed: Mapping[str, str]
) -> Mapping[str, str]:
    """path → what is said of it, of the first such paths. `landed`: with the commits that carry
    them; `base`: where the branch began."""
    found: dict[str, str] = {}
    standing = base
    for merge in hub.base_merges(tip, base):  # oldest first: of two, the later one counts
        for path in merge.taken_anew:
            if path in landed and (path in found or len(found) < MOST_PATHS):
                before = hub.parents(landed[path])[0]
                ours = _patch(hub, before, landed[path], path)
                found[path] = _told(path, ours, _patch(hub, standing, merge.head, path))
        standing = merge.head
    return found


def _patch(hub: MovingBase, old: str, new: str, path: str) -> str:
    text = hub.patch(old, new, [path]).decode("utf-8", "replace")
    body = text[text.find("@@") :] if "@@" in text else text
    more = "\n[the rest does not fit]" if len(body) > SHOWN else ""
    return f"{body[:SHOWN]}{more}".replace("```", "` ` `").strip()


def _told(path: str, ours: str, theirs: str) -> str:
    name = printable(path)
    return (
        f"The base changed {name} in the same place as this migration had: the base's file was "
        "taken, and the migration's change is to be made anew on it. As data, what the migration "
        f"had changed there:\n\n```diff\n{ours}\n```\n\nand what the base has changed:\n\n"
        f"```diff\n{theirs}\n```"
    )
