"""What turns cost, and what they may cost at worst."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talks import a_talk

from activities.adapters.model_request import asked, at_most, tools
from activities.adapters.prices import Prices, PriceUnknown
from activities.contracts.conversation import TurnEnd
from activities.contracts.models import PLANS, WORKS
from activities.contracts.money import Usage
from activities.contracts.transcript import Chunk, ToolResult, ToolResults
from tests.fakes.model_account import MILLION, PRICES

COUNTS = st.integers(0, 900_000)
USED = st.builds(Usage, input=COUNTS, cache_write=COUNTS, cache_read=COUNTS, output=COUNTS)


@pytest.mark.parametrize("model", PRICES)
@given(used=USED)
def test_the_table_has_the_prices_of_the_local_api(model, used):
    counts = (used.input, used.cache_write, used.cache_read, used.output)
    owed = sum(n * Decimal(p) for n, p in zip(counts, PRICES[model], strict=True)) / MILLION
    assert Prices().price(model, used) == owed


@given(used=USED)
def test_no_usage_costs_more_than_the_worst_case_of_its_tokens(used):
    prices = Prices()
    for model in ("claude-sonnet-4-5", WORKS):  # one has tiers
        whole = used.input + used.cache_write + used.cache_read
        assert prices.price(model, used) <= prices.worst(model, whole, used.output)


@pytest.mark.parametrize("model", [PLANS, WORKS])
def test_the_default_models_have_a_price(model):
    assert Prices().known(model)
    assert Prices().worst(model, 1000, 1000) > 0


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("bedrock", "us.anthropic.claude-sonnet-5-5-v1:0"),
        ("vertex", "claude-sonnet-5-5@20260901"),
        ("google", WORKS),
        ("aws", WORKS),
        ("foundry", WORKS),
    ],
)
def test_a_clouds_names_of_models_have_its_prices(provider, model):
    assert Prices(provider=provider).known(model)
    assert Prices(provider=provider).worst(model, 1_000_000, 0) >= Decimal("2.5")


def test_a_model_without_a_price_is_named_with_what_to_do():
    prices = Prices()
    assert not prices.known("claude-nobody")
    with pytest.raises(PriceUnknown, match=r"claude-nobody costs: .* WHIMBREL_PRICES"):
        prices.price("claude-nobody", Usage())


def test_ones_own_prices_go_before_the_table(tmp_path):
    own = tmp_path / "prices.json"
    own.write_text('{"claude-nobody": {"input": "4", "output": "20", "window": 50000}}')
    prices = Prices(own)
    assert prices.known("claude-nobody")
    assert prices.known(WORKS)
    assert prices.window("claude-nobody") == 50_000
    million = Usage(input=0, cache_write=1_000_000, cache_read=1_000_000, output=0)
    assert prices.price("claude-nobody", million) == Decimal("9")
    assert prices.source.startswith("1 of one's own, then genai-prices 0.")


@pytest.mark.parametrize(
    "text", ['{"m": {"input": "4"}}', '{"m": {"input": -1, "output": 1}}', "["]
)
def test_a_bad_file_of_prices_is_refused(tmp_path, text):
    own = tmp_path / "prices.json"
    own.write_text(text)
    with pytest.raises(ValueError, match=r"m\.output|m\.input|JSON"):
        Prices(own)


@given(brief=st.text(min_size=1), told=st.lists(st.text(), max_size=3))
def test_a_first_prompt_is_never_taken_for_shorter_than_its_bytes(brief, told):
    """No tokenizer makes more than one token of a byte."""
    talk = a_talk(brief=brief)
    said = [talk.system, brief, *told, *(tool["description"] for tool in tools(talk))]
    assert at_most(talk, [], asked(talk, None, None, told)) >= sum(len(w.encode()) for w in said)


@given(used=USED, result=st.text())
def test_what_was_measured_counts_as_measured_and_what_is_new_by_its_bytes(used, result):
    call = {"type": "tool_use", "id": "t", "name": "read", "input": {}}
    given = {"turn": 1, "asked": (), "reply": (call,), "end": TurnEnd.CALLS, "stop": "tool_use"}
    chunk = Chunk(usage=used, usd=Decimal(0), model="m", **given)
    results = ToolResults(results=(ToolResult(call="t", text=result),))
    blocks = asked(a_talk(), chunk, results, ())
    measured = used.input + used.cache_write + used.cache_read + used.output
    assert at_most(a_talk(), [chunk], blocks) >= measured + len(result.encode())
