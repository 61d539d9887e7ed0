"""A host without the hub's disk works on a mirror of it, which is served by git.

The mirror is a bare directory that the host's workspaces and check trees borrow from. What they
need is fetched by its id; one fetch serves all who asked before it began. What they make is kept
under a ref of this mirror first and pushed with all that others made meanwhile, to refs of this
host alone; then the ref is gone from here. So a killed worker's work is sent by the next push, and
the mirror has few refs. Nothing is ever pruned here. A hub that does not answer is trouble with
storage: it is waited for.
"""

import contextlib
import errno
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from activities.adapters.fault_points import Effect, around
from activities.adapters.git import Git, GitFailed, without_secrets
from activities.adapters.harvest import HostileTree
from activities.adapters.hub import Hub
from activities.adapters.hubs import Hubs, HubUnreachable
from activities.adapters.objects import ObjectMissing
from activities.adapters.refs import ONCE, OURS, PUSHED
from activities.adapters.rounds import Rounds
from activities.adapters.settings import Settings
from activities.adapters.upstream import FETCH_SECONDS, STALLED

SEEN = f"{OURS}mirror/"
SLOTS = 64
"""Refs that tell the hub what is here already: the last ones fetched, one for each slot."""
AT_ONCE = 200
"""Refs in one push: more would not fit a command."""
PUSH_SECONDS = 3600.0
PATIENCE = 120.0
"""Seconds for which a push is tried again: an hour of work is worth that."""
PAUSE_AT_MOST = 15.0
UNPACKED = "unpacker error"


def hubs_of(settings: Settings) -> Hubs:
    """This host's own hubs, or its mirrors of another's. None is begun by who only works on it."""
    if isinstance(settings.hub, Path):
        return Hubs(settings.hub, begins=False)
    return Mirrors(settings.mirrors, settings.hub, settings.host)


class Mirrors(Hubs):
    """The mirrors of one host, and the way from each to its hub."""

    def __init__(self, root: Path, url: str, host: str, patience: float = PATIENCE) -> None:
        """`url`: where the hubs are, such as `ssh://git@hub.example.com/`."""
        super().__init__(root)
        self._url = url.rstrip("/")
        self._host = host
        self._patience = patience
        self._lines: dict[str, Line] = {}

    def begin(self, repository_id: str) -> Hub:
        """The mirror, empty if need be: what is needed comes when it is."""
        path = Hub.open(self._root, repository_id).path
        line = self._lines.get(repository_id)
        if line is None:
            url = f"{self._url}/{path.name}"
            line = Line(path, url, self._host, self._patience)
            line = self._lines.setdefault(repository_id, line)
        return Mirror(path, line)


class Mirror(Hub):
    """One repository's mirror."""

    def __init__(self, path: Path, line: "Line") -> None:
        super().__init__(path)
        self._line = line

    def need(self, commits: Iterable[str]) -> None:
        """Fetches those that are not here. Raises ObjectMissing for one that the hub has not, and
        HubUnreachable."""
        missing = [commit for commit in commits if not self.has_commit(commit)]
        if missing:
            self._line.fetches.ask(missing)

    def publish(self, ref: str) -> None:
        """Returns once the hub has what the ref is at, under this host's own name. Harmless again.

        Raises PermissionError when the hub does not take it, HubUnreachable.
        """
        self._line.pushes.ask([ref])

    def probe(self) -> None:
        """Raises HubUnreachable when the hub does not answer."""
        self._line.probe()


class Line:
    """Between one mirror and its hub: one fetch and one push at a time, of all processes."""

    def __init__(self, path: Path, url: str, host: str, patience: float) -> None:
        self._mirror = Hub(path)
        self._url = url
        self._patience = patience
        self._own = f"{PUSHED}{host}/"
        self._push_lock = path.with_suffix(".push.flock")
        self.fetches = Rounds(self._fetch)
        self.pushes = Rounds(self._push)

    def probe(self) -> None:
        try:
            Git(self._mirror.path).run("ls-remote", "--", self._url, "HEAD", hub=self._url)
        except GitFailed as failed:
            raise self._away(failed) from failed

    def _fetch(self, commits: Sequence[str]) -> Mapping[str, Exception]:
        with self._mirror.holding(self._mirror.fetch_lock) as held:
            missing = [commit for commit in commits if not self._mirror.has_commit(commit)]
            try:
                self._take(missing, held)
            except ObjectMissing as lacking:
                if len(missing) == 1:
                    return {missing[0]: lacking}
                return self._take_each(missing, held)
        return {}

    def _take_each(self, commits: Sequence[str], held: int) -> Mapping[str, Exception]:
        """One that the hub has not must not keep the others from theirs."""
        failed: dict[str, Exception] = {}
        for commit in commits:
            try:
                self._take([commit], held)
            except ObjectMissing as lacking:
                failed[commit] = lacking
        return failed

    def _take(self, commits: Sequence[str], held: int) -> None:
        """As one pack, which is there whole or not at all: a commit that is here has its files."""
        if not commits:
            return
        options = ["--quiet", "--no-tags", "--refmap=", "--no-write-fetch-head"]
        options += ["--no-recurse-submodules", "--no-auto-maintenance"]
        git = Git(self._mirror.path, inherit=(held,))
        settings = [*STALLED, "fetch.unpackLimit=1"]
        try:
            git.run(
                *("fetch", *options, "--", self._url, *commits),
                hub=self._url,
                timeout=FETCH_SECONDS,
                settings=settings,
            )
        except GitFailed as failed:
            if "not our ref" in failed.stderr:
                raise ObjectMissing(f"the hub has not all of {', '.join(commits)}") from failed
            raise self._away(failed) from failed
        seen = {f"{SEEN}{int(commit[:4], 16) % SLOTS}": commit for commit in commits}
        lines = "".join(f"update {ref}\0{commit}\0\0" for ref, commit in seen.items())
        with self._mirror.writing(seen) as git, around(Effect.REF_MIRRORED):
            git.run("update-ref", "--stdin", "-z", stdin=lines.encode())

    def _push(self, asked: Sequence[str]) -> Mapping[str, Exception]:
        """Everything that waits here, whoever made it; what was asked for and does not wait any
        more has been sent."""
        failed: dict[str, Exception] = {}
        with self._mirror.holding(self._push_lock) as held:
            waiting = [*(self._mirror.refs(self._own) | self._mirror.refs(ONCE)).items()]
            for at in range(0, len(waiting), AT_ONCE):
                failed |= self._send(dict(waiting[at : at + AT_ONCE]), held)
        for ref in failed.keys() - set(asked):
            logging.getLogger(__name__).warning("not sent to the hub: %s", failed[ref])
        return failed

    def _send(self, refs: Mapping[str, str], held: int) -> Mapping[str, Exception]:
        """Sends these; none of them waits any more but what a person has to let pass first."""
        said = self._said(refs, held)
        spoilt = [ref for ref, answer in said.items() if UNPACKED in answer]
        if spoilt and len(refs) > 1:  # one is enough to have all refused
            each = [self._send({ref: commit}, held) for ref, commit in refs.items()]
            return {ref: why for one in each for ref, why in one.items()}
        failed = {ref: self._refused(ref, why) for ref, why in said.items() if why}
        kept = [ref for ref, why in failed.items() if isinstance(why, PermissionError)]
        self._forget({ref: commit for ref, commit in refs.items() if ref not in kept})
        return failed

    def _said(self, refs: Mapping[str, str], held: int) -> dict[str, str]:
        """Ref → why it was refused, empty when it was not. Tried again while nobody answers."""
        deadline, pause = time.monotonic() + self._patience, 1.0
        there = {self._there(ref): ref for ref in refs}
        words = ["push", "--porcelain", "--no-verify", "--no-signed", "--recurse-submodules=no"]
        # By force: nobody else writes these, and the newest of an attempt's checkpoints counts.
        words += ["--", self._url, *(f"+{refs[ref]}:{name}" for name, ref in there.items())]
        git = Git(self._mirror.path, inherit=(held,))
        settings = [*STALLED, "push.negotiate=true"]
        while True:
            try:
                with around(Effect.PUSHED):
                    output = git.run(*words, hub=self._url, timeout=PUSH_SECONDS, settings=settings)
                said = _answers(output, "")
            except GitFailed as failed:
                said = _answers(failed.output, failed.stderr)
                if said.keys() != there.keys() and time.monotonic() + pause > deadline:
                    raise self._away(failed) from failed
            if said.keys() == there.keys():
                return {there[name]: why for name, why in said.items()}
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_AT_MOST)

    def _forget(self, refs: Mapping[str, str]) -> None:
        """Unless one of them is elsewhere by now: then all are sent again."""
        lines = "".join(f"delete {ref}\0{commit}\0" for ref, commit in refs.items())
        with (
            self._mirror.writing(refs) as git,
            around(Effect.REF_SENT),
            contextlib.suppress(GitFailed),
        ):
            git.run("update-ref", "--stdin", "-z", stdin=lines.encode())

    def _there(self, ref: str) -> str:
        """What a ref is called in the hub: `+once` is no migration's name."""
        if ref.startswith(ONCE):
            return f"{self._own}+once/{ref.removeprefix(ONCE)}"
        return ref

    def _refused(self, ref: str, why: str) -> Exception:
        if UNPACKED not in why:
            return PermissionError(errno.EACCES, f"the hub refused it: {why}", self._there(ref))
        if "fsck error" in why:
            return HostileTree(ref, f"git refuses what is in it: {why}")
        return OSError(errno.EIO, f"the hub could not take it: {why}", self._there(ref))

    def _away(self, failed: GitFailed) -> HubUnreachable:
        where = without_secrets(self._url)
        return HubUnreachable(f"{where} does not answer: {failed.stderr.strip()[-600:]}")


def _answers(output: bytes, stderr: str) -> dict[str, str]:
    """`flag TAB from:to TAB what` → name there, and why it was refused."""
    lines = [line.split("\t") for line in output.decode("utf-8", "replace").splitlines()]
    return {
        line[1].rpartition(":")[2]: f"{line[2]}: {stderr[-600:]}" if line[0] == "!" else ""
        for line in lines
        if len(line) == 3
    }
