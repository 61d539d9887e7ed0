"""Carries out what a model calls, one call after the other: a name, an input, an answer.

An answer that tells of an error says what to do next. Nothing a call holds is believed: inputs are
validated by the tool's form, paths are vetted, outputs are bounded. After the call that ends the
conversation no other is carried out; and it ends nothing while a call before it went wrong.
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from activities.adapters.doing import doing
from activities.adapters.mcp_calls import McpCalls
from activities.adapters.path_names import name_of
from activities.adapters.room import is_trouble
from activities.adapters.tool_edits import Edits
from activities.adapters.tool_inputs import plain, valid
from activities.adapters.tool_reading import RESULT, Reading
from activities.adapters.tool_runs import Shell
from activities.adapters.tool_text import Refused, bounded, near_names
from activities.adapters.tool_views import View
from activities.adapters.tree_files import UnsafePath
from activities.contracts.conversation import FileAnswer
from activities.contracts.tools import (
    ReportSite,
    RequestFiles,
    RunChecks,
)
from activities.contracts.transcript import Block, ToolResult

BATCH = 120_000
"""Of all answers to one reply, but for what each has at least."""
LEAST = 1_000
CALLS = 64
REPORTED = 20
CHANGING = ("edit", "write", "delete", "move", "run")
CHECKED = (
    "your checks are run on what you have after this reply's calls; what they say comes before "
    "your next turn"
)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON has it: no commit message and no command can hold what a form says then."""
Tool = Callable[[Any], str | Awaitable[str]]


@dataclass
class Batch:
    """What came of the calls of one reply."""

    results: list[ToolResult] = field(default_factory=list[ToolResult])
    called: set[str] = field(default_factory=set[str])
    """Names of the tools that were called well."""
    touched: bool = False
    """A tool of an MCP server was called that may write to the tree."""
    wants_check: bool = False
    reported: list[str] = field(default_factory=list[str])
    form: BaseModel | None = None
    """What ended the conversation."""

    @property
    def changed(self) -> bool:
        """Whether anything may be different in the tree."""
        return self.touched or not self.called.isdisjoint(CHANGING)

    @property
    def errors(self) -> list[str]:
        return [result.text for result in self.results if result.is_error]

    def add(self, text: str) -> None:
        """To the last answer."""
        last = self.results.pop()
        self.results.append(last.model_copy(update={"text": f"{last.text}\n\n{text}"}))

    def spoil(self, text: str) -> None:
        """Adds to the last answer what went wrong after all; nothing is ended by this reply."""
        last = self.results.pop()
        told = last.text if self.form is None else "not ended yet"
        self.results.append(last.model_copy(update={"text": f"{told}\n\n{text}", "is_error": True}))
        self.form = None


class Toolbox:
    """The tools of one batch. Without edits and a shell it only reads."""

    def __init__(
        self,
        view: View,
        names: Sequence[str],
        *,
        edits: Edits | None = None,
        shell: Shell | None = None,
        answers: Sequence[FileAnswer] = (),
        outside: McpCalls | None = None,
        unfit: Callable[[BaseModel], Sequence[str]] = lambda _: (),
    ) -> None:
        """`names`: the tools of the role; one that only has a form ends the conversation, unless
        `unfit` names faults of it. `outside`: what MCP servers have beside them."""
        self._reading = Reading(view)
        self._unfit = unfit
        self._outside = outside
        self._answers = {answer.path: answer for answer in answers}
        self._batch = Batch()
        known: dict[str, Tool] = {
            "list_files": self._reading.list_files,
            "find_files": self._reading.find_files,
            "search": self._reading.search,
            "read": self._reading.read,
            "outline": self._reading.outline,
            "check": self._check,
            "request_files": self._request,
            "report_site": self._report,
        }
        if edits:
            known |= {"edit": edits.edit, "write": edits.write}
            known |= {"delete": edits.delete, "move": edits.move}
        if shell:
            known["run"] = shell.run
        self._tools = {name: known.get(name, self._end) for name in names}

    async def use(self, calls: Sequence[Block]) -> Batch:
        """Carries out the calls in their order; each has an answer."""
        try:
            return await self._use(calls)
        finally:
            if self._outside:
                await self._outside.close()

    async def _use(self, calls: Sequence[Block]) -> Batch:
        room = BATCH
        for number, call in enumerate(calls, 1):
            name, words = str(call.get("name", "")), f"call {number} of {len(calls)}"
            with doing(f"{words}: {name}"):
                text, is_error = await self._answer(name, call.get("input"), number)
            text = bounded(text, min(RESULT, max(room, LEAST)), "ask for less at once")
            room -= len(text)
            self._batch.results.append(
                ToolResult(call=str(call.get("id", "")), text=text, is_error=is_error)
            )
        return self._batch

    async def _answer(self, name: str, given: object, number: int) -> tuple[str, bool]:
        try:
            if self._batch.form is not None:
                raise Refused("not carried out: it came after the call that ended your work")
            if number > CALLS:
                raise Refused(f"not carried out: one reply may call {CALLS} tools; call it again")
            if self._outside and name in self._outside.tools:
                return await self._call(self._outside, name, given, number), False
            if name not in self._tools:
                like = near_names(name, self._named())
                meant = f"did you mean {' or '.join(like)}? " if like else ""
                raise Refused(f"no tool is called {name!r}: {meant}There are {self._known()}")
            wanted = valid(name, given)
            self._batch.called.add(name)
            tool = self._tools[name]
            if inspect.iscoroutinefunction(tool):
                return await tool(wanted), False
            return str(await asyncio.to_thread(tool, wanted)), False
        except Refused as refused:
            return str(refused), True
        except UnsafePath as unsafe:
            return f"{unsafe}; no link is followed: see what is there with `list_files`", True
        except OSError as error:
            if is_trouble(error) or isinstance(error, FileNotFoundError):
                raise  # the storage's, or the workspace is gone
            said = f"{error.strerror}: {str(error.filename)[-200:]!a}"
            return f"the tree cannot be read ({said}): remove what is there with `run`", True

    async def _call(self, outside: McpCalls, name: str, given: object, number: int) -> str:
        tool = outside.tools[name]
        fields = ", ".join(tool.takes.get("properties", ())) or "nothing"
        wanted = plain(name, given, fields)
        try:
            answer = await outside.call(name, wanted, number)
        finally:
            self._batch.touched = self._batch.touched or outside.touches(name)
        self._batch.called.add(name)
        return answer

    def _named(self) -> list[str]:
        return [*self._tools, *(self._outside.tools if self._outside else ())]

    def _known(self) -> str:
        return ", ".join(self._named())

    def _end(self, form: BaseModel) -> str:
        if self._batch.errors:
            raise Refused(
                "not ended yet: an earlier call of this reply went wrong; see to it, or end your "
                "work in a reply of its own"
            )
        if _NUL.search(form.model_dump_json()):
            raise Refused("not taken: it holds a NUL, which no text has; leave it out")
        if faults := self._unfit(form):
            raise Refused("not taken; mend all of this and send it again:\n" + "\n".join(faults))
        self._batch.form = form
        return "taken"

    def _check(self, _: RunChecks) -> str:
        self._batch.wants_check = True
        return CHECKED

    def _request(self, wanted: RequestFiles) -> str:
        told: list[str] = []
        for path in wanted.paths:
            answer = self._answers.get(path)
            if answer is None:
                told.append(f"{path}: nobody answered; ask for fewer files at once")
            else:
                granted = "yours now" if answer.granted else "not granted"
                told.append(f"{path}: {granted}{f': {answer.text}' if answer.text else ''}")
        return "\n".join(told)

    def _report(self, wanted: ReportSite) -> str:
        path = self._reading.file(wanted.path)
        if len(self._batch.reported) == REPORTED:
            raise Refused(f"one reply reports {REPORTED} places at most: tell of it when you end")
        line = f":{wanted.line}" if wanted.line else ""
        self._batch.reported.append(f"{name_of(path)}{line}: {wanted.why}"[:500])
        return "noted: others will see to it"
