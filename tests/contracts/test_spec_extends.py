"""A spec goes on from other files: what merges, what replaces, and where a mistake stands."""

import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from activities.adapters.spec_fetch import FetchFailed, fetch
from activities.adapters.spec_file import SpecErrors, load_spec
from activities.adapters.yaml_nodes import MAX_BYTES
from activities.contracts.spec import MigrationSpec

BASE = """\
version: 1
vars: {src: app, dev: [pytest==8.3.5]}
environments:
  tests: {python: "3.11", pip: ["{vars.dev}"]}
checks:
  unit: {run: pytest {x}, retries: 2, at: [task, landing, end]}
protect: [/a, /b]
limits: {concurrency: 3, days: 7}
""".replace("{x}", "-q")
OWN = """\
extends: {extends}
name: demo
repository: /srv/demo.git
objective: Better {vars.src}.
vars: {src: lib}
sites: {include: ["/src/**"], find: {regex: old}}
ladder: [{codemod: "fix {files}"}]
checks:
  unit: {retries: 1}
protect: [/c]
limits: {days: 14}
"""


def written(folder: Path, *, extends: str = "base.yaml", **files: str) -> Path:
    for name, text in {"base": BASE, **files}.items():
        (folder / f"{name}.yaml").write_text(text)
    path = folder / "spec.yaml"
    path.write_text(OWN.replace("{extends}", extends))
    return path


def refused(path: Path) -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        load_spec(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_maps_merge_and_lists_and_scalars_replace(tmp_path: Path) -> None:
    loaded: MigrationSpec = load_spec(written(tmp_path))
    unit = loaded.checks["unit"]
    assert (unit.run, unit.retries, unit.moments) == ("pytest -q", 1, ("task", "landing", "end"))
    assert loaded.protect == ("/c",)
    assert (loaded.limits.concurrency, loaded.limits.days) == (3, 14)
    assert loaded.objective == "Better lib."
    assert loaded.environments["tests"].pip == ("pytest==8.3.5",)


def test_bases_have_bases_and_a_later_one_wins(tmp_path: Path) -> None:
    (tmp_path / "org").mkdir()
    files = {
        "org/deep": "limits: {concurrency: 9, memory: 1GiB, days: 1}",
        "org/mid": "extends: deep.yaml\nlimits: {concurrency: 5}",
    }
    loaded = load_spec(written(tmp_path, extends="[base.yaml, org/mid.yaml]", **files))
    limits = loaded.limits
    assert (limits.concurrency, limits.memory, limits.days) == (5, "1GiB", 14)


def test_a_mistake_names_the_file_and_the_place_where_it_stands(tmp_path: Path) -> None:
    base = BASE.replace("retries: 2", "retrys: 2").replace("[/a, /b]", "[/a]\nkeep: ['(']")
    path = written(tmp_path, base=base)
    path.write_text(path.read_text().replace("limits: {days: 14}", "limits: {days: x}"))
    problems = refused(path)
    assert [p.split(": ")[:2] for p in problems] == [
        ["base.yaml:6:26", "checks.unit.retrys"],
        ["base.yaml:8:9", "keep[0]"],
        ["spec.yaml:11:16", "limits.days"],
    ]


def test_a_field_twice_in_a_base_is_told_there(tmp_path: Path) -> None:
    problems = refused(written(tmp_path, base=BASE + "base: a\nbase: b\n"))
    assert ["base.yaml:10:1" in p and "line 9" in p for p in problems] == [True]


def test_what_cannot_be_read_is_told_for_every_base_at_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, extends="[none.yaml, base.yaml, {a: 1}, other.yaml]", other="- x\n")
    problems = refused(path)
    assert len(problems) == 3
    assert problems[0].startswith("other.yaml:1:1: the file is not a map")
    assert problems[1].startswith("spec.yaml:1:11: extends: `none.yaml` cannot be read")
    assert problems[2].startswith("spec.yaml:1:33: extends: names no file")


def test_a_cycle_is_an_error_where_it_closes(tmp_path: Path) -> None:
    path = written(tmp_path, base="extends: [more.yaml]", more="extends: [./base.yaml]")
    assert refused(path) == [
        "more.yaml:1:11: extends: `./base.yaml` leads back to a file that extends it; "
        "break the cycle"
    ]
    assert "leads back" in refused(written(tmp_path, extends="spec.yaml"))[0]


def test_two_ways_to_one_base_are_no_cycle(tmp_path: Path) -> None:
    files = {"left": "extends: base.yaml", "right": "extends: base.yaml"}
    assert load_spec(written(tmp_path, extends="[left.yaml, right.yaml]", **files)).limits.days


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves texts by path; `/moved` is somewhere else."""

    texts: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        body = self.texts.get(self.path)
        self.send_response(302 if self.path == "/moved" else 404 if body is None else 200)
        self.send_header("Location", "/base.yaml")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body or b"")
            while self.path == "/endless.yaml":
                self.wfile.write(b"#")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    """A web server's address."""
    Handler.texts = {"/base.yaml": BASE.encode(), "/large.yaml": b"#" * (MAX_BYTES + 1)}
    Handler.texts["/latin.yaml"] = "objective: größer".encode("latin-1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_url_is_read_when_its_content_is_the_one_that_was_pinned(
    tmp_path: Path, web: str
) -> None:
    pin = hashlib.sha256(BASE.encode()).hexdigest()
    path = written(tmp_path, extends=f'"{web}/base.yaml#{pin}"')
    assert load_spec(path).limits.concurrency == 3
    Handler.texts["/base.yaml"] = BASE.replace("concurrency: 3", "concurrency: 4").encode()
    now = hashlib.sha256(Handler.texts["/base.yaml"]).hexdigest()
    (problem,) = refused(path)
    assert "is not the file that was pinned" in problem
    assert problem.endswith(f"#{now}")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("{web}/base.yaml", "is not pinned; write {web}/base.yaml#<the file's sha256"),
        ("{web}/base.yaml#main", "is not pinned"),
        ("{web}/none.yaml#{pin}", "cannot be fetched: the server says 404"),
        ("{web}/moved#{pin}", "cannot be fetched: the server says 302 Found to /base.yaml"),
        ("{web}/large.yaml#{pin}", "it is larger than 1 MiB"),
        ("file:///etc/passwd#{pin}", "is no http or https URL"),
        ("http://me:secret@127.0.0.1/x#{pin}", "is no http or https URL without credentials"),
        ("{web}/latin.yaml#{pin}", "is not UTF-8; save it as UTF-8"),
        ("http://127.0.0.1:1/x#{pin}", "cannot be fetched: [Errno 111]"),
    ],
)
def test_a_url_that_is_no_pinned_file_is_refused_at_its_place(
    tmp_path: Path, web: str, named: str, said: str
) -> None:
    pin = "0" * 64
    path = written(tmp_path, extends=f'"{named.format(web=web, pin=pin)}"')
    (problem,) = refused(path)
    assert problem.startswith("spec.yaml:1:10: extends: `")
    assert said.format(web=web) in problem


def test_a_file_that_is_no_text_is_told_where_it_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "base.yaml").write_bytes("objective: größer".encode("latin-1"))
    (problem,) = refused(path)
    assert problem.startswith("spec.yaml:1:10: extends: `base.yaml` is not UTF-8; save it as")


def test_a_url_that_leads_back_to_itself_is_a_cycle(tmp_path: Path, web: str) -> None:
    Handler.texts["/base.yaml"] = f"extends: {web}/base.yaml#{'0' * 64}".encode()
    pin = hashlib.sha256(Handler.texts["/base.yaml"]).hexdigest()
    (problem,) = refused(written(tmp_path, extends=f'"{web}/base.yaml#{pin}"'))
    assert problem.startswith(f"{web}/base.yaml:1:10: extends: `{web}/base.yaml#000")
    assert "leads back" in problem


def test_a_url_that_never_ends_is_given_up(web: str) -> None:
    Handler.texts["/endless.yaml"] = b""
    with pytest.raises(FetchFailed, match=r"it took longer than 0 s"):
        fetch(f"{web}/endless.yaml", seconds=0)


def test_a_file_from_a_url_names_no_plan_of_this_machine(tmp_path: Path, web: str) -> None:
    Handler.texts["/base.yaml"] = f"{BASE}plan: plan.json\n".encode()
    pin = hashlib.sha256(Handler.texts["/base.yaml"]).hexdigest()
    (problem,) = refused(written(tmp_path, extends=f'"{web}/base.yaml#{pin}"'))
    line = len(BASE.splitlines()) + 1
    assert problem.startswith(f"{web}/base.yaml:{line}:7: plan: is a path in a file from a URL")
    assert problem.endswith("write `plan` into the spec itself")


def test_a_file_from_a_url_names_no_files_of_this_machine(tmp_path: Path, web: str) -> None:
    Handler.texts["/base.yaml"] = b"extends: /etc/passwd"
    pin = hashlib.sha256(Handler.texts["/base.yaml"]).hexdigest()
    (problem,) = refused(written(tmp_path, extends=f'"{web}/base.yaml#{pin}"'))
    assert problem.startswith(f"{web}/base.yaml:1:10: extends: `/etc/passwd` is a path in a file")
