"""The model behind the Messages API: the SDK's own client, which never retries by itself.

Whatever goes wrong is one of model_errors.py. The credential is taken out of the environment by the
one role that needs it, so that no other part of the process, and no child of it, finds it there.
"""

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Protocol

import httpx2
from anthropic import (
    AnthropicError,
    APIError,
    AsyncAnthropic,
    AsyncAnthropicAWS,
    AsyncAnthropicFoundry,
    AsyncAnthropicGoogleCloud,
)
from anthropic.lib.bedrock import AsyncAnthropicBedrock
from anthropic.lib.vertex import AsyncAnthropicVertex

from activities.adapters.extras import INSTALL, is_installed
from activities.adapters.model_errors import ModelError, ModelSilent, NoKey, kind_of
from activities.adapters.model_key import (
    ANTHROPIC,
    AWS_KEY,
    BASE_URL,
    ELSEWHERE,
    KEY,
    TOKEN,
    forget,
)
from activities.adapters.model_reply import Reply, Stream

NO_KEY_NEEDED = "none"
"""Shown to an address of one's own that nobody gave a key for: a gateway may ask for none."""
OTHERS: dict[str, Callable[..., Any]] = {
    "aws": AsyncAnthropicAWS,
    "bedrock": AsyncAnthropicBedrock,
    "vertex": AsyncAnthropicVertex,
    "google": AsyncAnthropicGoogleCloud,
    "foundry": AsyncAnthropicFoundry,
}
"""Clients of clouds: each finds by itself, in its own variables, what it is reached by."""
NEEDS = {
    "aws": "boto3",
    "bedrock": "boto3",
    "vertex": "google.auth",
    "google": "google.auth",
}
"""What signs requests and finds credentials, and is not installed by default."""
SILENCE = 180.0
"""Seconds without a byte: a model that thinks sends pings."""
LONGEST = 1800.0
"""Seconds of one reply."""
CONNECT = 10.0


class Client(Protocol):
    """What all of the SDK's clients have in common."""

    @property
    def messages(self) -> Any: ...

    async def close(self) -> None: ...


class ModelApi:
    """One provider, with one account."""

    def __init__(self, client: Client) -> None:
        """`client`: one that never retries by itself."""
        self._client = client

    async def reply(self, body: dict[str, Any], told: Callable[[int, int], None]) -> Reply:
        """One request; `told` gets the events and characters so far. Raises a ModelError."""
        stream = Stream()
        try:
            async with asyncio.timeout(LONGEST):
                events = await self._begun(body)
                async with events:
                    async for event in events:
                        stream.take(event.to_dict())
                        told(stream.events, stream.chars)
            return stream.reply()
        except ModelError as error:
            lost = error
        except TimeoutError:
            lost = ModelSilent(f"the reply was not whole after {LONGEST:.0f} s")
        except (AnthropicError, httpx2.HTTPError, TypeError, ValueError, LookupError) as error:
            lost = kind_of(error)
        lost.usage = stream.began
        # Not chained: what a client's exception holds may quote the prompt.
        raise lost from None

    async def _begun(self, body: dict[str, Any]) -> Any:
        """The stream of a request that was made. Raises NoKey where it could not be: what looks
        for credentials has exceptions of its own, and they come before anything is sent."""
        try:
            return await self._client.messages.create(**body, stream=True)
        except (APIError, httpx2.HTTPError):
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise NoKey(f"no credential for the model API: {said}") from None

    async def close(self) -> None:
        await self._client.close()


def open_model(
    environment: MutableMapping[str, str], provider: str = ANTHROPIC, silence: float = SILENCE
) -> ModelApi:
    """The model that the environment names, whose secrets are not in it afterwards. `silence`:
    seconds without a byte after which a reply is given up. Raises ValueError where a provider lacks
    what it is reached by, or a package for it is not installed."""
    _require(provider, environment)
    timeout = httpx2.Timeout(silence, connect=CONNECT)
    try:
        if provider == ANTHROPIC:
            client = _first_party(environment, timeout)
        else:
            client: Client = OTHERS[provider](max_retries=0, timeout=timeout)
    except AnthropicError as error:
        raise ValueError(f"{provider}: {error}") from error
    forget(environment)
    return ModelApi(client)


def _require(provider: str, environment: Mapping[str, str]) -> None:
    package = NEEDS.get(provider)
    if package is None or (provider == "aws" and environment.get(AWS_KEY)):
        return
    if not is_installed(package):
        raise ValueError(
            f"{provider} needs the package {package}, which is not installed: {INSTALL}"
        )


def _first_party(environment: MutableMapping[str, str], timeout: httpx2.Timeout) -> AsyncAnthropic:
    key, token = environment.get(KEY) or None, environment.get(TOKEN) or None
    if not (key or token or any(map(environment.get, ELSEWHERE))):
        key = NO_KEY_NEEDED
    return AsyncAnthropic(
        api_key=key,
        auth_token=None if key else token,
        base_url=environment.get(BASE_URL) or None,
        max_retries=0,
        timeout=timeout,
    )
