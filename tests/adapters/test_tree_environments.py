"""Environments that depend on the tree, the host's toolchains, and what commands may write."""

import socket
from pathlib import Path

import pytest

from activities.adapters.environments import PrepareFailed
from activities.adapters.languages import find_toolchain
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.toolchains import ToolMissing
from activities.contracts.evidence import NotVerifiable
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import Content

PYENV = Path.home() / ".pyenv"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def a_host(
    root: Path,
    sandbox: Sandbox,
    environment: str,
    run: str,
    files: dict[str, Content] | None = None,
    mountable: tuple[Path, ...] = (),
) -> OneHost:
    spec = f"""\
sites: {{include: ["/**"]}}
ladder: [{{claude: {{}}}}]
environments:
  here:
    {environment.strip().replace(chr(10), chr(10) + "    ")}
checks:
  unit:
    run: |
      {run.strip().replace(chr(10), chr(10) + "      ")}
"""
    return one_host(root, sandbox, spec, files or {"a.txt": "a\n"}, mountable)


def with_memory(host: OneHost, memory: str) -> OneHost:
    limits = host.spec.limits.model_copy(update={"memory": memory})
    host.spec = host.spec.model_copy(update={"limits": limits})
    return host


def made(root: Path) -> list[Path]:
    return list(root.glob("environments/*/*"))


@pytest.mark.parametrize(
    ("toolchains", "run", "said"),
    [
        ("[go@1]", "go version", "go version go1."),
        ("[rust@1]", "rustc --version; cargo --version", "rustc 1."),
        ("[java@17]", "java -version 2>&1; javac -version; echo $JAVA_HOME", "17.0"),
        ("[java@17, maven@3]", "mvn -v", "Java version: 17."),
        ("[node@20]", "node --version", "v20."),
        ("[python@3.11]", "python --version; command -v python", "Python 3.11."),
        ("[python@3.8]", "python3 -c 'import sys; print(sys.version)'", "3.8."),
    ],
)
async def test_the_hosts_languages_run_offline_and_read_only(
    sandbox: Sandbox, tmp_path: Path, toolchains: str, run: str, said: str
):
    host = a_host(tmp_path, sandbox, f"toolchains: {toolchains}", run)
    found = await host.check()
    assert (found.exit, said in found.tail) == (0, True), found.tail


@pytest.mark.parametrize(
    ("environment", "heap"),
    [
        ("toolchains: [java@17]", 1 << 29),
        ("toolchains: [java@17]\nenv: {JAVA_TOOL_OPTIONS: -Xmx64m}", 64 << 20),
    ],
)
async def test_a_jvm_is_told_the_limit_of_memory_unless_the_environment_says_more(
    sandbox: Sandbox, tmp_path: Path, environment: str, heap: int
):
    run = "java -XX:+PrintFlagsFinal -version | awk '/ MaxHeapSize / {print $4}'"
    host = a_host(tmp_path, sandbox, environment, run)
    found = await with_memory(host, "2GiB").check()
    assert (found.exit, found.tail.splitlines()[-1]) == (0, str(heap)), found.tail


async def test_programs_of_an_environment_are_found_where_its_path_says(
    sandbox: Sandbox, tmp_path: Path
):
    made = "mkdir $ENV/t; printf '#!/bin/sh\\necho mine\\n' > $ENV/t/ls; chmod +x $ENV/t/ls"
    for number, path in enumerate(("t", "$ENV/t")):
        environment = f"prepare: {made}\npath: [{path}]"
        host = a_host(tmp_path / str(number), sandbox, environment, "ls")
        assert (await host.check()).tail.strip() == "mine"


GREEDY = "python3 -c 'bytearray(5 << 30)'"


async def test_a_command_that_finds_no_memory_is_told_the_limit_and_takes_a_larger_one(
    sandbox: Sandbox, tmp_path: Path
):
    host = a_host(tmp_path, sandbox, 'python: "3.11"', GREEDY)
    found = await host.check()
    assert "each process may have 4 GiB of memory: limits.memory" in found.tail
    assert (await with_memory(host, "8GiB").check()).exit == 0


async def test_prepare_has_the_memory_that_the_spec_gives(sandbox: Sandbox, tmp_path: Path):
    host = a_host(tmp_path, sandbox, f'python: "3.11"\nprepare: {GREEDY}', "true")
    with pytest.raises(PrepareFailed, match=r"may have 4 GiB of memory: limits\.memory"):
        await host.check()
    assert (await with_memory(host, "8GiB").check()).exit == 0
    small = a_host(tmp_path / "2", sandbox, "prepare: python3 -c 'bytearray(2 << 30)'", "true")
    with pytest.raises(PrepareFailed, match=r"may have 1 GiB of memory: limits\.memory"):
        await with_memory(small, "1GiB").check()


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("go@1.2", r"no go 1\.2 on this host; found: .*1\."),
        ("java@8", r"no java 8 on this host; found: 17"),
        ("rust@1.2", r"no rust 1\.2 on this host; found: .*1\."),
        ("maven@9", r"no maven 9 on this host; found: 3\."),
        ("node@2", r"no node 2 on this host; found: \d+\."),
        ("python@3.1", r"no python 3\.1 on this host; found"),
        ("ruby@3", "no toolchain is called ruby; known: go, java"),
    ],
)
def test_a_toolchain_that_is_not_there_is_named_with_those_that_are(named: str, message: str):
    with pytest.raises(ToolMissing, match=message):
        find_toolchain(named, PYENV)


async def test_it_is_prepared_anew_for_a_tree_that_changes_its_inputs_and_for_no_other(
    sandbox: Sandbox, tmp_path: Path
):
    environment = """
inputs: ["/lock", "*.cfg"]
prepare: |
  pwd > $ENV/seen; find . -type f | sort >> $ENV/seen; cat lock >> $ENV/seen
  date +%s%N > $ENV/when
"""
    files: dict[str, Content] = {"lock": "1\n", "sub/x.cfg": "", "a.txt": "a\n"}
    host = a_host(tmp_path, sandbox, environment, "cat $ENV/seen $ENV/when", files)
    first = (await host.check()).tail.split()
    assert first[:-1] == ["/src", "./lock", "./sub/x.cfg", "1"]
    assert (await host.check(host.change({"a.txt": "b\n"}))).tail.split() == first
    moved = await host.check(host.change({"lock": "2\n"}))
    assert moved.tail.split()[3] == "2"
    assert moved.environment == (await host.check()).environment, "or they are never compared"


async def test_prepare_sees_the_whole_tree_where_it_asks_and_the_tree_is_not_kept(
    sandbox: Sandbox, tmp_path: Path
):
    environment = """
inputs: [/lock]
checkout: full
prepare: find . -type f | sort > $ENV/seen; echo dirt > a.txt
"""
    files: dict[str, Content] = {"lock": "1\n", "d/b.txt": "", "a.txt": "a\n"}
    host = a_host(tmp_path, sandbox, environment, "cat $ENV/seen a.txt", files)
    assert (await host.check()).tail.split() == ["./a.txt", "./d/b.txt", "./lock", "a"]
    assert {path.name for path in made(tmp_path)} == {"tree", "files", "ready"}


async def test_prepare_is_offline_unless_a_network_is_named(sandbox: Sandbox, tmp_path: Path):
    count = "prepare: tail -n +3 /proc/net/dev | wc -l > $ENV/n"
    alone = a_host(tmp_path / "1", sandbox, count, "cat $ENV/n")
    assert (await alone.check()).tail == "1\n", "loopback only"
    named = a_host(tmp_path / "3", sandbox, f"{count}\nnetwork: [go]", "cat $ENV/n")
    assert (await named.check()).tail == f"{len(socket.if_nameindex())}\n"
    failing = a_host(tmp_path / "2", sandbox, "prepare: exit 4", "true")
    with pytest.raises(PrepareFailed, match="name what it reaches under `network`"):
        await failing.check()


async def test_a_prepare_that_the_tree_breaks_is_a_red_result_of_that_tree(
    sandbox: Sandbox, tmp_path: Path
):
    environment = "inputs: [/lock]\nprepare: grep good lock"
    host = a_host(tmp_path, sandbox, environment, "true", {"lock": "good\n"})
    assert (await host.check()).exit == 0
    broken = await host.check(host.change({"lock": "bad\n"}))
    assert (broken.exit, broken.ended) == (None, "prepare")
    assert "prepare failed" in broken.tail


async def test_what_a_run_writes_into_the_environment_is_thrown_away(
    sandbox: Sandbox, tmp_path: Path
):
    environment = """
prepare: mkdir $ENV/build $ENV/fixed; echo built > $ENV/build/o
writable: [build, deep/empty]
"""
    run = """
cat $ENV/build/o
echo mine > $ENV/build/o; echo new > $ENV/deep/empty/x; cat $ENV/build/o
touch $ENV/fixed/x 2>/dev/null || echo read-only
"""
    host = a_host(tmp_path, sandbox, environment, run)
    for fresh in (0, 1):
        assert (await host.check(fresh=fresh)).tail.split() == ["built", "mine", "read-only"]


async def test_a_writable_folder_that_leads_out_of_the_environment_is_refused(
    sandbox: Sandbox, tmp_path: Path
):
    environment = "prepare: ln -s /root $ENV/build\nwritable: [build]"
    with pytest.raises(PrepareFailed, match="no folder of the environment's own"):
        await a_host(tmp_path, sandbox, environment, "true").check()


MAKEFILE = "$(ENV)/build/out: main.txt\n\tcp main.txt $(ENV)/build/out\n"


async def test_a_source_that_was_checked_out_before_the_build_is_not_taken_for_unchanged(
    sandbox: Sandbox, tmp_path: Path
):
    """The tree of the second check lay there, older than what was built from the first one."""
    environment = """
inputs: [/lock]
checkout: full
prepare: mkdir $ENV/build; make -s
writable: [build]
requires: [make]
"""
    run = "make -s; cat $ENV/build/out"
    files: dict[str, Content] = {"Makefile": MAKEFILE, "main.txt": "one\n", "lock": ""}
    host = a_host(tmp_path, sandbox, environment, run, files)
    other = host.change({"main.txt": "two\n"})
    leased = host.trees.lease(host.hub.path, host.hub.path.stem, other)
    assert (await host.check()).tail == "one\n", "prepared now, in the second slot"
    host.trees.release(leased, reusable=True)
    assert (await host.check(other)).tail == "two\n"


async def test_setup_runs_in_each_fresh_checkout_before_the_command(
    sandbox: Sandbox, tmp_path: Path
):
    environment = "setup: test ! -e made; echo made > made"
    host = a_host(tmp_path, sandbox, environment, "cat made; rm made; echo done >> made")
    for fresh in (0, 1):
        found = await host.check(fresh=fresh)
        assert (found.exit, found.tail) == (0, "made\n")
    failing = a_host(tmp_path / "2", sandbox, "setup: echo why; exit 3", "true")
    found = await failing.check()
    assert (found.exit, found.ended, found.tail) == (None, "setup", "setup failed: why\n")


async def test_a_host_folder_is_shown_only_where_the_worker_allows_it(
    sandbox: Sandbox, tmp_path: Path
):
    cache = tmp_path / "cache"
    (cache / "m2").mkdir(parents=True)
    (cache / "m2/jar").write_text("cached")
    (cache / "out").symlink_to("/root")
    environment = f"mounts: [{cache}/m2]"
    run = f"cat {cache}/m2/jar; touch {cache}/m2/x || echo read-only"
    host = a_host(tmp_path / "1", sandbox, environment, run, mountable=(cache,))
    found = await host.check()
    assert "cached" in found.tail
    assert "read-only" in found.tail
    with pytest.raises(NotVerifiable, match=r"may not be shown; .* allows nothing"):
        await a_host(tmp_path / "2", sandbox, environment, run).check()
    outside = a_host(tmp_path / "3", sandbox, f"mounts: [{cache}/out]", run, mountable=(cache,))
    with pytest.raises(NotVerifiable, match="may not be shown"):
        await outside.check()


async def test_a_go_module_builds_offline_with_a_build_cache_of_its_own(
    sandbox: Sandbox, tmp_path: Path
):
    environment = """
toolchains: [go@1]
inputs: [/go.mod]
checkout: full
prepare: go build ./...
env: {GOCACHE: $ENV/build, GOFLAGS: -buildvcs=false, GOPROXY: "off"}
writable: [build]
"""
    files: dict[str, Content] = {
        "go.mod": "module example.com/m\n\ngo 1.20\n",
        "m.go": "package m\n\nfunc One() int { return 1 }\n",
    }
    run = "go build -x ./... 2>&1 | grep -c /compile || true"
    host = a_host(tmp_path, sandbox, environment, run, files)
    assert (await host.check()).tail == "0\n", "it was built while it was prepared"
    changed = host.change({"m.go": "package m\n\nfunc One() int { return 2 }\n"})
    assert (await host.check(changed)).tail == "1\n"


async def test_a_crate_that_was_built_before_is_built_again_where_its_source_changed(
    sandbox: Sandbox, tmp_path: Path
):
    environment = """
toolchains: [rust@1]
inputs: [/Cargo.toml]
checkout: full
prepare: cargo test -q --lib --no-run
env: {CARGO_TARGET_DIR: $ENV/target, CARGO_NET_OFFLINE: "true"}
writable: [target]
"""
    source = "pub fn one() -> i32 { 1 }\n#[test]\nfn it() { assert_eq!(one(), 1); }\n"
    files: dict[str, Content] = {
        "Cargo.toml": '[package]\nname = "m"\nversion = "0.1.0"\nedition = "2018"\n',
        "src/lib.rs": source,
    }
    host = a_host(tmp_path, sandbox, environment, "cargo test --lib", files)
    broken = host.change({"src/lib.rs": source.replace("{ 1 }", "{ 2 }")})
    leased = host.trees.lease(host.hub.path, host.hub.path.stem, broken)
    assert (await host.check()).exit == 0
    host.trees.release(leased, reusable=True)
    assert (await host.check(broken)).exit == 101
