"""The MCP calls of one reply: vetted here, carried out by the servers, told as data.

A call that only reads may be made twice. Of any other there is a record before it is made and
another with its answer: a second run tells the answer, or that nobody knows what came of it, and
never makes it again.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from activities.adapters.blobs import BlobStore
from activities.adapters.mcp_servers import McpServers, Place
from activities.adapters.mcp_sessions import McpAway, McpRefused, McpSession
from activities.adapters.secret_values import redacted
from activities.adapters.tool_reading import RESULT
from activities.adapters.tool_text import Refused, bounded
from activities.contracts.conversation import Conversation
from activities.contracts.marking import as_data
from activities.contracts.mcp import McpAnswer, McpTool

ANSWER = RESULT - 1_000
"""Characters of what a server said."""
REASON = 1_000
UNKNOWN = (
    "nobody knows whether it took effect ({}), so it is not made again: look what there is, then "
    "call it anew only if it did nothing"
)
DIED = "the worker died while it was under way"


class McpCalls:
    """Those of one reply, with at most one session with each server; `close` it."""

    def __init__(
        self,
        blobs: BlobStore,
        servers: McpServers,
        talk: Conversation,
        turn: int,
        place: Place | None = None,
    ) -> None:
        """`place`: the workspace's tree, where there is one."""
        self.tools: Mapping[str, McpTool] = {tool.name: tool for tool in talk.mcp}
        self._blobs, self._servers, self._talk, self._turn = blobs, servers, talk, turn
        self._place = place
        self._sessions: dict[str, McpSession] = {}
        self._hidden: dict[str, list[str]] = {}
        """Server → the secrets that it was given."""

    async def call(self, name: str, given: dict[str, Any], number: int) -> str:
        """The answer to the reply's call of this number. Raises Refused."""
        tool = self.tools[name]
        if not self._servers.may_call(tool, self._talk.role):
            raise Refused(f"this worker's settings do not let you call {name}: go on without it")
        self._vet(tool, given)
        try:
            if tool.server not in self._sessions:
                hidden = await asyncio.to_thread(self._servers.secrets_of, tool.server)
                self._hidden[tool.server] = hidden
                self._sessions[tool.server] = self._servers.session(tool.server, self._place)
            await self._sessions[tool.server].begin()
        except (McpAway, McpRefused) as away:
            raise Refused(f"not called: {_short(away)}. Go on without it") from None
        if tool.repeatable:
            answer = await self._asked(tool, given)
        else:
            answer = await self._once(tool, given, number)
        if answer.is_error:
            raise Refused(answer.text)
        return answer.text

    def touches(self, name: str) -> bool:
        """Whether the call of a tool may have changed the tree."""
        tool = self.tools[name]
        called = tool.server in self._sessions
        return called and not tool.reads and self._servers.writes(tool.server)

    async def close(self) -> None:
        """Ends every session."""
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.close() for session in sessions.values()))

    def _vet(self, tool: McpTool, given: dict[str, Any]) -> None:
        from activities.adapters.mcp_schemas import faults

        if found := faults(tool.takes, given):
            raise Refused(f"the input of {tool.name} is not valid: {'; '.join(found)}")

    async def _once(self, tool: McpTool, given: dict[str, Any], number: int) -> McpAnswer:
        talk = self._talk
        key = f"mcp/{talk.scope}@{talk.attempt}/{self._turn}/{number}"
        mine = uuid4().hex.encode()
        keep, find = self._blobs.put_once, self._blobs.find
        if await asyncio.to_thread(keep, talk.migration, f"{key}-begun", mine) != mine:
            said = await asyncio.to_thread(find, talk.migration, f"{key}-answer")
            unknown = McpAnswer(text=UNKNOWN.format(DIED), is_error=True)
            return McpAnswer.model_validate_json(said) if said else unknown
        answer = await self._asked(tool, given)
        data = answer.model_dump_json().encode()
        said = await asyncio.to_thread(keep, talk.migration, f"{key}-answer", data)
        return McpAnswer.model_validate_json(said)

    async def _asked(self, tool: McpTool, given: dict[str, Any]) -> McpAnswer:
        session = self._sessions[tool.server]
        try:
            result = await session.ask(lambda client: client.call_tool(tool.tool, given))
        except McpAway as away:
            why = f"{_short(away)}. Go on without it, or try again once"
            return self._told(tool, why if tool.repeatable else UNKNOWN.format(_short(away)), True)
        except Exception as error:  # the SDK's, of many kinds: what the server said is no result
            return self._told(tool, f"{tool.server} refused it: {_short(error)}", True)
        return self._told(tool, text_of(result), result.is_error)

    def _told(self, tool: McpTool, text: str, is_error: bool) -> McpAnswer:
        said = redacted(text.encode("utf-8", "replace"), self._hidden[tool.server])
        clean = said.decode("utf-8", "replace")
        shown = bounded(as_data(clean), ANSWER, "ask it for less at once")
        return McpAnswer(text=f"<data>\n{shown}\n</data>", is_error=is_error)


def text_of(result: Any) -> str:
    """What of a result is text; of anything else, what it is."""
    parts = [_part(block) for block in result.content]
    if not any(parts) and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    return "\n".join(part for part in parts if part) or "(it answered nothing)"


def _part(block: Any) -> str:
    if block.type == "text":
        return block.text
    if block.type == "resource_link":
        return f"[a link: {block.name}, {block.uri}]"
    if block.type == "resource" and hasattr(block.resource, "text"):
        return block.resource.text
    held = getattr(block, "resource", block)
    data = getattr(held, "data", None) or getattr(held, "blob", "")
    return f"[{block.type}, {held.mime_type}, {len(data)} characters of base64: not shown]"


def _short(error: Exception) -> str:
    return str(error)[:REASON] or type(error).__name__
