"""The local Messages API against the real client: whoever is driven by it met the real protocol."""

import time

import pytest
from anthropic import APIStatusError, AsyncAnthropic, BadRequestError, RateLimitError

from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.model_account import PerMinute
from tests.fakes.replies import Failure, call, cut_after, rate_limited, said, thought

MODEL = "claude-sonnet-5-5"
LONG = "a prompt that is long enough to be cached. " * 200


def client(api: MessagesApi) -> AsyncAnthropic:
    return AsyncAnthropic(api_key="k", base_url=api.url, max_retries=0)


def asking(words: str, **more):
    messages = [{"role": "user", "content": words}]
    return {"model": MODEL, "max_tokens": 1000, "messages": messages, **more}


async def reply_to(model: AsyncAnthropic, body):
    async with model.messages.stream(**body) as stream:
        return await stream.get_final_message()


async def test_the_client_puts_together_what_was_scripted():
    reply = said(thought("hm, which file?"), "I read it.", call("read", path="a.py", lines=3))
    async with MessagesApi(scripted([reply]), key="k") as api, client(api) as model:
        message = await reply_to(model, asking("go on"))
    assert [block.to_dict() for block in message.content] == list(reply.blocks)
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens == api.account.served[0].output


async def test_a_prefix_that_was_marked_is_read_from_the_cache():
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    async with MessagesApi(scripted([said("one"), said("two")])) as api, client(api) as model:
        first = (await reply_to(model, asking("go on", system=system))).usage
        second = (await reply_to(model, asking("something else", system=system))).usage
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens > 1024
    assert (first.cache_read_input_tokens, second.cache_creation_input_tokens) == (0, 0)
    assert api.account.served[1].usd < api.account.served[0].usd
    assert api.account.usd == api.account.confirmed


async def test_a_cut_stream_looks_sound_or_not_and_is_paid_for():
    reply = cut_after(said("a long answer " * 20), 5)
    async with MessagesApi(scripted([reply])) as api, client(api) as model:
        message = await reply_to(model, asking("go on"))
    assert message.stop_reason is None
    assert (api.account.usd > 0, api.account.confirmed) == (True, 0)


async def test_an_error_in_the_middle_comes_with_a_200():
    async with (
        MessagesApi(scripted([said("well", error="overloaded_error")])) as api,
        client(api) as model,
    ):
        with pytest.raises(APIStatusError) as raised:
            await reply_to(model, asking("go on"))
    assert (raised.value.status_code, raised.value.type) == (200, "overloaded_error")


async def test_a_limit_says_when_to_come_again():
    limit = PerMinute(1, window=0.5)
    async with (
        MessagesApi(scripted([said("one"), said("two")]), per_minute=limit) as api,
        client(api) as model,
    ):
        await reply_to(model, asking("go on"))
        with pytest.raises(RateLimitError) as raised:
            await reply_to(model, asking("go on"))
        assert float(raised.value.response.headers["retry-after"]) == 1
        began = time.monotonic()
        while limit.retry_after(time.monotonic()) is not None:
            assert time.monotonic() < began + 2


async def test_input_tokens_have_a_limit_of_their_own_and_its_headers():
    limit = PerMinute(9, window=30, tokens=100)
    async with (
        MessagesApi(scripted([said("one"), said("two")]), per_minute=limit) as api,
        client(api) as model,
    ):
        await reply_to(model, asking("go on"))
        with pytest.raises(RateLimitError) as raised:
            await reply_to(model, asking("word " * 100))
        headers = raised.value.response.headers
        assert headers["anthropic-ratelimit-input-tokens-limit"] == "100"
        assert 0 < int(headers["anthropic-ratelimit-input-tokens-remaining"]) < 100
        assert headers["anthropic-ratelimit-requests-remaining"] == "8"
        assert 0 < float(headers["retry-after"]) <= 30


async def test_an_error_has_the_body_of_the_real_one():
    answers = [rate_limited(3, code="enforced_spend_limit_reached"), Failure(402, "billing_error")]
    async with MessagesApi(scripted(answers)) as api, client(api) as model:
        with pytest.raises(RateLimitError) as raised:
            await reply_to(model, asking("go on"))
        with pytest.raises(APIStatusError) as unpaid:
            await reply_to(model, asking("go on"))
    assert raised.value.error_code == "enforced_spend_limit_reached"
    assert raised.value.response.headers["retry-after"] == "3"
    assert (unpaid.value.status_code, api.account.usd) == (402, 0)


USER = {"role": "user", "content": "go on"}
CALLED = call("read", path="a.py")
THOUGHT = thought("hm")


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([{"role": "assistant", "content": "hello"}], "first message must use the `user` role"),
        ([USER, {"role": "assistant", "content": [CALLED]}, USER], "without `tool_result`"),
        ([USER, {"role": "assistant", "content": []}, USER], "non-empty content"),
        (
            [USER, {"role": "assistant", "content": [{**THOUGHT, "thinking": "other"}]}, USER],
            "Invalid `signature`",
        ),
        ([{"role": "user", "content": " "}], "non-whitespace"),
        ([{"role": "user", "content": LONG * 100}], "prompt is too long"),
    ],
    ids=["first", "unanswered call", "empty", "changed thinking", "blank", "too long"],
)
async def test_what_the_real_one_refuses_is_refused(messages, why):
    async with MessagesApi(scripted([])) as api, client(api) as model:
        with pytest.raises(BadRequestError, match=why):
            await reply_to(model, {**asking(""), "messages": messages})
    assert api.account.usd == 0
