"""What a check runs on a tree: what its lists hold there, and its command with them or without."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from activities.adapters.hub import Hub
from activities.adapters.package_lists import lists_at
from activities.adapters.targets import targets
from activities.contracts.placeholders import list_placeholder, replace_list
from activities.contracts.spec import Check, Command, MigrationSpec


def lists_of(
    hub: Hub, spec: MigrationSpec, check: Check, commit: str, paths: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """What the check's placeholders stand for at a commit.

    A deleted file is no argument: the tools would stumble over it. Its target is one still.
    """

    def exists(path: str) -> bool:
        return bool(hub.present(commit, [path]) or hub.names(commit, path))

    given = lists_at(hub, commit, check.run, paths, spec.root_markers)
    return {**given, "targets": targets(check.targets, paths, exists)}


def command_of(check: Check, lists: Mapping[str, Sequence[str]], *, whole: bool) -> Command | None:
    """The command with `whole` or `otherwise` in place of its list; None: nothing to do."""
    name = list_placeholder(check.run)
    if name is None:
        return check.run
    if whole and check.whole is not None:
        return replace_list(check.run, check.whole)
    if lists[name]:
        return check.run
    if check.otherwise == "skip":
        return None
    instead = check.whole if check.otherwise == "whole" else check.otherwise
    return replace_list(check.run, instead) if instead else None


def call_digest(
    spec: MigrationSpec, check: Check, run: Command, lists: Mapping[str, Sequence[str]]
) -> str:
    """What, beside the tree and the environment, determines a check's results."""
    used = list_placeholder(run)
    parts = [check.model_dump_json(), json.dumps(run), json.dumps(lists[used] if used else [])]
    parts.append(spec.limits.memory)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
