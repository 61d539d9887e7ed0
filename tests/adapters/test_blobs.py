"""What every blob store promises, in a folder and in a bucket of a real S3 server."""

import os
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from buckets import Bucket, bucket

from activities.adapters.blobs import BlobCorrupt, BlobMissing, BlobStore, NotExclusive

LARGE = os.urandom(6 << 20)
"""More than a client sends in one part."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with bucket(tmp_path_factory.mktemp("s3")) as running:
        yield running


@dataclass
class Shop:
    """A store, and the files that it keeps everything in."""

    store: BlobStore
    files: Path

    def file(self, name: str) -> Path:
        [found] = [p for p in self.files.rglob("*") if p.is_file() and name in p.name]
        return found


@pytest.fixture(params=["folder", "bucket"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    if request.param == "folder":
        return Shop(BlobStore(tmp_path / "blobs"), tmp_path / "blobs")
    running: Bucket = request.getfixturevalue("s3")
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    own = f"{running.url}/{tmp_path.name}"
    return Shop(BlobStore(own), running.files / "some" / "prefix" / tmp_path.name)


@pytest.mark.parametrize("data", [b"", b"a blob", LARGE], ids=["empty", "small", "large"])
def test_equal_bytes_have_one_name_however_often_they_are_put(shop: Shop, data: bytes) -> None:
    first, second = shop.store.put("m", data), shop.store.put("m", data)
    assert first == second
    assert shop.store.get(first) == data
    assert [kept.size for kept in shop.store.kept("m")] == [len(data)]


def test_a_missing_and_a_damaged_blob_say_where_they_are(shop: Shop) -> None:
    ref, other = shop.store.put("m", b"one"), shop.store.put("m", b"two")
    shop.file(ref.sha256).write_bytes(b"ono")
    with pytest.raises(BlobCorrupt, match=f"{ref.sha256} of m is damaged"):
        shop.store.get(ref)
    shop.file(ref.sha256).unlink()
    with pytest.raises(BlobMissing, match=f"{ref.sha256} of m is missing"):
        shop.store.get(ref)
    assert shop.store.get(other) == b"two"


def test_a_blob_that_was_cut_short_is_whole_again_once_it_is_put_again(shop: Shop) -> None:
    ref = shop.store.put("m", b"a whole blob")
    shop.file(ref.sha256).write_bytes(b"a who")
    assert shop.store.put("m", b"a whole blob") == ref
    assert shop.store.get(ref) == b"a whole blob"


def test_of_many_writers_of_a_record_one_wins_and_all_are_told_what_it_said(shop: Shop) -> None:
    together = threading.Barrier(8)

    def write(number: int) -> bytes:
        together.wait()
        return shop.store.put_once("m", "result/unit", b"%d" % number)

    with ThreadPoolExecutor(8) as threads:
        told = set(threads.map(write, range(8)))
    assert told == {shop.store.find("m", "result/unit")}
    assert shop.store.put_once("m", "result/unit", b"late") in told
    assert shop.store.find("m", "result") is None


@pytest.mark.parametrize("harm", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b""])
def test_a_damaged_record_is_never_taken_for_what_was_measured(
    shop: Shop, harm: Callable[[bytes], bytes]
) -> None:
    shop.store.put_once("m", "result", b"green")
    record = shop.file("result")
    record.write_bytes(harm(record.read_bytes()))
    with pytest.raises(BlobCorrupt, match="once it is deleted, what it recorded is measured again"):
        shop.store.find("m", "result")
    record.unlink()
    assert shop.store.put_once("m", "result", b"red") == b"red"


def test_a_migration_is_deleted_whole_and_its_neighbours_stay(shop: Shop) -> None:
    for name in ("fleet", "fleet/app", "fleet2"):
        shop.store.put(name, b"blob")
        shop.store.put_once(name, "key", b"record")
    assert shop.store.migrations() == ["fleet", "fleet/app", "fleet2"]
    gone = shop.store.kept("fleet")
    assert len(gone) == 2
    for _ in range(2):
        shop.store.delete(gone)
    assert shop.store.migrations() == ["fleet/app", "fleet2"]
    assert shop.store.kept("fleet") == []
    assert len(shop.store.kept("fleet/app")) == len(shop.store.kept("fleet2")) == 2


def test_a_store_that_can_be_written_passes_its_probe_and_keeps_nothing_of_it(shop: Shop) -> None:
    shop.store.put("m", b"blob")
    shop.store.probe()
    assert len([path for path in shop.files.rglob("*") if path.is_file()]) == 1


def test_who_never_begins_a_migration_writes_nothing_where_its_folder_is_away(
    tmp_path: Path,
) -> None:
    ref = BlobStore(tmp_path / "blobs").put("m", b"blob")
    worker = BlobStore(tmp_path / "blobs", begins=False)
    assert worker.get(worker.put("m", b"more")) == b"more"
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    for use in (lambda: worker.get(ref), lambda: worker.put("m", b"blob")):
        with pytest.raises(
            FileNotFoundError, match=r"no blobs of this migration.*blobs/migration/m"
        ):
            use()
    assert not (tmp_path / "blobs").exists()
    (tmp_path / "elsewhere").rename(tmp_path / "blobs")
    assert worker.get(ref) == b"blob"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
def test_a_full_disk_keeps_no_half_of_a_blob_and_heals(tmp_path: Path) -> None:
    with mounted(tmp_path / "blobs", "256k") as folder:
        store = BlobStore(folder)
        ref = store.put("m", b"small")
        with pytest.raises(OSError, match="No space left on device"):
            store.put("m", LARGE[: 1 << 20])
        with pytest.raises(OSError, match="No space left on device"):
            store.put_once("m", "key", LARGE[: 1 << 20])
        assert [kept.size for kept in store.kept("m")] == [5]
        assert store.get(ref) == b"small"
        assert store.put_once("m", "key", b"fits") == b"fits"


def test_a_bucket_that_is_away_is_told_by_name_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with bucket(tmp_path) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        store = BlobStore(running.url)
        ref = store.put("m", b"blob")
    for use in (lambda: store.get(ref), lambda: store.put("m", b"more"), store.probe):
        with pytest.raises(OSError, match="Generic S3 error") as away:
            use()
        assert away.value.filename == running.url
        assert "checks-this" not in str(away.value)


class Overwriting(BaseHTTPRequestHandler):
    """A store that takes every request and looks at no condition."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_DELETE = do_PUT

    def log_message(self, *_: object) -> None:
        pass


def test_a_store_that_ignores_conditions_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Overwriting)
    with server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        for name in ("AWS_ALLOW_HTTP", "AWS_DISABLE_BULK_DELETE"):
            monkeypatch.setenv(name, "true")
        with pytest.raises(NotExclusive, match="ignores If-None-Match"):
            BlobStore("s3://bucket").probe()
        server.shutdown()
        serving.join()


@contextmanager
def mounted(folder: Path, size: str) -> Generator[Path]:
    """A file system of its own, this large."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
