"""One task of a migration: what its handoff says, and what its agents said; the field notes."""

import asyncio
import contextlib
from typing import Any

from activities.adapters.blobs import BlobCorrupt, BlobMissing
from activities.adapters.transcripts import Transcripts
from activities.contracts.children import AreaRow
from activities.contracts.conversation import task_scope
from activities.contracts.scopes import FieldNotes
from activities.contracts.work import Handoff
from cli.asking import ask, find, name_of, report_of, rows_of
from cli.boundary import Code, Refused, give, give_json
from cli.render import fields_text
from cli.session import Session, session
from cli.transcript_text import Told, as_data, as_text


async def show(name: str, task: str, local: bool, as_json: bool) -> int:
    """One task: its attempts, its evidence, its commit, its agents' conversations. What has a slash
    is no task but what other agents talked about, such as plan/c1/root."""
    if "/" in task:
        return await _show_talks(name, task, local, as_json)
    async with session(local=local, needs_work=False) as connected:
        handle = await find(connected, name)
        ended = await report_of(connected, handle)
        if ended:
            rows = {h.task: h.model_dump(mode="json") for h in ended.handoffs}
        else:
            doing = await rows_of(connected, name_of(handle))
            rows = {r.task.id: await under_way(connected, r) for r in doing}
        row = _only(rows, task)
        told = await asyncio.to_thread(_told, connected, name_of(handle), task_scope(row["task"]))
    if as_json:
        give_json("task", {**row, "conversations": [as_data(one) for one in told]})
    else:
        give("\n\n".join([fields_text(row), *map(as_text, told)]))
    return Code.OK


async def notes(name: str, local: bool, as_json: bool) -> int:
    """What planners wrote down for later workers, as the last one left it."""
    async with session(local=local, needs_work=False) as connected:
        handle = await find(connected, name)
        if ended := await report_of(connected, handle):
            said = ended.notes
        else:
            kept = (await ask(connected, handle)).notes
            said = (await connected.read(kept, FieldNotes)).text if kept else ""
    if not said:
        raise Refused(
            Code.NOT_FOUND,
            f"{name_of(handle)} has no field notes; a planner that is a model writes them "
            "(plan: claude)",
        )
    if as_json:
        give_json("notes", {"name": name_of(handle), "text": said})
    else:
        give(said)
    return Code.OK


async def _show_talks(name: str, scope: str, local: bool, as_json: bool) -> int:
    async with session(local=local, needs_work=False) as connected:
        migration = name_of(await find(connected, name))
        scopes = await asyncio.to_thread(Transcripts(connected.blobs).scopes, migration)
        if scope not in scopes:
            shown = ", ".join(scopes[:20]) or "none yet"
            raise Refused(Code.NOT_FOUND, f"nobody talked about {scope!r}; there are: {shown}")
        told = await asyncio.to_thread(_told, connected, migration, scope)
    if as_json:
        give_json("talks", {"scope": scope, "conversations": [as_data(one) for one in told]})
    else:
        give("\n\n".join(map(as_text, told)))
    return Code.OK


def all_talks(connected: Session, name: str) -> str:
    """Every conversation of a migration, as `show` has them."""
    scopes = Transcripts(connected.blobs).scopes(name)
    told = [(scope, one) for scope in scopes for one in _told(connected, name, scope)]
    return "\n\n".join(f"{scope}, {as_text(one)}" for scope, one in told)


def _told(connected: Session, name: str, scope: str) -> list[Told]:
    """All conversations about something, such as a task."""
    transcripts = Transcripts(connected.blobs)
    try:
        return [
            Told(
                talk=talk,
                chunks=tuple(transcripts.chunks(talk)),
                spend=transcripts.spent(name, scope, f"{talk.attempt}/"),
            )
            for talk in transcripts.conversations(name, scope)
        ]
    except (BlobMissing, BlobCorrupt) as lost:
        raise Refused(Code.NOT_FOUND, str(lost)) from lost


async def under_way(connected: Session, row: AreaRow) -> dict[str, Any]:
    """A task of a running migration, in the shape that it will have in the report, and its claim;
    its attempts once it has ended."""
    task = row.task
    known: dict[str, Any] = {"task": task.id, "status": row.state, "title": task.title}
    known |= {"sites": task.sites, "claims": list(task.claims)}
    if row.handoff:
        with contextlib.suppress(Refused):
            handoff = await connected.read(row.handoff, Handoff)
            own = {"title": task.title, "sites": task.sites}  # only the report's handoffs have them
            return {**known, **handoff.model_copy(update=own).model_dump(mode="json")}
    return known


def _only(rows: dict[str, dict[str, Any]], prefix: str) -> dict[str, Any]:
    """The row of this name, else the only one whose name starts with it."""
    names = [prefix] if prefix in rows else [name for name in rows if name.startswith(prefix)]
    if len(names) == 1:
        return rows[names[0]]
    what = "is not one task but several" if names else "is no task of it"
    shown = ", ".join((names or list(rows))[:20]) or "it has none yet"
    raise Refused(Code.NOT_FOUND, f"{prefix!r} {what}: {shown}")
