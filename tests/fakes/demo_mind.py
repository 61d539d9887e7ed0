"""A "model" that does the tail of the demo through its tools: a function of each request.

It keeps nothing between requests, as a model keeps nothing: what it knows is in the conversation.

    python -m tests.fakes.demo_mind    runs `starter.py demo --model` with it, on an API of its own
"""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activities.contracts.tools import GIVE_VERDICT, SUBMIT_PLAN
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Block, Reply, call, said

WRONG, RIGHT = "caught.exception", "caught.value"
ROOT = Path(__file__).resolve().parents[2]
_FOUND = re.compile(r"^(\S+?):\d+: ", re.MULTILINE)


def answer(request: Request) -> Reply:
    """Looks, edits, checks, finishes: one step a turn."""
    offered = [tool["name"] for tool in request.body["tools"]]
    if SUBMIT_PLAN in offered:
        return _plan(request)
    if GIVE_VERDICT in offered:
        return _judge(request)
    done = [name for name, _ in _calls(request.body)]
    if "search" not in done:
        return said("Where is the old attribute?", call("search", pattern=re.escape(WRONG)))
    if "edit" not in done:
        mine = _mine(request.body)
        found = dict.fromkeys(_FOUND.findall(_results(request.body)[-1]))
        edits = [
            call("edit", path=path, old=WRONG, new=RIGHT, all=True)
            for path in found
            if path in mine
        ]
        if not edits:
            return said(call("finish", status="cannot", did="Nothing to mend.", verified="nothing"))
        return said(f"{len(edits)} of my files have it.", *edits)
    if "check" not in done:
        return said(call("check"))
    green = "red" not in " ".join(_said_since(request))
    status = "done" if green else "cannot"
    did = f"{WRONG} is {RIGHT} under pytest.raises."
    return said(call("finish", status=status, did=did, verified="checks"))


def _plan(request: Request) -> Reply:
    """Looks around once, then takes over the proposal."""
    if not _calls(request.body):
        pattern = r"\.exception\b"
        return said(call("list_files", path="tests"), call("search", pattern=pattern))
    summary = "By directory, as proposed: each has its own tests, and all of them are alike."
    told = f"Where the checks are red afterwards, look for `{WRONG}` first."
    return said(call(SUBMIT_PLAN, summary=summary, take_static=True, instructions=told))


def _judge(request: Request) -> Reply:
    """Looks for the old way once, then says what it found of it."""
    if not _calls(request.body):
        return said(call("search", pattern=r"self\.assert[A-Z]", paths=["tests"]))
    found = _FOUND.findall(_results(request.body)[-1])
    sites = [{"path": path, "why": "the old way"} for path in dict.fromkeys(found)][:20]
    verdict = "concerns" if sites else "pass"
    return said(call(GIVE_VERDICT, verdict=verdict, summary="The asserts are bare.", sites=sites))


def _calls(body: dict[str, Any]) -> list[tuple[str, Block]]:
    return [
        (block["name"], block["input"])
        for message in body["messages"]
        if message["role"] == "assistant"
        for block in message["content"]
        if block["type"] == "tool_use"
    ]


def _results(body: dict[str, Any]) -> list[str]:
    return [_text(block["content"]) for block in _blocks(body) if block["type"] == "tool_result"]


def _said_since(request: Request) -> list[str]:
    return [block["text"] for block in request.last if block["type"] == "text"]


def _blocks(body: dict[str, Any]) -> Iterator[Block]:
    for message in body["messages"]:
        if message["role"] == "user" and not isinstance(message["content"], str):
            yield from message["content"]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def _mine(body: dict[str, Any]) -> set[str]:
    """The files of the task, as the brief lists them."""
    brief = _text(body["messages"][0]["content"])
    listed = brief.partition("# Files you may change")[2]
    return set(re.findall(r"^- (\S+?)(?::.*)?$", listed, re.MULTILINE))


async def _demo() -> int:
    async with MessagesApi(answer, key="local") as api:
        env = {**os.environ, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "local"}
        words = [sys.executable, str(ROOT / "starter.py"), "demo", "--model", *sys.argv[1:]]
        ran = await asyncio.create_subprocess_exec(*words, env=env)
        code = await ran.wait()
        print(f"\nthe API was asked {len(api.requests)} times; its account: {api.account.usd} USD")
        return code


if __name__ == "__main__":
    sys.exit(asyncio.run(_demo()))
