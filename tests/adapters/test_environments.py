"""Environments with the real sandbox, real installers and this host's package sources."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from activities.adapters.doing import fresh_slate
from activities.adapters.environments import Environments, Prepared, PrepareFailed
from activities.adapters.registries import registries
from activities.adapters.sandbox import Ended, Job, Mount, Sandbox, detect
from activities.contracts.spec import Environment

ROOT = Path(__file__).parents[2]
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


@pytest.fixture
def environments(tmp_path: Path, sandbox: Sandbox) -> Environments:
    return Environments(tmp_path / "environments", sandbox, dict(os.environ))


async def run(sandbox: Sandbox, tmp_path: Path, prepared: Prepared, script: str) -> Ended:
    tree = tmp_path / "tree"
    tree.mkdir(exist_ok=True)
    sandbox.hand_over(tree)
    mounts = (Mount(tree, "/src", writable=True), *prepared.mounts)
    return await sandbox.run(Job(("bash", "-c", script), mounts, prepared.env, timeout=60))


@contextlib.asynccontextmanager
async def counter() -> AsyncIterator[tuple[str, list[int]]]:
    """A script line that reports here that it ran, and the reports."""
    seen: list[int] = []

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(1)
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        yield f"exec 3<>/dev/tcp/127.0.0.1/{server.sockets[0].getsockname()[1]}", seen


def ready(root: Path) -> list[Path]:
    return list(root.glob("*/ready"))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in another process
            await asyncio.sleep(0.01)


async def test_python_with_pip_runs_offline_and_read_only(
    environments: Environments, sandbox: Sandbox, tmp_path: Path
) -> None:
    tests = Environment(python=THIS, pip=("six==1.16.0",))
    prepared = await environments.prepare("tests", tests)
    ended = await run(
        sandbox,
        tmp_path,
        prepared,
        """
        command -v python pip
        python -c 'import six, sys; print(six.__version__, sys.prefix, sys.dont_write_bytecode)'
        touch $ENV/x 2>/dev/null || echo read-only
        """,
    )
    assert ended.output.decode().splitlines() == [
        "/env/tests/bin/python",
        "/env/tests/bin/pip",
        "1.16.0 /env/tests True",
        "read-only",
    ]
    assert prepared.key == environments.key(tests, "tests")


async def test_npm_packages_are_on_path_and_can_be_required(
    environments: Environments, sandbox: Sandbox, tmp_path: Path
) -> None:
    prepared = await environments.prepare("js", Environment(npm=("is-number@7.0.0",)))
    script = "node -p 'require(\"is-number\")(7)'; echo $PATH"
    ended = await run(sandbox, tmp_path, prepared, script)
    assert ended.output.decode().startswith("true\n/env/js/node_modules/.bin:")


async def test_an_environment_says_that_it_is_being_prepared_until_it_is(
    environments: Environments,
) -> None:
    slate = fresh_slate()
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    async with server:
        script = f"exec 3<>/dev/tcp/127.0.0.1/{server.sockets[0].getsockname()[1]}; cat <&3"
        spec = Environment(prepare=script, network=("here",))
        building = asyncio.create_task(environments.prepare("tools", spec))
        await until(lambda: held)
        assert slate == ["the environment tools is being prepared"]
        held[0].close()
        await building
    assert slate == []


async def test_a_prepare_script_fills_its_folder(
    environments: Environments, sandbox: Sandbox, tmp_path: Path
) -> None:
    spec = Environment(
        prepare="mkdir $ENV/tools; echo 'echo hello' > tools/greet; chmod +x tools/greet",
        path=("tools",),
        env={"WHERE": "$ENV:${RESULTS}:$HOME:$TMPDIR:$OTHER"},
    )
    prepared = await environments.prepare("scripted", spec)
    ended = await run(sandbox, tmp_path, prepared, "greet; echo $WHERE")
    where = "/env/scripted:/results/results:/home/agent:/tmp:$OTHER"
    assert ended.output.decode() == f"hello\n{where}\n"


async def test_nothing_set_gives_the_base_path_only(environments: Environments) -> None:
    prepared = await environments.prepare("none", None)
    assert prepared.mounts == ()
    assert prepared.env["PATH"] == "/usr/local/bin:/usr/bin:/bin"


async def test_it_is_built_once_by_two_builders_and_by_a_later_one(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    root = tmp_path / "environments"
    async with counter() as (report, seen):
        script = f"{report}; sleep 0.5; echo whole > $ENV/done"
        spec = Environment(prepare=script, network=("here",))
        beats: list[int] = []
        one, two = (Environments(root, sandbox, {}) for _ in range(2))
        built = await asyncio.gather(
            one.prepare("e", spec), two.prepare("e", spec, lambda: beats.append(1))
        )
        later = await Environments(root, sandbox, {}).prepare("e", spec)
        assert built[0] == built[1] == later
        assert len(seen) == 1
        assert beats
        assert (later.root / "done").read_text() == "whole\n"


async def test_kill_9_midway_leaves_nothing_that_counts_as_ready(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    root, links = tmp_path / "environments", tmp_path / "links"
    links.mkdir()
    script = f"test ! -e $ENV/begun; touch $ENV/begun; until [ -e {links}/go ]; do sleep 0.02; done"
    spec = Environment(prepare=script)
    builder = tmp_path / "builder.py"
    builder.write_text(
        "import asyncio\nfrom pathlib import Path\n"
        "from activities.adapters.environments import Environments\n"
        "from activities.adapters.sandbox import Sandbox\n"
        "from activities.contracts.spec import Environment\n"
        f"spec = Environment.model_validate_json({spec.model_dump_json()!r})\n"
        f"sandbox = Sandbox('strict', {sandbox.tool_ids})\n"
        f"sources = {{'PIP_FIND_LINKS': {str(links)!r}}}\n"
        f"known = Environments(Path({str(root)!r}), sandbox, sources)\n"
        "asyncio.run(known.prepare('e', spec))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, builder, env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    )
    await until(lambda: list(root.glob("*/tree/begun")))
    process.kill()
    await process.wait()
    assert ready(root) == []
    (links / "go").touch()
    environments = Environments(root, sandbox, {"PIP_FIND_LINKS": str(links)})
    prepared = await environments.prepare("e", spec)
    assert (prepared.root.parent / "ready").exists()


async def test_a_cancelled_build_is_not_ready(sandbox: Sandbox, tmp_path: Path) -> None:
    environments = Environments(tmp_path / "environments", sandbox, {})
    spec = Environment(prepare="touch $ENV/begun; sleep 600")
    building = asyncio.create_task(environments.prepare("e", spec))
    await until(lambda: list(tmp_path.glob("environments/*/tree/begun")))
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert ready(tmp_path / "environments") == []


async def test_a_failing_step_says_which_and_why(environments: Environments) -> None:
    noisy = Environment(prepare="seq 1 100000; echo the reason >&2; exit 3")
    with pytest.raises(PrepareFailed) as failed:
        await environments.prepare("noisy", noisy)
    assert (failed.value.name, failed.value.step) == ("noisy", "prepare")
    assert failed.value.tail.endswith("the reason")
    assert len(failed.value.tail) <= 2100
    with pytest.raises(PrepareFailed, match="timeout after 1 s"):
        await environments.prepare("slow", Environment(prepare="sleep 60", timeout="1s"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (Environment(python="3.1"), r"no python 3\.1 on this host; found: .*3\.\d"),
        (Environment(requires=("bash", "no-such-tool")), "not on this host: no-such-tool"),
        (Environment.model_construct(python=THIS, pip=("six",)), "not pinned.*six"),
        (Environment.model_construct(python=THIS, pip=("--index-url=x==1",)), "not pinned"),
        (Environment.model_construct(npm=("tape@latest",)), "not pinned.*tape@latest"),
    ],
)
async def test_what_cannot_be_built_is_said_at_once(
    environments: Environments, spec: Environment, message: str
) -> None:
    with pytest.raises(PrepareFailed, match=message):
        await environments.prepare("bad", spec)


def test_the_key_changes_with_what_decides_the_result(environments: Environments) -> None:
    spec = Environment(python=THIS, pip=("six==1.16.0",))
    others = [
        environments.key(spec.model_copy(update={"pip": ("six==1.15.0",)}), "e"),
        environments.key(spec.model_copy(update={"env": {"A": "1"}}), "e"),
        environments.key(spec, "other"),
    ]
    assert len({environments.key(spec, "e"), *others}) == 4
    patient = spec.model_copy(update={"timeout": "2h"})
    assert environments.key(patient, "e") == environments.key(spec, "e")


def test_installers_get_settings_without_logins(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    npmrc = (
        f"cafile={bundle}\n//npm.example.com/:_authToken=hidden\nregistry=https://npm.example.com\n"
    )
    (tmp_path / ".npmrc").write_text(npmrc)
    found = registries(
        {
            "PIP_INDEX_URL": "https://me:hidden@pip.example.com/simple",
            "PIP_TARGET": "/elsewhere",
            "npm_config__auth": "hidden",
            "npm_config_registry": "https://npm.example.com",
            "https_proxy": "http://proxy.example.com:3128",
            "ANTHROPIC_API_KEY": "hidden",
            "SSL_CERT_FILE": str(bundle),
        },
        tmp_path,
    )
    assert "hidden" not in repr(found)
    assert found.env["PIP_INDEX_URL"] == "https://pip.example.com/simple"
    assert found.env["https_proxy"] == "http://proxy.example.com:3128"
    assert "PIP_TARGET" not in found.env
    assert f"cafile={bundle}\n" in found.files[found.env["npm_config_userconfig"]]
    assert Mount(bundle.resolve(), str(bundle)) in found.mounts
