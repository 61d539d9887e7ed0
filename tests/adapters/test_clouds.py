"""Models of clouds, each through the SDK's own client for it: a turn, a limit, a refused key."""

import contextlib
import os
import sys

import pytest
from anthropic.lib.aws._auth import _get_session

from activities.adapters.model_api import open_model
from activities.adapters.model_errors import (
    KeyRefused,
    NoKey,
    PromptTooLong,
    RateLimited,
    ReplyCut,
    RequestRefused,
)
from tests.fakes.clouds import AWS, AwsGateway, Bedrock, GoogleGateway, Vertex, service_account
from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.replies import Failure, call, cut_after, rate_limited, said, text

PLAIN = "claude-sonnet-5-5"
BEDROCK = "us.anthropic.claude-sonnet-5-5-v1:0"
ASK = call("read", path="a.py")
TOOL = {"name": "read", "description": "Reads.", "input_schema": {"type": "object"}}
WORDS = "a long answer " * 20
BY_TOKEN = {"AWS_BEARER_TOKEN_BEDROCK": "k", "AWS_REGION": "eu-west-1"}
VERTEX = {"CLOUD_ML_REGION": "europe-west1", "ANTHROPIC_VERTEX_PROJECT_ID": "p"}
GOOGLE = {"ANTHROPIC_GOOGLE_CLOUD_PROJECT": "p", "ANTHROPIC_GOOGLE_CLOUD_WORKSPACE_ID": "w"}
WORKSPACE = {"ANTHROPIC_AWS_WORKSPACE_ID": "w"}
CLOUDS = {
    "bedrock": (Bedrock, "ANTHROPIC_BEDROCK_BASE_URL", AWS, BEDROCK),
    "bedrock by a token": (Bedrock, "ANTHROPIC_BEDROCK_BASE_URL", BY_TOKEN, BEDROCK),
    "vertex": (Vertex, "ANTHROPIC_VERTEX_BASE_URL", VERTEX, "claude-sonnet-5-5@20260901"),
    "google": (GoogleGateway, "ANTHROPIC_GOOGLE_CLOUD_BASE_URL", GOOGLE, PLAIN),
    "aws": (AwsGateway, "ANTHROPIC_AWS_BASE_URL", {**AWS, **WORKSPACE}, PLAIN),
    "foundry": (
        MessagesApi,
        "ANTHROPIC_FOUNDRY_BASE_URL",
        {"ANTHROPIC_FOUNDRY_API_KEY": "k"},
        PLAIN,
    ),
}
"""What serves it, the variable of its address, what it is reached by, its name of the model."""
REFUSED = {
    "bedrock": {"AWS_SECRET_ACCESS_KEY": "wrong"},
    "bedrock by a token": {"AWS_BEARER_TOKEN_BEDROCK": "wrong"},
    "aws": {"AWS_SECRET_ACCESS_KEY": "wrong"},
    "foundry": {"ANTHROPIC_FOUNDRY_API_KEY": "wrong"},
}


class Rig:
    """A local cloud and the environment of a worker that is given what reaches it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        for name in [n for n in os.environ if n.startswith(("ANTHROPIC_", "AWS_", "GOOGLE_"))]:
            monkeypatch.delenv(name)
        _get_session.cache_clear()  # the SDK's own, of the credentials of the test before
        # What a machine in a cloud has beside its environment is not asked for.
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")

    @contextlib.asynccontextmanager
    async def serving(self, cloud: str, answers, **more: str):
        """The cloud, and a model that asks it."""
        kind, address, given, model = CLOUDS[cloud]
        key = {} if issubclass(kind, Vertex | AwsGateway) else {"key": "k"}
        async with kind(scripted(answers), **key) as api:
            with service_account(api.url) as account:
                if issubclass(kind, Vertex):
                    self._patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
                for name, value in {address: api.url, **given, **more}.items():
                    self._patch.setenv(name, value)
                asked = open_model(os.environ, cloud.split()[0])
                assert asked
                body = {"model": model, "max_tokens": 100, "tools": [TOOL]}
                body["messages"] = [{"role": "user", "content": "go on"}]
                try:
                    yield api, lambda: asked.reply(dict(body), lambda *_: None)
                finally:
                    await asked.close()


@pytest.fixture
def rig(monkeypatch) -> Rig:
    return Rig(monkeypatch)


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_a_turn_with_a_call_is_streamed_and_a_limit_told(rig, cloud):
    turn = said(text(WORDS), ASK, output=40)
    async with rig.serving(cloud, [rate_limited(7), turn]) as (api, ask):
        with pytest.raises(RateLimited) as limited:
            await ask()
        assert (limited.value.after, limited.value.charged) == (7, False)
        reply = await ask()
    assert reply.blocks == (text(WORDS), ASK)
    assert reply.stop == "tool_use"
    assert reply.usage.output == 40
    assert reply.usage.input > 0
    assert [request.body["tools"] for request in api.requests] == [[TOOL]] * 2


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_a_key_that_is_refused_is_a_persons_to_mend(rig, cloud):
    async with rig.serving(cloud, [said("never")], **REFUSED.get(cloud, {})) as (api, ask):
        if isinstance(api, Vertex):
            api.token = "wrong"
        with pytest.raises(KeyRefused) as refused:
            await ask()
    assert not refused.value.charged


@pytest.mark.parametrize(
    ("answer", "kind", "charged"),
    [
        (said(WORDS, error="throttlingException"), RateLimited, True),
        (said(WORDS, error="validationException"), RequestRefused, True),
        (cut_after(said(WORDS), 5), ReplyCut, True),
        (Failure(400, "", "Input is too long for requested model."), PromptTooLong, False),
    ],
    ids=["throttled in the stream", "refused in the stream", "cut", "too long"],
)
async def test_what_bedrock_alone_says_is_of_the_same_kinds(rig, answer, kind, charged):
    async with rig.serving("bedrock", [answer]) as (_, ask):
        with pytest.raises(kind) as told:
            await ask()
    assert told.value.charged is charged


@pytest.mark.parametrize(
    ("cloud", "missing"),
    [("bedrock", "AWS_SECRET_ACCESS_KEY"), ("vertex", "GOOGLE_APPLICATION_CREDENTIALS")],
)
async def test_credentials_that_are_nowhere_cost_nothing_and_are_told(
    rig, monkeypatch, tmp_path, cloud, missing
):
    monkeypatch.setenv("HOME", str(tmp_path))
    async with rig.serving(cloud, [said("never")]) as (api, ask):
        monkeypatch.delenv(missing)
        with pytest.raises(NoKey) as told:
            await ask()
    assert not told.value.charged
    assert not api.requests


@pytest.mark.parametrize("cloud", ["bedrock", "aws", "vertex", "google"])
def test_a_package_that_a_cloud_needs_is_asked_for_at_the_start(rig, monkeypatch, cloud):
    for package in ("boto3", "google.auth"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=rf"{cloud} needs .* requirements-extras\.txt"):
        open_model(os.environ, cloud)
