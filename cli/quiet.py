"""Temporal's client without a voice of its own: what people read at the terminal are our words."""

from functools import cache

from temporalio.runtime import Runtime, TelemetryConfig


@cache
def quiet() -> Runtime:
    """The runtime of all of a starter's connections: threads of its own, so one for each process.

    The SDK would print a line for every try while a server is away, and we say that once.
    """
    return Runtime(telemetry=TelemetryConfig(logging=None))
