"""What is recorded of a conversation, whoever records it, and how often."""

from decimal import Decimal

import pytest
from builders import COMMIT

from activities.adapters.blobs import BlobMissing, BlobStore
from activities.adapters.transcripts import Transcripts
from activities.contracts.base import BlobRef
from activities.contracts.conversation import Conversation, Role, TurnEnd
from activities.contracts.money import Spend, Usage
from activities.contracts.transcript import Chunk, Intent, Summary

USD = Decimal("0.5")
WORST = Decimal(2)


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def transcripts(blobs):
    return Transcripts(blobs)


def a_talk(**more) -> Conversation:
    given = {
        "migration": "m",
        "scope": "task/c1-0001",
        "attempt": "0-1",
        "role": Role.WORKER,
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "system": "You migrate.",
        "brief": "This file.",
        "repository": "app-1a2b3c4d",
        "commit": COMMIT,
        "spec": BlobRef(migration="m", sha256="0" * 64, size=0),
        "phase": "main",
    }
    return Conversation(**{**given, **more})


def a_chunk(turn=1, words="", **more) -> Chunk:
    reply = ({"type": "text", "text": words or f"turn {turn}"},)
    given = {"asked": (), "reply": reply, "end": TurnEnd.SAID, "stop": "end_turn"}
    return Chunk(turn=turn, usage=Usage(), usd=USD, model="m", **{**given, **more})


def an_intent(by="me") -> Intent:
    return Intent(by=by, worst=WORST)


def test_the_first_reply_is_the_turns(transcripts):
    turn = transcripts.turn(a_talk(), 1)
    assert turn.chunk() is None
    assert turn.keep(a_chunk(words="first")) == turn.keep(a_chunk(words="second"))
    assert transcripts.chunk(a_talk(), 1).reply[0]["text"] == "first"


def test_a_turn_that_nobody_took_is_missing_by_its_name(transcripts, blobs):
    blobs.put("m", b"")
    with pytest.raises(BlobMissing, match=r"turn 3 of task/c1-0001, attempt 0-1"):
        transcripts.chunk(a_talk(), 3)


def test_only_what_follows_the_last_summary_is_sent_again(transcripts):
    for number in range(1, 7):
        compacted = number in (2, 4)
        transcripts.turn(a_talk(), number).keep(a_chunk(number, compacted=compacted))
    assert [chunk.turn for chunk in transcripts.sent_before(a_talk(), 7)] == [4, 5, 6]
    assert [chunk.turn for chunk in transcripts.sent_before(a_talk(), 4)] == [2, 3]
    assert transcripts.sent_before(a_talk(), 1) == []


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 20])
def test_requests_are_counted_without_a_gap(transcripts, count):
    turn = transcripts.turn(a_talk(), 1)
    numbers = [turn.intend(an_intent(f"by {n}")) for n in range(count)]
    assert numbers == list(range(1, count + 1))
    assert turn.spend() == Spend(unconfirmed=WORST * count)


def test_a_lost_request_costs_its_worst_once_and_an_answered_one_what_it_cost(transcripts):
    turn = transcripts.turn(a_talk(), 1)
    turn.intend(an_intent("lost"))
    turn.settle(turn.intend(an_intent("refused")), Decimal(0))
    summed = turn.intend(an_intent("summary"))
    turn.keep_summary(Summary(text="so far", usage=Usage(), usd=USD, request=summed))
    assert turn.spend() == Spend(recorded=USD, unconfirmed=WORST)
    answered = turn.intend(an_intent("answered"))
    assert turn.spend() == Spend(recorded=USD, unconfirmed=2 * WORST)
    turn.keep(a_chunk(request=answered))
    assert turn.spend() == turn.spend() == Spend(recorded=2 * USD, unconfirmed=WORST)


def test_of_two_who_asked_at_once_the_slower_is_paid_for_too(transcripts):
    """A worker that froze before its reply was recorded, and the one that took over."""
    turn = transcripts.turn(a_talk(), 1)
    frozen, second = turn.intend(an_intent("frozen")), turn.intend(an_intent("second"))
    turn.keep(a_chunk(request=second))
    assert turn.spend() == Spend(recorded=USD, unconfirmed=WORST)
    kept = turn.keep(a_chunk(words="too late", request=frozen))
    assert kept.request == second
    turn.settle(frozen, Decimal("0.25"))
    assert turn.spend() == Spend(recorded=USD + Decimal("0.25"))


def test_the_spend_of_a_scope_is_summed_over_its_attempts_and_no_others(transcripts):
    for attempt in ("0-1", "0-2", "1-1"):
        turn = transcripts.turn(a_talk(attempt=attempt), 1)
        turn.keep(a_chunk(request=turn.intend(an_intent())))
    transcripts.turn(a_talk(attempt="0-2"), 2).intend(an_intent())
    transcripts.turn(a_talk(scope="task/c1-00011"), 1).intend(an_intent())
    transcripts.turn(a_talk(scope="task/c1-0001/more"), 1).intend(an_intent())
    assert transcripts.spent("m", "task/c1-0001", "0-") == Spend(
        recorded=2 * USD, unconfirmed=WORST
    )
    assert transcripts.spent("m", "task/c1-0001", "0-1/") == Spend(recorded=USD)
    assert transcripts.scopes("m") == ["task/c1-0001", "task/c1-0001/more", "task/c1-00011"]
    assert transcripts.spent("m", "task/c1-0001").recorded == 3 * USD
    assert transcripts.spent("m", "task/c1-0002") == Spend()
