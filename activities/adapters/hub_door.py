"""How other hosts come to the hubs: git's own two services, with the rights of one host.

`python -m activities.adapters.hub_door HOST FOLDER` is what the ssh key of a host is bound to
(docs/many-hosts.md). It may read every object of the folder's hubs, and write refs of its own. What
others keep there, 100,000 refs perhaps, is shown to nobody: a host asks for commits by their id. It
may ask how the folder is, too.
"""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from activities.adapters.hub_state import HOOKS, STATE, state_of

SERVICES = {
    "git-upload-pack": "upload-pack",
    "git upload-pack": "upload-pack",
    "git-receive-pack": "receive-pack",
    "git receive-pack": "receive-pack",
}
_HOST = re.compile(r"[A-Za-z0-9](\.?[A-Za-z0-9_-])*")
_HUB = re.compile(r"[a-z0-9-]{3,60}\.git")


class NotServed(Exception):
    """Somebody asked for something else."""


def rights(host: str) -> Mapping[str, str]:
    """The environment in which git serves a host."""
    if not _HOST.fullmatch(host):
        raise NotServed(f"{host!r} is no name of a host")
    settings = (
        ("uploadpack.hideRefs", "refs/whimbrel/"),
        ("uploadpack.allowAnySHA1InWant", "true"),
        ("receive.hideRefs", "refs/whimbrel/"),
        ("receive.hideRefs", f"!refs/whimbrel/host/{host}/"),
        ("receive.fsckObjects", "true"),
        ("receive.unpackLimit", "1"),
        ("receive.autogc", "false"),
        ("core.hooksPath", str(HOOKS)),
        ("core.fsync", "committed"),
        ("core.packedRefsTimeout", "10000"),
        ("core.filesRefLockTimeout", "10000"),
    )
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": str(len(settings)),
        "WHIMBREL_HOST": host,
    }
    for number, (name, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def served(asked: str, folder: Path) -> tuple[str, Path]:
    """The service and the hub that an ssh client asked for; raises NotServed."""
    try:
        *service, where = shlex.split(asked)
    except ValueError:
        service, where = [], ""
    name = where.rpartition("/")[2]
    hub = folder / name
    if " ".join(service) not in SERVICES or not _HUB.fullmatch(name) or not hub.is_dir():
        raise NotServed(f"{asked[:200]!r}: only git fetch and git push of a hub are served here")
    return SERVICES[" ".join(service)], hub


def main() -> None:
    """Becomes the service, or says how the hubs are."""
    try:
        host, folder = sys.argv[1:]
        if os.environ.get("SSH_ORIGINAL_COMMAND") == STATE:
            print(state_of(Path(folder)).encoded)
            return
        service, hub = served(os.environ.get("SSH_ORIGINAL_COMMAND", ""), Path(folder))
        environment = dict(rights(host))
    except (NotServed, ValueError) as refused:
        sys.exit(f"hub_door: {refused}")
    if protocol := os.environ.get("GIT_PROTOCOL"):
        environment["GIT_PROTOCOL"] = protocol
    os.execvpe("git", ["git", service, str(hub)], environment)


if __name__ == "__main__":
    main()
