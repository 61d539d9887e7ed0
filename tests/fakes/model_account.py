"""The local Messages API's own account: tokens, the prompt cache, rate limits, and what it is owed.

Its prices stand here, so that nothing is compared with itself.
"""

import hashlib
import json
import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
MILLION = Decimal(1_000_000)
PRICES: dict[str, tuple[str, str, str, str]] = {
    "claude-sonnet-5-5": ("2", "2.5", "0.1", "10"),
    "claude-opus-5-5": ("4", "5", "0.2", "20"),
    "claude-haiku-4-5": ("1", "1.25", "0.1", "5"),
}
"""USD per million tokens: input, cache write, cache read, output."""
CACHED_FROM = 1024
"""Tokens: a shorter prefix is not cached."""
HIDDEN = 346
"""Tokens of the API's own instructions about tools."""


def tokens(value: Any) -> int:
    """As if four characters were a token."""
    return -(-len(_canonical(value)) // 4)


def _canonical(value: Any) -> str:
    """Without cache marks, which are no part of what is said."""
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if k != "cache_control"}
        return "{" + ",".join(f"{k}:{_canonical(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return json.dumps(value)


def blocks(body: Json) -> Iterator[tuple[Any, bool]]:
    """(block, whether a cached prefix ends with it) in the order of the prompt."""
    system = body.get("system") or []
    said = [system] if isinstance(system, str) else system
    parts = [*body.get("tools", ()), *said]
    for message in body["messages"]:
        content = message["content"]
        parts += [message["role"], *([content] if isinstance(content, str) else content)]
    for part in parts:
        yield part, isinstance(part, dict) and "cache_control" in part


@dataclass(frozen=True)
class Served:
    """One request that cost something."""

    model: str
    usage: dict[str, int]
    output: int
    usd: Decimal
    whole: bool
    """Its reply was sent to the end."""


@dataclass
class Account:
    """What this API has served."""

    served: list[Served] = field(default_factory=list[Served])
    _cached: set[str] = field(default_factory=set[str])

    @property
    def usd(self) -> Decimal:
        return sum((one.usd for one in self.served), Decimal(0))

    @property
    def confirmed(self) -> Decimal:
        """Of replies that were sent to the end."""
        return sum((one.usd for one in self.served if one.whole), Decimal(0))

    def input(self, body: Json, keep: bool = True) -> dict[str, int]:
        """The input's usage; what the request marks is in the cache from now on, if it is kept."""
        state = hashlib.sha256(body["model"].encode())
        total, read, marked = HIDDEN if body.get("tools") else 0, 0, 0
        marks: list[str] = []
        for block, ends in blocks(body):
            state.update(_canonical(block).encode())
            total += tokens(block)
            digest = state.hexdigest()
            if digest in self._cached:
                read = total
            if ends and total >= CACHED_FROM:
                marked = total
                marks.append(digest)
        if keep:
            self._cached.update(marks)
        written = max(marked - read, 0)
        return {
            "input_tokens": total - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
        }

    def charge(self, model: str, usage: dict[str, int], output: int, whole: bool) -> None:
        price = [Decimal(p) / MILLION for p in PRICES[model]]
        usd = (
            usage["input_tokens"] * price[0]
            + usage["cache_creation_input_tokens"] * price[1]
            + usage["cache_read_input_tokens"] * price[2]
            + output * price[3]
        )
        self.served.append(Served(model, usage, output, usd, whole))


class PerMinute:
    """A sliding window of requests, and of the input tokens that no cache has."""

    def __init__(
        self, allowed: int | None, window: float = 60.0, tokens: int | None = None
    ) -> None:
        self.limits = {"requests": allowed, "input-tokens": tokens}
        self._window = window
        self._passed: deque[tuple[float, int]] = deque()

    def retry_after(self, now: float, tokens: int = 0) -> float | None:
        """None: this one may pass, and counts; else the seconds until one may."""
        fits = all(rest >= n for rest, n in zip(self._rest(now), (1, tokens), strict=True))
        if fits or not self._passed:
            self._passed.append((now, tokens))
            return None
        return self._passed[0][0] + self._window - now

    def headers(self, now: float) -> tuple[tuple[str, str], ...]:
        """What the API says of its limits with every answer."""
        reset = datetime.fromtimestamp(time.time() + self._window, UTC).isoformat()
        return tuple(
            (f"anthropic-ratelimit-{kind}-{name}", str(value))
            for (kind, limit), rest in zip(self.limits.items(), self._rest(now), strict=True)
            if limit is not None
            for name, value in (
                ("limit", limit),
                ("remaining", max(0, int(rest))),
                ("reset", reset),
            )
        )

    def _rest(self, now: float) -> tuple[float, float]:
        while self._passed and self._passed[0][0] <= now - self._window:
            self._passed.popleft()
        used = (len(self._passed), sum(tokens for _, tokens in self._passed))
        limits = (math.inf if most is None else most for most in self.limits.values())
        requests, tokens = (most - n for most, n in zip(limits, used, strict=True))
        return requests, tokens
