"""Serves hubs to a host as an operator would: git's own server, with the rights of that host."""

import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from activities.adapters.hub_door import rights


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, host: str, port: int | None = None) -> Generator[str]:
    """The URL under which `host` reaches the hubs in a folder."""
    port = port or free_port()
    command = ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    command += ["--export-all", "--enable=receive-pack", f"--base-path={folder}", str(folder)]
    daemon = subprocess.Popen(command, env=dict(rights(host)), start_new_session=True)
    try:
        _await(port, daemon)
        yield f"git://127.0.0.1:{port}/"
    finally:
        daemon.terminate()
        daemon.wait()


def _await(port: int, daemon: "subprocess.Popen[bytes]") -> None:
    while True:
        assert daemon.poll() is None, "git daemon has ended"
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return
        except OSError:
            time.sleep(0.02)
