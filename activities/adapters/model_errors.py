"""What may come of a request to the model, one kind each; the classes are the error table.

`charged`: whether somebody may have to pay for the request. `busy`: the provider asks everybody for
patience, for `after` seconds where it says so.
"""

import math
import re
from collections.abc import Mapping

import httpx2
from anthropic import (
    AnthropicError,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
)

from activities.contracts.money import Spend, Usage

TEXT = 500
"""Characters: an error's body may quote the prompt."""
LOOKS_AGAIN = 3600.0
"""Seconds after which it is asked again although it told a later time: a refusal costs nothing, and
a limit may have been raised meanwhile."""
TOO_LONG = re.compile("prompt is too long|input is too long|exceed context limit", re.IGNORECASE)
"""How the API and clouds say it; the last: with the longest reply on top."""
SPEND_LIMITS = frozenset(("enforced_spend_limit_reached", "contract_spend_limit_reached"))


class ModelError(Exception):
    """A request that brought no reply."""

    charged = False
    busy = False

    def __init__(self, text: str, after: float | None = None, charged: bool | None = None) -> None:
        super().__init__(text[:TEXT])
        self.usage: Usage | None = None
        """Of a reply that began and was lost: its input is known, its output is not."""
        self.spend: Spend | None = None
        """Of all requests of the turn by now."""
        self.after = after
        if charged is not None:
            self.charged = charged


class NoKey(ModelError):
    """There is no credential."""


class KeyRefused(ModelError):
    """The credential is wrong, or may not do this."""


class ModelUnknown(ModelError):
    """The API has no such model."""


class RequestRefused(ModelError):
    """The API will never take this request."""


class PromptTooLong(ModelError):
    """The conversation does not fit the model's window."""


class SpendLimitReached(ModelError):
    """The account may spend no more. No reason to keep others from asking for theirs."""


class RateLimited(ModelError):
    busy = True


class ModelOverloaded(ModelError):
    busy = True


class ModelUnavailable(ModelError):
    """Trouble on the API's side."""


class ModelUnreachable(ModelError):
    """No connection."""


class ModelSilent(ModelError):
    """Nothing came for too long."""

    charged = True


class ReplyCut(ModelError):
    """The stream ended before the reply did."""

    charged = True


OF_STATUS: dict[int, type[ModelError]] = {
    401: KeyRefused,
    402: SpendLimitReached,
    403: KeyRefused,
    404: ModelUnknown,
    408: ModelUnavailable,
    409: ModelUnavailable,
    413: PromptTooLong,
    424: ModelUnavailable,
    429: RateLimited,
    529: ModelOverloaded,
}
OF_TYPE: dict[str, type[ModelError]] = {
    "invalid_request_error": RequestRefused,
    "authentication_error": KeyRefused,
    "permission_error": KeyRefused,
    "not_found_error": ModelUnknown,
    "billing_error": SpendLimitReached,
    "rate_limit_error": RateLimited,
    "overloaded_error": ModelOverloaded,
    "validationException": RequestRefused,
    "throttlingException": RateLimited,
}
"""Of error events, which come in a stream that began with a 200; Bedrock has names of its own."""


def kind_of(error: Exception) -> ModelError:
    """What an exception of the client means."""
    if isinstance(error, APIStatusError):
        return _answered(error)
    if isinstance(error, APIConnectionError):
        return _unanswered(error.__cause__ or error, isinstance(error, APITimeoutError))
    if isinstance(error, httpx2.TimeoutException):
        return ModelSilent(f"the reply stopped in the middle: {type(error).__name__}")
    if isinstance(error, httpx2.TransportError):
        return ReplyCut(f"the connection broke in the middle of the reply: {error}")
    if isinstance(error, AnthropicError | TypeError | ValueError | LookupError):
        return ReplyCut(f"the reply makes no sense: {error}")
    raise error


def _answered(error: APIStatusError) -> ModelError:
    said = error.api_message or str(error)
    text = f"{error.status_code} {error.type or ''}: {said}"
    headers, streaming = error.response.headers, error.status_code < 300
    kind = OF_STATUS.get(error.status_code, RequestRefused)
    if error.status_code >= 500 and kind is RequestRefused:
        kind = ModelUnavailable
    if streaming:
        kind = OF_TYPE.get(error.type or "", ModelUnavailable)
    if error.error_code in SPEND_LIMITS:
        kind = SpendLimitReached
    elif kind is RequestRefused and TOO_LONG.search(said):
        kind = PromptTooLong
    kind = _as_told(kind, headers)
    return kind(text, retry_after(headers), charged=streaming)


def _as_told(kind: type[ModelError], headers: Mapping[str, str]) -> type[ModelError]:
    """`x-should-retry` overrides what the status says; not of an account, which a person mends."""
    told = headers.get("x-should-retry")
    if kind.__name__ in ACCOUNT:
        return kind
    if told == "true" and kind.__name__ in NEVER_MENDED:
        return ModelUnavailable
    if told == "false" and kind.__name__ not in NEVER_MENDED:
        return RequestRefused
    return kind


def _unanswered(cause: BaseException, timeout: bool) -> ModelError:
    text = f"{type(cause).__name__}: {cause}"
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return ModelUnreachable(f"the model API does not answer: {text}")
    if timeout:
        return ModelSilent(f"the model API was silent for too long: {text}")
    return ModelUnreachable(f"the connection to the model API broke: {text}", charged=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the API asks for, as far as it is believed."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, LOOKS_AGAIN)
    return None


NEVER_MENDED = frozenset(kind.__name__ for kind in (ModelUnknown, RequestRefused, PromptTooLong))
"""Kinds that the same request will meet again."""
ACCOUNT = frozenset(kind.__name__ for kind in (NoKey, KeyRefused, SpendLimitReached))
"""Kinds that every request will meet until a person has seen to the account."""
