"""Who gets to see the model's key: the role that needs it, and nothing else."""

import os
import subprocess
import sys

import pytest

from activities.adapters.model_api import open_model
from activities.adapters.model_key import names_model
from activities.adapters.settings import Settings
from roles.host import Host
from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.replies import said
from tests.service import ROOT, environment

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"ANTHROPIC_API_KEY": "k"}, set()),
        ({"ANTHROPIC_AUTH_TOKEN": "t", "ANTHROPIC_CUSTOM_HEADERS": "X-Secret: s"}, set()),
        ({"ANTHROPIC_BASE_URL": URL}, {"ANTHROPIC_BASE_URL"}),
        ({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": URL}, {"ANTHROPIC_BASE_URL"}),
    ],
    ids=["key", "token", "gateway", "both"],
)
async def test_what_the_model_is_asked_with_is_not_left_in_the_environment(given, left):
    given = dict(given)
    assert names_model(given)
    model = open_model(given)
    assert set(given) == left
    await model.close()


def test_without_a_credential_there_is_no_model():
    assert not names_model({"ANTHROPIC_API_KEY": "", "PATH": "/bin"})


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"ANTHROPIC_API_KEY": "k"}, "Bearer k"),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, "Bearer t"),
    ],
)
async def test_the_api_is_shown_what_was_given(given, shown):
    async with MessagesApi(scripted([said("well")])) as api:
        model = open_model({**given, "ANTHROPIC_BASE_URL": api.url})
        messages = [{"role": "user", "content": "go on"}]
        body = {"model": "claude-sonnet-5-5", "max_tokens": 10, "messages": messages}
        await model.reply(body, lambda *_: None)
        await model.close()
    assert api.requests[0].headers["Authorization"] == shown


@pytest.fixture
def host(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        monkeypatch.delenv(name)
    return Host(Settings(home=tmp_path))


def test_a_process_of_all_roles_has_no_key_in_its_environment_when_others_begin(host, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert host.prepare_model(alone=False)
    child = [sys.executable, "-c", "import os; print(os.environ.get('ANTHROPIC_API_KEY'))"]
    assert subprocess.run(child, capture_output=True, check=True).stdout == b"None\n"


def test_a_process_of_all_roles_goes_without_a_model_where_there_is_no_key(host):
    assert not host.prepare_model(alone=False)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "the role `model` needs a credential: set ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_API_KEY": "k", "WHIMBREL_PRICES": "/nowhere"}, "/nowhere"),
    ],
)
def test_a_model_worker_that_could_never_ask_does_not_start(tmp_path, env, given, why):
    clean = {k: v for k, v in environment(tmp_path).items() if not k.startswith("ANTHROPIC_")}
    address = env.client.service_client.config.target_host
    done = subprocess.run(
        [sys.executable, str(ROOT / "worker.py"), "--role", "model"],
        env={**clean, "TEMPORAL_ADDRESS": address, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert why in done.stderr


CLOUDS = {
    "foundry": {"ANTHROPIC_FOUNDRY_API_KEY": "k", "ANTHROPIC_FOUNDRY_BASE_URL": "URL"},
    "aws": {
        "ANTHROPIC_AWS_API_KEY": "k",
        "ANTHROPIC_AWS_BASE_URL": "URL",
        "ANTHROPIC_AWS_WORKSPACE_ID": "w",
        "AWS_REGION": "eu-west-1",
    },
}
"""Those that speak the Messages API as it is."""


@pytest.mark.parametrize("provider", CLOUDS)
async def test_a_model_of_a_cloud_is_asked_by_its_own_variables(provider, host, monkeypatch):
    async with MessagesApi(scripted([said("well")])) as api:
        for name, value in CLOUDS[provider].items():
            monkeypatch.setenv(name, value.replace("URL", api.url))
        model = open_model(os.environ, provider)
        messages = [{"role": "user", "content": "go on"}]
        body = {"model": "claude-sonnet-5-5", "max_tokens": 10, "messages": messages}
        assert (await model.reply(body, lambda *_: None)).blocks[0]["text"] == "well"
        await model.close()
    assert "k" not in {os.environ.get(name) for name in CLOUDS[provider]}


@pytest.mark.parametrize("provider", ["bedrock", "foundry", "vertex"])
def test_a_cloud_that_lacks_its_variables_is_refused_with_their_names(provider, host, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "CLOUD_ML_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=r"AWS_REGION|ANTHROPIC_FOUNDRY_API_KEY|CLOUD_ML_REGION"):
        open_model(os.environ, provider)
