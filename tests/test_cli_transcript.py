"""What people read of an agent's conversation."""

import pytest
from talks import MODEL, a_talk, talking

from activities.adapters.model_errors import ReplyCut
from cli.tasks import _told
from cli.transcript_text import as_data, as_text
from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.replies import call, cut_after, said

LONG = "\n".join(f"{n}: line" for n in range(1, 40))


async def test_a_conversation_reads_as_turns_with_tools_and_costs(tmp_path):
    replies = [
        said("I look first.", call("read", path="a.py", lines=3)),
        said(call("edit", path="a.py", old="x = 1\n", new="x = 2\n")),
        cut_after(said("Done, I think."), 4),
        said("Done."),
        said("Done again."),
    ]
    talk = a_talk(prompts={"worker.md": "ab" * 32}, system="You migrate.")
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        await talks.take(talk)
        await talks.take(talk, 2, results={"read": LONG}, told=("mind the tests",))
        answers = {"edit": "a.py: x = 1 occurs twice"}
        with pytest.raises(ReplyCut):
            await talks.take(talk, 3, results=answers)
        await talks.take(talk, 3, results=answers)
        await talks.take(a_talk(attempt="0-10", brief="Again."))
        (told, again) = _told(talks, "m", "task/c1-0001")
    text, data = as_text(told), as_data(told)
    head, prompt, *_ = text.splitlines()
    assert head.startswith(f"attempt 0-1: worker, {MODEL}, 3 turns, {told.spend.recorded:.4f} USD")
    assert "of replies that were lost" in head
    assert prompt == "prompt worker.md, sha256 abababababab"
    for line in (
        "  told: This file.",
        "  said: I look first.",
        "  read path=a.py lines=3",
        "     > 1: line",
        "       … (27 more lines)",
        "  told: mind the tests",
        "  edit path=a.py",
        "     > a.py: x = 1 occurs twice",
    ):
        assert line in text.splitlines()
    assert "turn 2: calls, " in text
    assert told.spend.recorded + again.spend.recorded == api.account.confirmed
    assert (again.spend.unconfirmed, again.talk.attempt) == (0, "0-10")
    assert len(data["turns"]) == 3
    assert data["turns"][0]["reply"][0]["text"] == "I look first."


async def test_a_task_without_agents_has_no_conversations(tmp_path):
    async with MessagesApi(scripted([])) as api, talking(tmp_path, api) as talks:
        talks.blobs.put("m", b"")
        assert _told(talks, "m", "task/c1-0001") == []
