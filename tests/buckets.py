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
from pathlib import Path

NAME = "blobs"


@dataclass
class Bucket:
    """A bucket and where the server keeps it."""

    url: str
    files: Path
    environment: dict[str, str]
    """How a client reaches it."""


@contextmanager
def bucket(root: Path) -> Generator[Bucket]:
    """A running server with one empty bucket."""
    root.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    program = Path(sys.executable).parent / "localbucket"
    with (root / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, program, "--port", str(port), root / "buckets"], stdout=log, stderr=log
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _create(f"{endpoint}/{NAME}")
        yield Bucket(f"s3://{NAME}/some/prefix", root / "buckets" / NAME, _environment(endpoint))
    finally:
        server.terminate()
        server.wait()


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
    deadline = time.monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
            return
        except urllib.error.URLError:
            assert time.monotonic() < deadline, f"no bucket at {url}"
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
