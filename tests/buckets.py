"""A bucket on this machine: a real S3 server process, whose objects are files that a test can harm.

It honours `If-None-Match: *`, which is what a record needs; `DeleteObjects` it does not know.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

NAME = "blobs"


@dataclass
class Bucket:
    """A bucket and the server that keeps it."""

    root: Path
    port: int
    server: subprocess.Popen[bytes] | None = None
    url: str = f"s3://{NAME}/some/prefix"

    @property
    def files(self) -> Path:
        """Where the server keeps its objects."""
        return self.root / "buckets" / NAME

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """How a client reaches it."""
        return _environment(self.endpoint)

    def start(self) -> None:
        """With what it had when it was stopped."""
        program = Path(sys.executable).parent / "localbucket"
        command = [sys.executable, program, "--port", str(self.port), self.root / "buckets"]
        with (self.root / "server.log").open("ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log)
        _create(f"{self.endpoint}/{NAME}")

    def stop(self) -> None:
        if self.server:
            self.server.terminate()
            self.server.wait()
            self.server = None


@contextmanager
def bucket(root: Path) -> Generator[Bucket]:
    """A running server with one empty bucket."""
    root.mkdir(parents=True, exist_ok=True)
    running = Bucket(root, _free_port())
    try:
        running.start()
        yield running
    finally:
        running.stop()


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "checks-this",
        "AWS_DISABLE_BULK_DELETE": "true",
    }


def _create(url: str, patience: float = 10.0) -> None:
    """Returns once it is there; it may have been."""
    deadline = time.monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
            return
        except urllib.error.HTTPError as refused:
            if refused.code == HTTPStatus.CONFLICT:
                return
            raise
        except urllib.error.URLError:
            assert time.monotonic() < deadline, f"no bucket at {url}"
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
