"""What migrations leave behind, deleted once nobody needs it: gc, and by a person's word a hub.

Whether a migration is over says the server. It forgets a closed one at about the moment when its
remains may go, so that one which it does not know is the ordinary case: that is judged by what was
written last. Where anything of it is open, all stays.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from temporalio.client import (
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.blobs import BlobCorrupt, BlobMissing
from activities.adapters.collecting import BegunAgain, Remains, check_quiet, remains, remove
from activities.adapters.hub import Hub
from activities.adapters.hubs import HubBusy, Hubs
from activities.adapters.refs import OURS
from activities.contracts.base import BlobRef
from activities.contracts.spec import Limits, MigrationSpec
from cli.boundary import Code, Refused, give, give_json, say
from cli.preflight import spec_of
from cli.render import counted
from cli.session import Session, session
from cli.starting import KEPT_AFTER_END
from workflows import options

QUIET = timedelta(minutes=10)
"""Who wrote within this time may be about to begin something: a start writes its spec first."""
UNTIL_FORGOTTEN = timedelta(days=Limits().days) + KEPT_AFTER_END


class Fate(NamedTuple):
    """What becomes of a migration's remains, and why."""

    name: str
    goes: bool
    why: str
    spec: str = ""
    """The digest of its spec, which says how long the rest is kept: it goes last."""
    what: Remains = Remains()

    def as_data(self) -> dict[str, Any]:
        said = {"name": self.name, "why": self.why}
        return {**said, **self.what._asdict()} if self.goes else said


class Ended(NamedTuple):
    """When a migration closed, how long its remains are kept, and its spec's digest."""

    at: datetime
    keep: timedelta
    spec: str


async def collect(
    name: str, older_than: float | None, dry_run: bool, local: bool, as_json: bool
) -> int:
    """Deletes what is past its time, of one migration or of all; says what and why."""
    async with session(local=local, needs_work=False) as connected:
        names = await asyncio.to_thread(connected.blobs.migrations)
        if name and name not in names:
            raise Refused(Code.NOT_FOUND, f"Nothing of {name} is here: there are no blobs of it.")
        hubs = await asyncio.to_thread(Hubs(connected.hub).all)
        if not hubs:
            say(f"No hub is in {connected.hub}: where they are, their refs stay.")
        keep = None if older_than is None else timedelta(seconds=older_than)
        fates: list[Fate] = []
        for one in [name] if name else names:
            fate = await _judged(connected, one, keep)
            fates.append(await asyncio.to_thread(_carry_out, connected, hubs, fate, dry_run))
    _tell(fates, dry_run, as_json)
    return Code.OK


async def _judged(connected: Session, name: str, keep: timedelta | None) -> Fate:
    kept = await asyncio.to_thread(connected.blobs.kept, name)
    try:
        check_quiet(kept, _quiet_since())
    except BegunAgain:
        minutes = int(QUIET.total_seconds() / 60)
        return Fate(name, goes=False, why=f"written for within the last {minutes} minutes")
    if open_now := await _open(connected, name):
        return Fate(name, goes=False, why=f"{open_now} is open")
    ended = await _ended(connected, name)
    if ended:
        what = f"closed on {ended.at:%Y-%m-%d}"
    else:
        newest = max((one.written for one in kept), default=0.0)
        ended = Ended(datetime.fromtimestamp(newest, UTC), UNTIL_FORGOTTEN, "")
        what = f"unknown to the server, its newest blob is of {ended.at:%Y-%m-%d}"
    until = ended.at + (ended.keep if keep is None else keep)
    if until > datetime.now(UTC):
        return Fate(name, goes=False, why=f"{what}, kept until {until:%Y-%m-%d %H:%M} UTC")
    return Fate(name, goes=True, why=what, spec=ended.spec)


def _carry_out(connected: Session, hubs: Sequence[Hub], fate: Fate, dry_run: bool) -> Fate:
    if not fate.goes:
        return fate
    if dry_run:
        return fate._replace(what=remains(connected.blobs, hubs, fate.name))
    try:
        gone = remove(connected.blobs, hubs, fate.name, _quiet_since(), fate.spec)
    except BegunAgain as again:
        return fate._replace(goes=False, why=f"begun again meanwhile: {again}")
    return fate._replace(what=gone)


def _quiet_since() -> float:
    return time.time() - QUIET.total_seconds()


async def _open(connected: Session, name: str) -> str:
    """An open workflow that works for the migration or may yet begin it; empty: none.

    The migration, the fleet of this name and the fleet that it is of are asked for by id, which is
    never late; the search finds its areas, tasks and queue, and plans that are being made.
    """
    fleet = name.rpartition("/")[0] or name
    ids = {options.migration_id(name), options.fleet_id(name), options.fleet_id(fleet)}
    for id in sorted(ids):
        found = await _described(connected, id)
        if found and found.status is WorkflowExecutionStatus.RUNNING:
            return id
    return await _first_running(connected, options.MIGRATION_NAME.name, name)


async def _first_running(connected: Session, attribute: str, value: str) -> str:
    query = f'{attribute}="{value}" AND ExecutionStatus="Running"'
    async for found in connected.client.list_workflows(query, limit=1):
        return found.id
    return ""


async def _ended(connected: Session, name: str) -> Ended | None:
    """The end of the last migration, or fleet, of this name; None: the server knows none."""
    handle = connected.client.get_workflow_handle(options.migration_id(name))
    if (found := await _described(connected, handle.id)) and found.close_time:
        spec = await spec_of(connected, handle)
        return Ended(
            found.close_time, await _keep_for(connected, spec), spec.sha256 if spec else ""
        )
    fleet = await _described(connected, options.fleet_id(name))
    return Ended(fleet.close_time, UNTIL_FORGOTTEN, "") if fleet and fleet.close_time else None


async def _described(connected: Session, id: str) -> WorkflowExecutionDescription | None:
    try:
        return await connected.client.get_workflow_handle(id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def _keep_for(connected: Session, spec: BlobRef | None) -> timedelta:
    """As long as the server remembers a migration that took all its days."""
    if spec is None:
        return UNTIL_FORGOTTEN
    try:
        read = await asyncio.to_thread(connected.blobs.get_model, spec, MigrationSpec)
    except (BlobMissing, BlobCorrupt):
        return UNTIL_FORGOTTEN
    return timedelta(days=read.limits.days) + KEPT_AFTER_END


def _tell(fates: Sequence[Fate], dry_run: bool, as_json: bool) -> None:
    gone, kept = [f for f in fates if f.goes], [f for f in fates if not f.goes]
    if as_json:
        data = {"removed": [f.as_data() for f in gone], "kept": [f.as_data() for f in kept]}
        return give_json("gc", {"dry_run": dry_run, **data})
    word = "would go" if dry_run else "removed"
    for fate in gone:
        give(f"{word:<9} {fate.name}: {_amount(fate.what)} ({fate.why})")
    for fate in kept:
        give(f"{'kept':<9} {fate.name}: {fate.why}")
    whole = Remains(*(sum(each) for each in zip(*(f.what for f in gone), strict=True)))
    say(f"{word} {counted(len(gone), 'migration')}: {_amount(whole)}; kept {len(kept)}")


def _amount(what: Remains) -> str:
    blobs, refs = counted(what.blobs, "blob"), counted(what.refs, "ref")
    return f"{blobs} of {what.size:,} bytes, {refs}"


async def remove_hub(repository: str, dry_run: bool, local: bool, as_json: bool) -> int:
    """Deletes a repository's hub with its green branches, unless an open migration uses it."""
    async with session(local=local, needs_work=False) as connected:
        hubs = Hubs(connected.hub)
        here = {hub.path.stem: hub for hub in await asyncio.to_thread(hubs.all)}
        if repository not in here:
            shown = ", ".join(here) or "there is none"
            place = connected.hub
            raise Refused(Code.NOT_FOUND, f"No hub is named {repository} in {place}: {shown}")
        hub = here[repository]
        if user := await _user_of(connected, hub, repository):
            raise Refused(
                Code.REJECTED, f"{user} is open and works on {repository}: its hub stays."
            )
        branches = sorted(ref.removeprefix("refs/heads/") for ref in hub.refs("refs/heads/"))
        if not dry_run:
            try:
                await asyncio.to_thread(hubs.remove, hub)
            except HubBusy as busy:
                raise Refused(Code.REJECTED, f"{busy}: its hub stays.") from busy
    if as_json:
        give_json("gc-hub", {"dry_run": dry_run, "hub": str(hub.path), "branches": branches})
    else:
        word = "would go" if dry_run else "removed"
        give(f"{word:<9} {hub.path} with {', '.join(branches) or 'no branch'}")
    return Code.OK


async def _user_of(connected: Session, hub: Hub, repository: str) -> str:
    """An open workflow that uses the hub: by the owners of its branches, and by the search."""
    owners = hub.refs(f"{OURS}owner/").values()
    for name in {hub.read_blob(owner).decode() for owner in owners}:
        if user := await _open(connected, name):
            return user
    return await _first_running(connected, options.REPO.name, repository)
