"""Turns with the real client against the local Messages API: what is asked, recorded and paid."""

import asyncio
from decimal import Decimal

import pytest
from talks import MIGRATION, MODEL, a_talk, talking

from activities.adapters.blobs import BlobStore, place
from activities.adapters.model_errors import (
    LOOKS_AGAIN,
    ModelOverloaded,
    RateLimited,
    ReplyCut,
    RequestRefused,
)
from activities.adapters.model_gate import Closings, ModelParked
from activities.adapters.model_grant import BudgetReached
from activities.adapters.prices import PriceUnknown
from activities.contracts.conversation import TurnEnd, TurnTaken
from activities.contracts.money import Spend
from activities.contracts.transcript import MALFORMED, calls_of
from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.model_account import PRICES, Account, PerMinute
from tests.fakes.replies import (
    Failure,
    Reply,
    broke,
    call,
    cut_after,
    overloaded,
    rate_limited,
    said,
    thought,
)
from tests.service import eventually

TWICE = call("check")
LONG = "Twelve rules that a migration keeps, one by one. " * 120


async def test_a_second_run_finds_the_reply_and_pays_nothing(tmp_path):
    reply = said("I look.", call("read", path="a.py"))
    async with MessagesApi(scripted([reply])) as api, talking(tmp_path, api) as talks:
        first = await talks.take(a_talk())
        async with talking(tmp_path, api) as another:
            assert await another.take(a_talk()) == first
    assert len(api.requests) == 1
    assert (first.end, first.calls, first.said) == (TurnEnd.CALLS, ("read",), "I look.")
    assert first.spend == Spend(recorded=api.account.usd)


async def test_what_the_model_said_is_shown_again_to_the_byte(tmp_path):
    replies = [said(thought("hm"), "ok", call("read", path="ä.py")), said(call("check")), said("x")]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        await talks.take(a_talk())
        await talks.take(a_talk(), 2, results={"read": "1: old"}, told=("be quick",))
        taken = await talks.take(a_talk(), 3, results={"check": ""})
    messages = api.requests[2].body["messages"]
    assert [m["content"] for m in messages if m["role"] == "assistant"] == [
        list(reply.blocks) for reply in replies[:2]
    ]
    answer, steering = messages[2]["content"]
    assert (answer["content"][0]["text"], steering["text"]) == ("1: old", "be quick")
    assert taken.end is TurnEnd.SAID


async def test_everything_but_what_is_new_is_read_from_the_cache(tmp_path):
    replies = [said(call("read", path=f"{n}.py")) for n in range(4)]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        for turn in range(1, 5):
            results = {"read": f"line {turn}\n" * 200} if turn > 1 else None
            await talks.take(a_talk(system=LONG), turn, results=results)
    for before, after in zip(api.account.served, api.account.served[1:], strict=False):
        had = before.usage["cache_read_input_tokens"] + before.usage["cache_creation_input_tokens"]
        assert after.usage["cache_read_input_tokens"] == had > 1024
        assert after.usage["input_tokens"] < 10


async def test_a_call_that_no_tool_answered_is_answered_all_the_same(tmp_path):
    replies = [said(call("read", path="a.py")), said("well")]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        await talks.take(a_talk())
        assert (await talks.take(a_talk(), 2, told=("go on",))).end is TurnEnd.SAID
    assert api.requests[1].last[0]["is_error"]


@pytest.mark.parametrize(
    ("reply", "end", "calls"),
    [
        (said("well"), TurnEnd.SAID, ()),
        (said(" \n"), TurnEnd.SAID, ()),
        (said(), TurnEnd.SAID, ()),
        (said(TWICE, TWICE), TurnEnd.CALLS, ("check", "check")),
        (said(call("check")), TurnEnd.CALLS, ("check",)),
        (said("no", stop="refusal"), TurnEnd.REFUSED, ()),
        (said("hm", stop="pause_turn"), TurnEnd.PAUSED, ()),
        (said("so lon", stop="max_tokens"), TurnEnd.CUT, ()),
        (
            said(call("check"), call("write", path="a", content="b"), stop="max_tokens"),
            TurnEnd.CUT,
            ("check", "write"),
        ),
        (
            said(
                call("check"),
                call("write", path="a.py", content="long"),
                stop="max_tokens",
                broken=True,
            ),
            TurnEnd.CUT,
            ("check",),
        ),
        (said(call("check"), stop="max_tokens", broken=True), TurnEnd.CUT, ()),
        (said("so", stop="model_context_window_exceeded"), TurnEnd.CUT, ()),
    ],
    ids=[
        *(
            "talk",
            "blank",
            "nothing",
            "one id twice",
            "call",
            "refusal",
            "pause",
            "cut",
            "cut after calls",
            "cut in a call",
        ),
        *("cut in its first", "window"),
    ],
)
async def test_every_end_of_a_reply_is_told_and_can_be_gone_on_from(tmp_path, reply, end, calls):
    async with MessagesApi(scripted([reply, said("and on")])) as api, talking(tmp_path, api) as t:
        taken = await t.take(a_talk())
        assert (taken.end, taken.calls) == (end, calls)
        results = dict.fromkeys(calls, "done") if calls else None
        told = () if end is TurnEnd.PAUSED else ("go on",)
        assert (await t.take(a_talk(), 2, results=results, told=told)).said == "and on"


async def test_malformed_input_of_a_call_is_a_call_that_says_so(tmp_path):
    reply = said(call("edit", path="a.py", old="x", new="y"), broken=True)
    async with MessagesApi(scripted([reply, said("well")])) as api, talking(tmp_path, api) as talks:
        taken = await talks.take(a_talk())
        (made,) = calls_of(talks.turns.transcripts.chunk(a_talk(), 1))
        await talks.take(a_talk(), 2, results={"edit": "no JSON"})
    assert (taken.calls, list(made["input"])) == (("edit",), [MALFORMED])
    assert made["input"][MALFORMED].startswith('{"path": "a.py"')


async def test_input_that_no_record_would_hold_is_malformed_too(tmp_path):
    """It would be paid for again and again."""
    deep: dict[str, object] = {}
    for _ in range(300):
        deep = {"a": deep}
    replies = [said(call("edit", path=deep)), said("well")]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        taken = await talks.take(a_talk())
        (made,) = calls_of(talks.turns.transcripts.chunk(a_talk(), 1))
        again = await talks.take(a_talk(), 2, results={"edit": "no JSON"})
    assert (taken.calls, list(made["input"]), again.said) == (("edit",), [MALFORMED], "well")


async def test_files_that_a_model_asks_for_are_told_where_it_asked_well(tmp_path):
    reply = said(
        call("request_files", paths=["a.py", "b.py"], reason="shared"),
        call("request_files", paths=[], reason="bad"),
    )
    async with MessagesApi(scripted([reply])) as api, talking(tmp_path, api) as talks:
        taken = await talks.take(a_talk())
    assert [(ask.path, ask.reason) for ask in taken.asks] == [
        ("a.py", "shared"),
        ("b.py", "shared"),
    ]


async def test_the_same_calls_have_the_same_fingerprint_whatever_was_said(tmp_path):
    replies = [said("a", call("check")), said("b", call("check")), said(call("read", path="a"))]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        one = await talks.take(a_talk())
        two = await talks.take(a_talk(), 2, results={"check": "red"})
        three = await talks.take(a_talk(), 3, results={"check": "red"})
    assert one.fingerprint == two.fingerprint != three.fingerprint


async def test_a_reply_that_was_lost_counts_at_its_worst_beside_the_one_that_came(tmp_path):
    answers = [cut_after(said("a long answer " * 50), 6), said("well")]
    async with MessagesApi(scripted(answers)) as api, talking(tmp_path, api) as talks:
        with pytest.raises(ReplyCut):
            await talks.take(a_talk())
        taken = await talks.take(a_talk())
        assert taken == await talks.take(a_talk())
    assert taken.spend.recorded == api.account.confirmed
    assert taken.spend.unconfirmed > api.account.usd - api.account.confirmed > 0
    lost = api.account.served[0]
    owed = Account()
    owed.charge(MODEL, lost.usage, a_talk().max_tokens, whole=False)
    assert taken.spend.unconfirmed == owed.usd  # its input was told before it was lost
    assert talks.spent(a_talk()) == taken.spend


@pytest.mark.parametrize("failure", [broke(), broke(504), Failure(400, "invalid_request_error")])
async def test_a_request_that_the_api_refused_costs_nothing(tmp_path, failure):
    async with MessagesApi(scripted([failure, said("well")])) as api, talking(tmp_path, api) as t:
        with pytest.raises(Exception, match=str(failure.status)):
            await t.take(a_talk())
        assert t.spent(a_talk()) == Spend()
        assert (await t.take(a_talk())).spend == Spend(recorded=api.account.usd)


async def test_no_request_is_made_that_the_grant_cannot_pay_for(tmp_path):
    async with MessagesApi(scripted([said("well")])) as api, talking(tmp_path, api) as talks:
        with pytest.raises(BudgetReached, match=r"0\.0001 are left") as reached:
            await talks.take(a_talk(), grant="0.0001")
        assert (api.requests, reached.value.spend, talks.spent(a_talk())) == ([], Spend(), Spend())
        worst = talks.turns._prices.worst(MODEL, 0, 1000)
        assert (await talks.take(a_talk(), grant="0.1")).spend.total < worst < Decimal("0.1")


async def test_lost_requests_of_a_turn_use_its_grant_up_and_are_told(tmp_path):
    lost = cut_after(said("well"), 3)
    async with MessagesApi(lambda _: lost) as api, talking(tmp_path, api) as talks:
        grant, lost_replies = "0.1", 0
        while not isinstance(reached := await _raised(talks, grant), BudgetReached):
            assert isinstance(reached, ReplyCut)
            lost_replies += 1
    assert len(api.requests) == lost_replies > 1
    assert reached.spend == talks.spent(a_talk())
    assert api.account.usd < reached.spend.total <= Decimal(grant)


async def _raised(talks, grant) -> Exception:
    try:
        await talks.take(a_talk(), grant=grant)
    except (ReplyCut, BudgetReached) as error:
        return error
    raise AssertionError("it was paid for")


async def test_of_two_that_ask_at_once_neither_passes_the_cap(tmp_path):
    """A worker that was taken for dead, and the one that took over: each sees the other's."""
    async with (
        MessagesApi(lambda _: said("well", silent=0.3)) as api,
        talking(tmp_path, api) as one,
        talking(tmp_path, api) as two,
    ):
        enough = str(one.turns._prices.worst(MODEL, 9000, 1000))
        takes = [t.take(a_talk(), grant=enough) for t in (one, two)]
        ended = await asyncio.gather(*takes, return_exceptions=True)
        assert api.account.usd <= Decimal(enough)
        assert one.spent(a_talk()).total <= Decimal(enough)
        assert all(not isinstance(e, Exception) or isinstance(e, BudgetReached) for e in ended)


LONG_PROMPT = Failure(400, "invalid_request_error", "prompt is too long")


async def test_two_replies_to_one_turn_are_one_on_record_and_both_paid(tmp_path):
    replies = [said("first", silent=0.5), said("second")]
    async with (
        MessagesApi(scripted(replies)) as api,
        talking(tmp_path, api) as frozen,
        talking(tmp_path, api) as second,
    ):

        async def asked() -> bool:
            return bool(api.requests)

        late = asyncio.create_task(frozen.take(a_talk()))
        await eventually(asked)
        assert (await second.take(a_talk())).said == "second"
        assert (await late).said == "second"
        assert second.spent(a_talk()) == Spend(recorded=api.account.usd)


async def test_a_conversation_that_nearly_fills_the_window_goes_on_from_a_summary(tmp_path):
    window = 40_000
    big = call("read", path="a.py")
    replies = [said(big), said("Summary: a.py is done."), said("on we go"), said("still")]
    async with MessagesApi(scripted(replies), window=window) as api, talking(tmp_path, api) as t:
        t.turns._prices.window = lambda _: window // 2
        await t.take(a_talk())
        taken = await t.take(a_talk(), 2, results={"read": "word " * 8000}, told=("and hurry",))
        await t.take(a_talk(), 3, told=("go on",))
        chunk = t.turns.transcripts.chunk(a_talk(), 2)
    assert (chunk.compacted, taken.said) == (True, "on we go")
    shown = [block["text"] for block in api.requests[2].last]
    assert shown[0] == "This file."
    assert shown[1].endswith("Summary: a.py is done.")
    assert shown[2] == "and hurry"
    assert len(api.requests[3].body["messages"]) == 3
    assert taken.spend == Spend(recorded=sum(s.usd for s in api.account.served[1:3]))


async def test_a_conversation_that_the_api_finds_too_long_is_summarised_with_shorter_results(
    tmp_path,
):
    replies = [said(call("read", path="a.py")), said("So far so good."), said("on")]
    async with MessagesApi(scripted(replies), window=6000) as api, talking(tmp_path, api) as talks:
        await talks.take(a_talk())
        taken = await talks.take(a_talk(), 2, results={"read": "word " * 8000})
    assert (taken.said, taken.end) == ("on", TurnEnd.SAID)
    assert taken.spend == Spend(recorded=api.account.usd - api.account.served[0].usd)


@pytest.mark.parametrize(
    "words",
    [
        "input length and `max_tokens` exceed context limit: 195000 + 16000 > 200000",
        "Input is too long for requested model.",
    ],
)
async def test_however_it_is_said_that_a_conversation_is_too_long_it_is_summarised(tmp_path, words):
    refusal = Failure(400, "invalid_request_error", words)
    replies = [said(call("read", path="a.py")), refusal, said("So far so good."), said("on")]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        await talks.take(a_talk())
        taken = await talks.take(a_talk(), 2, results={"read": "some words"})
    assert (taken.said, taken.end) == ("on", TurnEnd.SAID)


@pytest.mark.parametrize(("again", "end"), [("So far so good.", "said"), ("", "full")])
async def test_who_calls_a_tool_in_place_of_a_summary_is_asked_once_more_for_words(
    tmp_path, again, end
):
    calls = said(call("read", path="b.py"))
    replies = [calls, LONG_PROMPT, calls, said(*filter(None, [again])), said("on")]
    async with MessagesApi(scripted(replies)) as api, talking(tmp_path, api) as talks:
        await talks.take(a_talk())
        taken = await talks.take(a_talk(), 2, results={"read": "some words"})
        assert await talks.take(a_talk(), 2) == taken
    asked = [request.body.get("tool_choice") for request in api.requests]
    assert asked[:4] == [None, None, None, {"type": "none"}]
    assert (taken.end, len(asked)) == (end, 5 if again else 4)
    assert taken.spend == Spend(recorded=api.account.usd - api.account.served[0].usd)


async def test_a_brief_that_fits_no_window_is_said_to_be_too_long(tmp_path):
    async with MessagesApi(scripted([]), window=500) as api, talking(tmp_path, api) as talks:
        taken = await talks.take(a_talk(brief=LONG))
    assert (taken.end, taken.spend) == (TurnEnd.FULL, Spend())


async def test_a_model_without_a_price_is_asked_where_there_is_no_cap_alone(tmp_path, monkeypatch):
    monkeypatch.setitem(PRICES, "claude-nobody", PRICES[MODEL])
    talk = a_talk(model="claude-nobody")
    async with MessagesApi(lambda _: said("well")) as api, talking(tmp_path, api) as talks:
        with pytest.raises(PriceUnknown):
            await talks.take(talk, grant="5")
        assert (api.requests, talks.spent(talk)) == ([], Spend())
        assert (await talks.take(talk)).said == "well"


async def test_an_error_is_short_and_quotes_no_more(tmp_path):
    refusal = Failure(400, "invalid_request_error", "you said: " + LONG)
    async with MessagesApi(scripted([refusal])) as api, talking(tmp_path, api) as talks:
        with pytest.raises(RequestRefused) as raised:
            await talks.take(a_talk())
    assert len(str(raised.value)) <= 500
    assert raised.value.__cause__ is None


async def test_an_overloaded_provider_says_when_to_come_back_even_if_it_did_not(tmp_path):
    async with MessagesApi(scripted([overloaded()])) as api, talking(tmp_path, api) as talks:
        with pytest.raises(ModelOverloaded) as raised:
            await talks.take(a_talk())
    assert raised.value.after


async def test_a_time_that_nobody_lives_to_see_is_not_waited_for(tmp_path):
    never = rate_limited(1e15)
    async with MessagesApi(scripted([never])) as api, talking(tmp_path, api) as talks:
        with pytest.raises(RateLimited) as raised:
            await talks.take(a_talk())
    assert LOOKS_AGAIN <= raised.value.after < 2 * LOOKS_AGAIN


async def test_a_reply_is_held_until_its_place_takes_it(tmp_path):
    """A mount that goes between the reply and its record: it was paid for."""
    blobs, away = tmp_path / "blobs/migration", tmp_path / "blobs/away"

    def unmounted(_) -> Reply:
        blobs.rename(away)
        asyncio.get_running_loop().call_later(1, away.rename, blobs)
        return said("well")

    BlobStore(tmp_path / "blobs").put(MIGRATION, b"")
    async with MessagesApi(unmounted) as api, talking(tmp_path, api, begins=False) as talks:
        taken = await talks.take(a_talk())
    assert (taken.said, len(api.requests)) == ("well", 1)
    assert taken.spend == Spend(recorded=api.account.usd)


async def test_an_account_that_bears_so_many_tokens_a_minute_is_asked_no_faster(tmp_path):
    """Ten conversations at once: one closes the gate for all, and they come through one by one."""
    limit = PerMinute(None, window=1.0)
    async with (
        MessagesApi(lambda _: said("well"), per_minute=limit) as api,
        talking(tmp_path, api, most=10) as talks,
    ):
        await talks.take(a_talk(scope="task/c1-0000"))  # the cache has the tools then
        await talks.take(a_talk(scope="task/c1-0001"))
        usage = api.account.served[1].usage
        each = usage["input_tokens"] + usage["cache_creation_input_tokens"]
        limit.limits["input-tokens"] = 3 * each

        async def patiently(number: int) -> TurnTaken:
            while True:
                try:
                    return await talks.take(a_talk(scope=f"task/c1-{number:04}"))
                except (RateLimited, ModelParked) as busy:
                    await asyncio.sleep(busy.after or 0)

        taken = await asyncio.gather(*map(patiently, range(2, 12)))
        closed = Closings(place(tmp_path / "blobs")).newest()
    assert [one.said for one in taken] == ["well"] * 10
    assert closed
    assert closed.why.startswith("429")
    refused = len(api.requests) - len(api.account.served)
    assert 0 < refused < 10, "whoever waits before the gate asks nobody"
    spent = sum((one.spend for one in taken), Spend())
    assert spent == Spend(recorded=sum(served.usd for served in api.account.served[2:]))
