"""What the programs of agents say of themselves, read from what they print. Pure.

`claude -p --output-format json` ends with one object, `codex exec --json` prints an event per line,
aider tells its cost in words; any other program may end with an object that has `summary`, `usd`,
`turns` and `error`. It is the agent's word: shown, and its cost counted, never believed about the
work. A program that prints none of it has said nothing, and is judged by its exit code alone.
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Any, cast

from activities.contracts.placeholder_slots import PROMPTS, all_slots
from activities.contracts.spec import CommandRung
from activities.contracts.work import AgentSaid

SUMMARY = 2_000
"""Characters."""
_KNOWN = re.compile(r"(?:^|[\s/;&|(])(claude|codex|aider)(?=\s|$)")
_COST = re.compile(r"Cost: \$[\d.]+ message, \$([\d.]+) session")
_KINDS = (
    ("login", re.compile(r"log ?in|api.?key|authenticat|unauthori[sz]ed|\b401\b", re.I)),
    ("limit", re.compile(r"rate.?limit|overloaded|quota|usage limit|\b429\b|\b529\b|credit", re.I)),
    ("turns", re.compile(r"max.?turns", re.I)),
)
"""What a failed agent's words tell of why."""
Found = dict[str, Any]


def agent_of(rung: CommandRung) -> str:
    """Whose output it is: as the spec says, by the program's name, or anybody's who was given a
    prompt; empty: no agent's."""
    if rung.agent:
        return rung.agent
    if isinstance(rung.run, str):
        named = _KNOWN.search(rung.run)
        if named:
            return named[1]
    elif (program := PurePosixPath(rung.run[0]).name) in _READERS:
        return program
    return "generic" if any(slot.name in PROMPTS for slot in all_slots(rung.run)) else ""


def read_said(agent: str, output: bytes) -> AgentSaid | None:
    """What it said of its work; None where it said nothing that can be read."""
    text = output.decode("utf-8", "replace")
    return _READERS[agent](agent, text) if agent else None


def _claude(agent: str, text: str) -> AgentSaid | None:
    result = next((f for f in _objects(text) if f.get("type") == "result"), None)
    if result is None:
        return None
    words = _text(result.get("result")) or _text(result.get("subtype"))
    failed = bool(result.get("is_error")) or result.get("subtype") != "success"
    return AgentSaid(
        agent=agent,
        summary=words[:SUMMARY],
        usd=_usd(result.get("total_cost_usd")),
        turns=_count(result.get("num_turns")),
        error=_kind(f"{result.get('subtype')} {words}") if failed else "",
    )


def _codex(agent: str, text: str) -> AgentSaid | None:
    events = [f for f in _objects(text) if "type" in f]
    if not events:
        return None
    items = [cast("Found", e["item"]) for e in events if isinstance(e.get("item"), dict)]
    messages = [_text(i.get("text")) for i in items if i.get("type") == "agent_message"]
    failed = next((e for e in events if e["type"] in ("turn.failed", "error")), None)
    ended = events[0]["type"] in ("turn.failed", "error")
    return AgentSaid(
        agent=agent,
        summary=next(filter(None, messages), "")[:SUMMARY],
        turns=sum(e["type"] == "turn.completed" for e in events) or None,
        error=_kind(json.dumps(failed)) if ended else "",
    )


def _aider(agent: str, text: str) -> AgentSaid | None:
    costs = _COST.findall(text)
    if not costs:
        return None
    return AgentSaid(agent=agent, usd=_usd(costs[-1]), turns=len(costs))


def _generic(agent: str, text: str) -> AgentSaid | None:
    found = next(_objects(text), None)
    if found is None or not {"summary", "usd", "turns", "error"}.intersection(found):
        return None
    error = _text(found.get("error"))
    return AgentSaid(
        agent=agent,
        summary=_text(found.get("summary"))[:SUMMARY],
        usd=_usd(found.get("usd")),
        turns=_count(found.get("turns")),
        error=_kind(error) if error else "",
    )


_READERS: dict[str, Callable[[str, str], AgentSaid | None]] = {
    "claude": _claude,
    "codex": _codex,
    "aider": _aider,
    "generic": _generic,
}


def _objects(text: str) -> Iterator[Found]:
    """The JSON objects that fill a line each, the last one first; or the text as a whole."""
    for line in (*reversed(text.splitlines()), text):
        if line.strip()[:1] == "{":
            try:
                found: object = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                yield cast("Found", found)


def _kind(words: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "failed")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return min(cast("int", value), 1_000_000) if known else None


def _usd(value: object) -> Decimal | None:
    try:
        usd = Decimal(str(value)) if isinstance(value, int | float | str) else Decimal("NaN")
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and 0 <= usd < 100_000 else None
