"""Whatever a model can send is recorded, shown to it again, and told to people: it is paid for."""

import json

import pytest
from talks import a_talk, talking
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts.conversation import TurnTaken
from activities.contracts.transcript import MALFORMED
from cli.boundary import as_json
from cli.tasks import _told
from cli.transcript_text import as_data, as_text
from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.replies import PIECE, call, said, thought

PAIR = "\ud83d\ude00"
STRINGS = {
    "half a character": ("a\ud83d", "a\ufffd"),
    "the other half": ("\ude00b", "\ufffdb"),
    "halves in the wrong order": ("\ude00\ud83d", "\ufffd\ufffd"),
    "halves in two pieces": ("x" * (PIECE - 1) + PAIR, "x" * (PIECE - 1) + "\U0001f600"),
    "an escape of bytes": ("caf\udce9", "caf\ufffd"),
    "what stands for half a character": ("a\ufffd", "a\ufffd"),
    "zero": ("a\x00b", "a\x00b"),
    "a mark of order": ("\ufeffa\ufeff", "\ufeffa\ufeff"),
    "what is no character": ("\ufffe\uffff", "\ufffe\uffff"),
    "what steers a terminal": ("\x1b[31m\r\x08\u202e", "\x1b[31m\r\x08\u202e"),
    "ends of lines": ("a\r\nb\x0b\x85\u2028c", "a\r\nb\x0b\x85\u2028c"),
    "a large number": (10**4000, 10**4000),
    "no number": (float("nan"), None),
}


@pytest.mark.parametrize("what", STRINGS)
async def test_any_reply_is_recorded_sent_back_and_told(tmp_path, what):
    sent, kept = STRINGS[what]
    words = sent if isinstance(sent, str) else "well"
    reply = said(thought("I think."), words, call("read", path="a.py", more=[sent]))
    talk = a_talk()
    async with MessagesApi(scripted([reply, said("done")])) as api, talking(tmp_path, api) as talks:
        taken = await talks.take(talk)
        assert (await talks.take(talk)) == taken
        assert len(api.requests) == 1
        await talks.take(talk, 2, results={"read": "text"})
        [first, second] = talks.turns.transcripts.chunks(talk)
        (told,) = _told(talks, "m", talk.scope)
    thinking, text, called = first.reply
    assert thinking["thinking"] == "I think."
    if isinstance(sent, str):
        assert text["text"] == kept
    broken = isinstance(sent, str) and sent != kept and PAIR not in sent
    if broken:
        assert MALFORMED in called["input"]
    else:
        assert called["input"]["more"] == [kept]
    sent_back = api.requests[1].body["messages"][1]["content"]
    assert [b["type"] for b in sent_back] == ["thinking", "text", "tool_use"]
    assert second.reply[0]["text"] == "done"
    assert talks.spent(talk).recorded == api.account.usd
    # Into history and out of it, on the screen, and as data.
    [payload] = await pydantic_data_converter.encode([taken])
    assert await pydantic_data_converter.decode([payload], [TurnTaken]) == [taken]
    as_text(told).encode()
    assert json.loads(as_json("talks", as_data(told)).encode())


async def test_thoughts_with_half_a_character_are_left_out(tmp_path):
    reply = said({**thought("I think."), "thinking": "I \ud800 think."}, "well")
    async with MessagesApi(scripted([reply])) as api, talking(tmp_path, api) as talks:
        await talks.take(a_talk())
        [chunk] = talks.turns.transcripts.chunks(a_talk())
    assert [block["type"] for block in chunk.reply] == ["text"]
