"""Whether a host has its rights at another's hub, and no others: tried with git, as a worker would.

It leaves one ref of its own there, `+doctor/probe`, which is no migration's, and moves it each
time. What it must not be allowed to write it tries too: should that be taken, it goes again.
"""

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from activities.adapters.git import SSH, GitFailed
from activities.adapters.hub import Hub
from activities.adapters.hub_state import STATE, HubState, decoded
from activities.adapters.hubs import HubUnreachable
from activities.adapters.mirrors import Mirrors
from activities.adapters.objects import ObjectMissing
from activities.adapters.refs import OURS, PUSHED

PROBE = "+doctor/probe"
SECONDS = 30
FOREIGN = (f"{PUSHED}+nobody/probe", "refs/heads/whimbrel-doctor")
"""Another host's work, which is hidden, and a branch, which the hook refuses."""


def asked(url: str) -> HubState | None:
    """What the host of the hubs says of itself; None where only git is served, as by https. Raises
    HubUnreachable."""
    where = urlsplit(url)
    if where.scheme != "ssh" or not where.hostname:
        return None
    user = f"{where.username}@" if where.username else ""
    port = ["-p", str(where.port)] if where.port else []
    command = [*shlex.split(SSH), *port, "--", f"{user}{where.hostname}", STATE]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
        return decoded(done.stdout) if done.returncode == 0 else _away(done.stderr)
    except (OSError, ValueError, subprocess.TimeoutExpired) as failed:
        raise HubUnreachable(str(failed)) from failed


def _away(said: str) -> None:
    """The door of an older version answers and knows no such question."""
    if not said.strip().startswith("hub_door:"):
        raise HubUnreachable(said.strip()[-300:] or "ssh ended without a word")


def problems(url: str, host: str, repository: str, room: Path) -> Iterator[str]:
    """What is wrong with the rights at one hub, each in one sentence; `room`: an empty folder.
    Raises HubUnreachable."""
    mirror = Mirrors(room / "one", url, host, patience=0).of(repository)
    there = f"{url.rstrip('/')}/{mirror.path.name}"
    yield from _shown(mirror, there)
    tree = mirror.git.text("mktree")
    commit = mirror.write_commit(tree, [], "whimbrel doctor\n", int(time.time()))
    ref = f"{PUSHED}{host}/{PROBE}"
    mirror.keep(ref, commit)
    try:
        mirror.publish(ref)
    except OSError as refused:
        yield f"it does not take {ref}: {refused.strerror}"
        return
    try:
        Mirrors(room / "two", url, host, patience=0).of(repository, commit)
    except ObjectMissing:
        yield "it does not give a commit by its id"
    for foreign in FOREIGN:
        if _takes(mirror, there, f"{commit}:{foreign}"):
            with suppress(GitFailed):
                mirror.git.run("push", "--no-verify", "--", there, f":{foreign}", hub=there)
            yield f"it takes {foreign}, which is not for this host to write"


def _shown(mirror: Hub, there: str) -> Iterator[str]:
    try:
        listed = mirror.git.run("ls-remote", "--", there, hub=there, timeout=SECONDS)
    except GitFailed as failed:
        raise HubUnreachable(failed.stderr.strip()[-300:]) from failed
    names = [line.partition("\t")[2] for line in listed.decode("utf-8", "replace").splitlines()]
    if hidden := [name for name in names if name.startswith(OURS)]:
        yield f"it shows {len(hidden)} refs that are to be hidden, such as {hidden[0]}"


def _takes(mirror: Hub, there: str, what: str) -> bool:
    try:
        mirror.git.run("push", "--no-verify", "--no-signed", "--", there, f"+{what}", hub=there)
    except GitFailed:
        return False
    return True
