"""No test reaches another machine, in whichever process it runs."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("registry.example", 443)])
def test_a_connection_to_another_machine_is_not_even_tried(address: tuple[str, int]) -> None:
    with socket.socket() as one, pytest.raises(AssertionError, match="tried to reach"):
        one.connect(address)
    with socket.socket() as one, pytest.raises(AssertionError, match="tried to reach"):
        one.connect_ex(address)


def test_this_machine_may_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as here, socket.socket() as one:
        one.connect(here.getsockname())
