"""The guard that keeps tests on this machine; conftest.py has it for every test and process."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """A connection to another machine fails the test that makes it."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(allowed: Callable[[socket.socket, Any], Any]) -> Callable[..., Any]:
        def call(self: socket.socket, address: Any) -> Any:
            assert _stays_here(self, address), f"a test tried to reach {address}"
            return allowed(self, address)

        return call

    socket.socket.connect = guarded(connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = guarded(connect_ex)  # type: ignore[method-assign]
    yield
    socket.socket.connect, socket.socket.connect_ex = connect, connect_ex


def _stays_here(of: socket.socket, address: Any) -> bool:
    if of.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"
