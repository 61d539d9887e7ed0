"""What a person's wish does to an area's rows, and why it is refused. Pure.

Retry: a task that ended without landing waits again, under its next start. Skip: a task that waits
ends; one that runs is marked, and ends when its workflow has stopped, unless it has landed by then.
Pause, resume and steer change no row: the area only says whether there is such a task to do it to.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from activities.contracts.children import AreaRow, Granted, Wish
from activities.contracts.commands import MAX_TEXTS, Guidance
from activities.contracts.scopes import is_within
from activities.contracts.work import TaskStatus
from workflows import frontier

SKIPPED = TaskStatus.SKIPPED.value
NAMED = 10
"""Tasks that an answer names."""
SHOWN = 60
"""Characters of a text that an answer repeats."""


def grant(rows: Sequence[AreaRow], wish: Wish) -> tuple[list[AreaRow], Granted]:
    """The rows that change, and the answer."""
    if wish.area:
        return [], _about_area(rows, wish)
    if wish.all_failed:
        failed = [row for row in rows if _failed(row) and row.state != SKIPPED]
        return _retry(rows, failed, wish)
    row = next((row for row in rows if row.task.id == wish.task), None)
    if row is None:
        return [], _refused(wish, _unknown(wish.task, rows))
    if wish.verb == "retry":
        refusal = "" if _failed(row) else _why_no_retry(row)
        return ([], _refused(wish, refusal)) if refusal else _retry(rows, [row], wish)
    if frontier.is_final(row):
        return [], _refused(wish, _over(row))
    if wish.verb == "skip":
        return _skip(rows, row, wish)
    return [], Granted(id=wish.id, tasks=(row.task.id,))


def _about_area(rows: Sequence[AreaRow], wish: Wish) -> Granted:
    """Whether the cycle has such an area."""
    areas = list(dict.fromkeys(row.task.area for row in rows))
    if any(is_within(area, wish.area) for area in areas):
        return Granted(id=wish.id)
    return _refused(wish, f"there is no area {wish.area!r}; {nearest(wish.area, areas)}")


def _retry(
    rows: Sequence[AreaRow], chosen: list[AreaRow], wish: Wish
) -> tuple[list[AreaRow], Granted]:
    if not chosen:
        return [], _refused(wish, "no task has failed: there is nothing to try again")
    if wish.with_dependants:
        again = {row.task.id for row in chosen}
        chosen = [*chosen, *(r for r in _dependants(rows, again) if r.state == SKIPPED)]
    fresh = {"state": frontier.WAITING, "handoff": None, "deaths": 0, "skipped": ""}
    changed = [row.model_copy(update={**fresh, "start": row.start + 1}) for row in chosen]
    ids = tuple(row.task.id for row in chosen)
    text = f"{named(ids)} will start again"
    if left := [r.task.id for r in _dependants(rows, set(ids)) if r.state == SKIPPED]:
        text += f"; still skipped, because they need it: {named(left)} (with_dependants adds them)"
    return changed, Granted(id=wish.id, tasks=ids, text=text)


def _skip(rows: Sequence[AreaRow], row: AreaRow, wish: Wish) -> tuple[list[AreaRow], Granted]:
    id = row.task.id
    waits = row.state == frontier.WAITING
    changed = row.model_copy(update={"skipped": wish.why} | ({"state": SKIPPED} if waits else {}))
    text = "" if waits else f"{id} is at work: it stops, unless it lands before"
    if after := [r.task.id for r in _dependants(rows, {id}) if r.state == frontier.WAITING]:
        text += f"{'; ' if text else ''}skipped with it, because they need it: {named(after)}"
    return [changed], Granted(id=wish.id, tasks=(id,), text=text)


def _dependants(rows: Sequence[AreaRow], of: set[str]) -> list[AreaRow]:
    """All that need one of these, directly or not, in plan order."""
    reached, size = set(of), 0
    while size != len(reached):
        size = len(reached)
        reached |= {row.task.id for row in rows if not reached.isdisjoint(row.task.needs)}
    return [row for row in rows if row.task.id in reached - of]


def _failed(row: AreaRow) -> bool:
    """Whether trying it again makes sense."""
    return frontier.is_final(row) and not frontier.has_landed(row)


def _why_no_retry(row: AreaRow) -> str:
    id = row.task.id
    if row.state == frontier.WAITING:
        return f"{id} has not started yet: it will, when what it needs has landed"
    if row.state == frontier.RUNNING:
        return f"{id} is at work (start {row.start}): wait for its end, or skip it"
    return _over(row)


def _over(row: AreaRow) -> str:
    """Why nothing more is done about a task."""
    id, at = row.task.id, f" as {row.landed}" if row.landed else ""
    if row.state == TaskStatus.LANDED:
        return f"{id} has landed{at}: to change it again, change the spec's sites or the code"
    if row.state == TaskStatus.PARTIAL:
        return f"{id} has landed in part{at}: what was put back needs a person"
    if row.state == TaskStatus.NOTHING_TO_DO:
        return f"{id} is final: there was nothing to do"
    said = row.state.replace("_", " ")
    return f"{id} is final ({said}): retry it first, or leave it to the report"


def _unknown(task: str, rows: Sequence[AreaRow]) -> str:
    """Names what was perhaps meant; ids begin with the cycle that planned them."""
    ids = [row.task.id for row in rows]
    cycle, now = task.partition("-")[0], ids[0].partition("-")[0] if ids else ""
    if cycle != now and _is_cycle(cycle) and _is_cycle(now) and int(cycle[1:]) < int(now[1:]):
        return (
            f"{task} belongs to an earlier cycle ({cycle[1:]}): what it left is in cycle {now[1:]}"
        )
    return f"there is no task {task!r}; {nearest(task, ids)}"


def _is_cycle(word: str) -> bool:
    return word[:1] == "c" and word[1:].isdecimal()


def nearest(name: str, names: Sequence[str]) -> str:
    """What was perhaps meant."""
    close = get_close_matches(name, names, 3, 0.5) or list(names[:3])
    return f"near it: {', '.join(close)}" if close else "there is none at all"


def named(ids: Sequence[str]) -> str:
    """The first few of them."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more


def with_text(texts: Sequence[Guidance], said: Guidance) -> tuple[tuple[Guidance, ...], str]:
    """The texts that are passed on from now on, and what to say of one that no longer is: the
    newest words win."""
    kept = (*texts, said)
    if len(kept) <= MAX_TEXTS:
        return kept, ""
    oldest = kept[0].text.strip()
    shown = oldest if len(oldest) <= SHOWN else f"{oldest[:SHOWN]}…"
    return kept[1:], f"{MAX_TEXTS} texts are the most: the oldest is passed on no more: {shown!r}"


def _refused(wish: Wish, why: str) -> Granted:
    return Granted(id=wish.id, refused=why)
