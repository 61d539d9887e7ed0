"""Tools misused by a model: each call has an answer that says what to do, and harms nothing."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.adapters.allowed_paths import AllowedPaths
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.tool_edits import Edits
from activities.adapters.tool_runs import Shell
from activities.adapters.tool_views import CommitView, TreeView
from activities.adapters.toolbox import Batch, Toolbox
from activities.adapters.tree_source import TreeSource
from activities.adapters.workspaces import WorkspacePaths
from activities.contracts.conversation import Role
from activities.contracts.tools import tools_of
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import Content, Executable, Gitlink, Name, Symlink

SPEC = """\
sites: {include: ["/src/**"]}
checks: {unit: {run: "true"}}
ladder: [{claude: {}}]
protect: ["/src/locked.py", "/new/.ci/**"]
"""
BIG = "x" * 200 + "\n"
FILES: dict[Name, Content] = {
    "src/a.py": "def a():\n    return 1\n\n\ndef b():\n    return 1\n",
    "src/crlf.txt": "one\r\ntwo\r\n",
    "src/latin.txt": "caf\xe9\nplain\n".encode("latin-1"),
    "src/bom.txt": "\ufeffone\ntwo\n".encode(),
    "src/data.bin": b"\x00\x01\x02data",
    "src/run.sh": Executable("#!/bin/sh\necho hi\n"),
    "src/locked.py": "x = 1\n",
    "src/link": Symlink("/etc/passwd"),
    "src/up": Symlink("../.."),
    "src/long.txt": "word " * 200_000 + "\n",
    "src/many.txt": "needle\n" * 5_000,
    "src/wide.txt": BIG * 3_000,
    "src/évé.py": "x = 1\n",
    "README.md": "# Read\n",
    "lib/other.py": "def other(): ...\n",
    "sub": Gitlink("1" * 40),
    **{f"dir/{n:04}.txt": "x\n" for n in range(600)},
}
CLAIMS = (
    "src/a.py", "src/crlf.txt", "src/latin.txt", "src/bom.txt", "src/data.bin", "src/run.sh",
    "src/link", "src/up", "src/long.txt", "src/many.txt", "src/wide.txt", "src/évé.py",
    "src/locked.py", "src/fifo",
)  # fmt: skip


@dataclass
class Bench:
    """A workspace whose agent may use every tool."""

    host: OneHost
    paths: WorkspacePaths
    outside: Path

    def toolbox(self, role: Role = Role.WORKER) -> Toolbox:
        base = CommitView(self.host.hub, self.host.commit)
        if role is Role.JUDGE:
            return Toolbox(base, tools_of(role))
        allowed = AllowedPaths(CLAIMS, ("/new/**",))
        view = TreeView(self.paths.tree, base, allowed, sparse=False)
        edits = Edits(
            view, base, allowed, creates=("/new/**",), protect=self.host.spec.protect, lifted=(),
            owner=self.host.workspaces.tool_ids,
        )  # fmt: skip
        spec, source = self.host.spec, TreeSource(self.host.hub, self.host.commit)
        shell = Shell(self.host.commands, spec, spec.phases[0], self.paths, source, sparse=False)
        return Toolbox(view, tools_of(role), edits=edits, shell=shell)

    async def use(self, *calls: tuple[str, object], role: Role = Role.WORKER) -> Batch:
        blocks = [
            {"type": "tool_use", "id": f"t{n}", "name": name, "input": given}
            for n, (name, given) in enumerate(calls)
        ]
        return await self.toolbox(role).use(blocks)

    async def said(self, name: str, **given: object) -> str:
        """What a call that goes well answers."""
        [result] = (await self.use((name, given))).results
        assert not result.is_error, result.text
        return result.text

    def content(self, path: str) -> bytes:
        return (self.paths.tree / path).read_bytes()


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


@pytest.fixture(scope="module")
def made(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> OneHost:
    return one_host(tmp_path_factory.mktemp("bench"), sandbox, SPEC, FILES)


@pytest.fixture
def bench(made: OneHost, tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    """A fresh workspace; those who only try share one, for it stays as it is."""
    misuse = request.node.callspec.params["misuse"] if hasattr(request.node, "callspec") else None
    tries = misuse is not None and not misuse.before
    paths = made.workspaces.open(
        made.hub.path, migration="m", task="c1-0001", attempt="0-1" if tries else "0-2",
        base=made.commit, start=made.commit, claims=CLAIMS, token="t", reset=not tries,
    )  # fmt: skip
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("victim\n")
    return Bench(made, paths, outside)


@dataclass(frozen=True)
class Misuse:
    """A call that is not to be carried out, and what its answer has to say."""

    name: str
    given: dict[str, object] | str
    says: str
    before: str = ""
    """A script that makes the tree worse first, as an agent's command may."""
    role: Role = Role.WORKER


def edit(path: str, old: str = "x", new: str = "y", **more: object) -> dict[str, object]:
    return {"path": path, "old": old, "new": new, **more}


def write(path: str, content: str = "x\n") -> dict[str, object]:
    return {"path": path, "content": content}


MISUSES = (
    # out of the tree
    Misuse("read", {"path": "../outside"}, "repository's root"),
    Misuse("read", {"path": "src/../../x"}, "repository's root"),
    Misuse("read", {"path": "/etc/passwd"}, "repository's root"),
    Misuse("read", {"path": "src/a.py\0.txt"}, "repository's root"),
    Misuse("read", {"path": "\ud800"}, "no text"),
    Misuse("run", {"command": "true", "environment": "\udcff"}, "no text"),
    Misuse("finish", {"status": "done", "did": "x", "concerns": ["\ud800"]}, "no text"),
    Misuse("read", {"path": "x" * 5000}, "longer than a path"),
    Misuse("read", {"path": "src/link"}, "symbolic link to /etc/passwd"),
    Misuse("read", {"path": "src/up/x"}, "Not a directory"),
    Misuse("list_files", {"path": "src/up"}, "no folder here"),
    Misuse("list_files", {"path": "../.."}, "repository's root"),
    Misuse("search", {"pattern": "root", "paths": ["src/link"]}, "no file or folder"),
    Misuse("search", {"pattern": "root", "paths": ["/etc"]}, "repository's root"),
    Misuse("search", {"pattern": "root", "paths": ["src/up"]}, "no file or folder"),
    Misuse("write", write("src/up/escaped"), "src/up/escaped is not yours"),
    Misuse("write", write("src/link"), "ln -sfn"),
    Misuse("edit", edit("src/link", "root"), "ln -sfn"),
    Misuse("write", write("new/d/x"), "Not a directory", "mkdir new; ln -s {outside} new/d"),
    Misuse("write", write("new/v"), "symbolic link", "mkdir new; ln -s {outside}/victim new/v"),
    Misuse("delete", {"path": "new/d/victim"}, "Not a directory",
           "mkdir new; ln -s {outside} new/d"),
    Misuse("move", {"path": "src/a.py", "to": "new/d/a"}, "Not a directory",
           "mkdir new; ln -s {outside} new/d"),
    # git's own, what is protected, what is somebody else's
    Misuse("write", write(".git/hooks/pre-commit"), "repository's root"),
    Misuse("write", write("new/.GIT/config"), "repository's root"),
    Misuse("read", {"path": ".git/config"}, "repository's root"),
    Misuse("write", write("src/locked.py"), "protected"),
    Misuse("write", write("new/.ci/job"), "protected"),
    Misuse("edit", edit("lib/other.py", "other"), "request_files"),
    Misuse("write", write("elsewhere.py"), "you may add /new/**"),
    Misuse("move", {"path": "src/a.py", "to": "lib/b.py"}, "lib/b.py is not yours"),
    Misuse("move", {"path": "src/a.py", "to": "src/crlf.txt"}, "is there already"),
    Misuse("delete", {"path": "lib/other.py"}, "request_files"),
    Misuse("delete", {"path": "src"}, "is a folder"),
    Misuse("delete", {"path": "new/gone"}, "there is no new/gone"),
    Misuse("write", write("sub/x"), "not yours"),
    # what is no text
    Misuse("read", {"path": "src/data.bin"}, "binary"),
    Misuse("edit", edit("src/data.bin", "data"), "binary"),
    Misuse("write", write("src/data.bin"), "binary"),
    Misuse("edit", edit("src/latin.txt", "plain", "\u4e2d"), "latin-1"),
    Misuse("edit", edit("src/a.py", "return 1\n\n\ndef b", "\ud800"), "no text"),
    # edits that say too little or too much
    Misuse("edit", edit("src/a.py", "return 1"), "2 times, at lines 2, 6"),
    Misuse("edit", edit("src/a.py", "retrun 1"), "nearest lines are\n     2\t    return 1"),
    Misuse("edit", edit("src/a.py", "def a():\n  return 1"), "lines 1-2 differ from it in white"),
    Misuse("edit", edit("src/a.py", "     1\tdef a():"), "leave out the line numbers"),
    Misuse("edit", edit("src/a.py", "def zzz", "def b"), "there already"),
    Misuse("edit", edit("src/a.py", "def a", "def a"), "the same"),
    Misuse("edit", edit("src/a.py", ""), "`old`: String should have at least 1 character"),
    Misuse("edit", edit("src/gone.py"), "not yours"),
    Misuse("write", write("src/a.py", ""), "use `delete`"),
    Misuse("write", write("src/A.py"), "not yours"),
    Misuse("write", write("new/X.txt"), "differs in case only", "mkdir new; echo x > new/x.txt"),
    Misuse("write", write("new/d"), "is a folder", "mkdir -p new/d"),
    # what is not there, or no file
    Misuse("read", {"path": "src/aa.py"}, "did you mean src/a.py?"),
    Misuse("read", {"path": "Readme.md"}, "did you mean README.md?"),
    Misuse("read", {"path": "src/e\u0301ve\u0301.py"}, "did you mean src/évé.py?"),
    Misuse("read", {"path": "other.py"}, "did you mean lib/other.py?"),
    Misuse("read", {"path": "src"}, "use `list_files`"),
    Misuse("read", {"path": "src/a.py", "first": 100}, "has 6 lines"),
    Misuse("read", {"path": "src/fifo"}, "no plain file", "mkfifo src/fifo"),
    Misuse("edit", edit("src/fifo"), "no file that a repository can hold", "mkfifo src/fifo"),
    Misuse("search", {"pattern": "x", "paths": ["src/fifo"]}, "no file or", "mkfifo src/fifo"),
    Misuse("read", {"path": "src/a.py"}, "too many to read", "truncate -s 2G src/a.py"),
    Misuse("edit", edit("src/a.py"), "too many for this tool", "truncate -s 2G src/a.py"),
    Misuse("outline", {"path": "README.md"}, "outlines are made of"),
    Misuse("list_files", {"path": "src/a.py"}, "no folder here"),
    # patterns
    Misuse("search", {"pattern": "("}, "the pattern cannot be used"),
    Misuse("search", {"pattern": "((a{1000}){1000}){1000}"}, "the pattern cannot be used"),
    Misuse("search", {"pattern": "a\0b"}, "NUL"),
    Misuse("search", {"pattern": "(x+x+)+y"}, "the pattern cannot be used", role=Role.JUDGE),
    Misuse("search", {"pattern": "x", "paths": ["*.nope"]}, "no file matches *.nope"),
    Misuse("find_files", {"pattern": "[z-a]"}, "the pattern cannot be used"),
    Misuse("search", {"pattern": "x", "paths": ["[z-a]"]}, "the pattern cannot be used"),
    # commands
    Misuse("run", {"command": "echo begun; sleep 60", "timeout": 1}, "ended after 1 s"),
    Misuse("run", {"command": "yes $(seq 9999)"}, "printed too much"),
    Misuse("run", {"command": "x" * 200_000}, "at most"),
    Misuse("run", {"command": "true", "environment": "nope"}, "there is no environment nope"),
    Misuse("run", {"command": "true", "timeout": 99_999}, "less than or equal to 1800"),
    # calls that are none
    Misuse("read", {}, "`path`: Field required"),
    Misuse("read", {"path": "src/a.py", "lines": 99_999}, "It takes path, first, lines"),
    Misuse("read", {"path": "src/a.py", "colour": "red"}, "`colour`: Extra inputs"),
    Misuse("read", {"malformed_json": '{"path": "sr'}, "no JSON object"),
    Misuse("read", "src/a.py", "no JSON object"),
    Misuse("raed", {"path": "x"}, "did you mean read?"),
    Misuse("__class__", {}, "no tool is called"),
    Misuse("write", write("src/a.py"), "no tool is called", role=Role.JUDGE),
    Misuse("run", {"command": "id"}, "no tool is called", role=Role.JUDGE),
    Misuse("finish", {"status": "done", "did": "x\\\0", "verified": "some"}, "holds a NUL"),
    Misuse("finish", {"status": "great"}, "`status`: Input should be"),
    Misuse("report_site", {"path": "nope.py", "why": "old"}, "there is no nope.py"),
)  # fmt: skip


def unchanged(bench: Bench) -> dict[str, bytes]:
    """What the tree held and still has to hold, but for what `before` did."""
    return {
        path.relative_to(bench.paths.tree).as_posix(): path.read_bytes()
        for path in sorted(bench.paths.tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20
    }


@pytest.mark.parametrize(
    "misuse", MISUSES, ids=lambda m: f"{m.name}-{m.says[:25]}-{str(m.given)[:30]!a}"
)
async def test_a_misused_tool_says_what_to_do_and_harms_nothing(bench: Bench, misuse: Misuse):
    if misuse.before:
        as_agent(bench, misuse.before.format(outside=bench.outside))
    before = unchanged(bench)
    [result] = (await bench.use((misuse.name, misuse.given), role=misuse.role)).results
    assert result.is_error, result.text
    assert misuse.says in result.text
    assert len(result.text) < 26_000
    assert unchanged(bench) == before
    assert [path.name for path in bench.outside.iterdir()] == ["victim"]
    assert (bench.outside / "victim").read_text() == "victim\n"


def as_agent(bench: Bench, script: str) -> None:
    """As a command of the agent's may do it."""
    ids = bench.host.workspaces.tool_ids
    uid, gid = ids or (None, None)
    words = ["bash", "-ec", script]
    subprocess.run(words, cwd=bench.paths.tree, check=True, user=uid, group=gid)


async def test_a_fork_bomb_is_over_with_its_command(bench: Bench):
    bomb = ":(){ :|:& };: ; sleep 60"
    [result] = (await bench.use(("run", {"command": bomb, "timeout": 3}))).results
    assert result.is_error
    assert "ended after 3 s" in result.text
    assert "exit 0" in await bench.said("run", command="true")


async def test_a_command_sees_no_network_no_key_and_no_other_files(bench: Bench):
    script = f"ls {bench.outside} {bench.host.hub.path.parent}; env; tail -n +3 /proc/net/dev"
    said = await bench.said("run", command=script)
    assert "victim" not in said
    assert "WHIMBREL" not in said
    assert said.count("lo:") == 1


async def test_what_is_too_much_is_cut_and_how_to_get_the_rest_is_said(bench: Bench):
    assert "[cut: 100 more; list its folders" in await bench.said("list_files", path="dir")
    many = await bench.said("search", pattern="needle")
    assert "src/many.txt may have more: 100 matches" in many
    wide = await bench.said("read", path="src/wide.txt", lines=2000)
    assert "[more: go on with first=" in wide
    assert len(wide) <= 30_000
    first = int(wide.rpartition("first=")[2].rstrip("]"))
    assert await bench.said("read", path="src/wide.txt", first=first, lines=1)
    long = await bench.said("read", path="src/long.txt")
    assert "more characters in this line]" in long
    files = await bench.said("find_files", pattern="*.txt")
    assert "[cut: " in files
    flood = await bench.said("run", command="seq 100000; echo end")
    assert "bytes cut" in flood
    assert flood.endswith("end")
    batch = await bench.use(*[("read", {"path": "src/wide.txt", "lines": 2000})] * 10)
    assert sum(len(result.text) for result in batch.results) < 140_000


async def test_ten_thousand_matches_are_a_few_hundred_lines(bench: Bench):
    said = await bench.said("search", pattern="x", paths=["dir", "src"])
    assert "more than 300 lines" in said
    assert len(said.splitlines()) <= 310


async def test_an_edit_keeps_line_ends_encoding_mode_and_the_last_line_end(bench: Bench):
    await bench.said("edit", path="src/crlf.txt", old="one\ntwo\n", new="1\n2\n3")
    assert bench.content("src/crlf.txt") == b"1\r\n2\r\n3\r\n"
    await bench.said("write", path="src/crlf.txt", content="a\nb")
    assert bench.content("src/crlf.txt") == b"a\r\nb\r\n"
    await bench.said("edit", path="src/latin.txt", old="caf\xe9", new="th\xe9")
    assert bench.content("src/latin.txt") == "th\xe9\nplain\n".encode("latin-1")
    await bench.said("edit", path="src/bom.txt", old="one", new="1")
    assert bench.content("src/bom.txt") == "\ufeff1\ntwo\n".encode()
    await bench.said("write", path="src/a.py", content="a = 1\r\nb = 2\r\n")
    assert bench.content("src/a.py") == b"a = 1\nb = 2\n"
    await bench.said("delete", path="src/run.sh")
    await bench.said("write", path="src/run.sh", content="#!/bin/sh")
    assert bench.content("src/run.sh") == b"#!/bin/sh\n"
    assert os.access(bench.paths.tree / "src/run.sh", os.X_OK)
    await bench.said("write", path="new/deep/er.py", content="no line end")
    assert bench.content("new/deep/er.py") == b"no line end"
    assert (bench.paths.tree / "new/deep/er.py").stat().st_mode & 0o777 == 0o644
    await bench.said("move", path="new/deep/er.py", to="new/flat.py")
    assert not (bench.paths.tree / "new/deep/er.py").exists()
    await bench.said("edit", path="/src/src/évé.py", old="1", new="2", all=True)
    assert bench.content("src/évé.py") == b"x = 2\n"


async def test_what_ends_the_work_is_the_last_thing_that_is_done(bench: Bench):
    end = ("finish", {"status": "done", "did": "All \\u0000 of it.", "verified": "checks"})
    batch = await bench.use(end, ("delete", {"path": "src/a.py"}))
    assert batch.form
    assert [(r.call, r.is_error) for r in batch.results] == [("t0", False), ("t1", True)]
    assert "after the call that ended" in batch.results[1].text
    assert bench.content("src/a.py")
    batch = await bench.use(("edit", edit("src/a.py", "nope")), end)
    assert batch.form is None
    assert "an earlier call of this reply went wrong" in batch.results[1].text


async def test_one_reply_has_at_most_so_many_calls_and_every_call_an_answer(bench: Bench):
    batch = await bench.use(*[("read", {"path": "README.md"})] * 70)
    assert [result.is_error for result in batch.results] == [False] * 64 + [True] * 6


async def test_a_tool_sees_what_the_others_did(bench: Bench):
    batch = await bench.use(
        ("write", write("new/fresh.py", "def fresh_one(): ...\n")),
        ("search", {"pattern": "fresh_o.e"}),
        ("find_files", {"pattern": "fresh*"}),
        ("outline", {"path": "new/fresh.py"}),
        ("run", {"command": "cat new/fresh.py; mkdir build; echo fresh_one > build/out"}),
        ("search", {"pattern": "fresh_one", "paths": ["build", "**/*.py"]}),
        ("check", {}),
        ("report_site", {"path": "lib/other.py", "line": 1, "why": "old"}),
    )
    texts = [result.text for result in batch.results]
    assert not batch.errors
    assert texts[1] == "new/fresh.py:1: def fresh_one(): ..."
    assert texts[2] == "new/fresh.py"
    assert texts[3] == "     1-1      def fresh_one(): ..."
    assert "def fresh_one" in texts[4]
    assert "build" not in texts[5]
    assert batch.wants_check
    assert batch.reported == ["lib/other.py:1: old"]


async def test_a_judge_reads_the_same_from_a_commit(bench: Bench):
    calls = (
        ("list_files", {"path": "."}),
        ("find_files", {"pattern": "/src/*.py"}),
        ("search", {"pattern": r"return \d$", "paths": ["src"]}),
        ("search", {"pattern": "DEF", "paths": ["src/*.py", "lib"], "ignore_case": True}),
        ("read", {"path": "src/crlf.txt"}),
        ("outline", {"path": "src/a.py"}),
    )
    worker, judge = await bench.use(*calls), await bench.use(*calls, role=Role.JUDGE)
    assert [r.text for r in judge.results] == [r.text for r in worker.results]
    assert not judge.errors


async def test_a_tree_that_nobody_can_read_is_told(bench: Bench):
    as_agent(bench, f"for i in $(seq 60); do mkdir -p {'d' * 100}; cd -P {'d' * 100}; done")
    for call in (("find_files", {"pattern": "x"}), ("search", {"pattern": "x"})):
        [result] = (await bench.use(call)).results
        assert result.is_error
        assert "the tree cannot be read (File name too long" in result.text
        assert "remove what is there with `run`" in result.text
    await bench.said("run", command="rm -rf dddd*")
    await bench.said("find_files", pattern="x")


async def test_a_glob_that_backtracks_keeps_nobody_waiting(bench: Bench):
    as_agent(bench, f"mkdir new; touch new/{'a' * 200}")
    assert await bench.said("find_files", pattern="*a" * 30 + "b") == "no file matches"


async def test_a_name_that_is_not_utf8_is_spelled_and_understood(bench: Bench):
    as_agent(bench, "mkdir -p new; printf 'old\\n' > $'new/caf\\351.py'")
    found = await bench.said("find_files", pattern="/new/*.py")
    assert found == '"new/caf\\351.py"'
    assert '"caf\\351.py"' in await bench.said("list_files", path="new")
    assert await bench.said("search", pattern="old", paths=["new"]) == f"{found}:1: old"
    await bench.said("edit", path=found, old="old", new="new")
    assert (os.fsencode(bench.paths.tree) + b"/new/caf\xe9.py") in {
        bytes(path) for path in (bench.paths.tree / "new").iterdir()
    }
    assert "     1\tnew" in await bench.said("read", path=found)


async def test_a_disk_that_is_gone_is_no_answer(bench: Bench):
    shutil.rmtree(bench.paths.tree)
    with pytest.raises(OSError, match="tree"):
        await bench.use(("write", write("new/x")))
