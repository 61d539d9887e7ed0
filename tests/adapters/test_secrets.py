"""Secrets: `prepare` has them, and nothing else ever sees or says one."""

import base64
import hashlib
from pathlib import Path

import pytest

from activities.adapters.environments import Environments, PrepareFailed
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.secret_values import HIDDEN, Secrets, file_with, redacted
from activities.contracts.spec import Environment
from tests.adapters.test_tree_environments import a_host, made
from tests.traces import where_found

CANARY = "canary/äß 4711?"
DIGEST = "sha256sum | cut -c1-8"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def keep(root: Path, value: str = CANARY) -> Path:
    folder = root / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CANARY").write_text(f"{value}\n")
    return folder / "CANARY"


def environment(script: str) -> str:
    return f"prepare: {script}\nsecrets: {{TOKEN: secret:CANARY}}"


async def test_prepare_sees_the_value_and_no_other_command_does(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = keep(tmp_path)
    script = f'test -n "$TOKEN"; printf %s "$TOKEN" | {DIGEST} > $ENV/digest'
    run = 'cat $ENV/digest; echo "token: ${TOKEN-none}"; cat /proc/[0-9]*/environ | grep -ac TOKEN'
    host = a_host(tmp_path, sandbox, environment(f"'{script}'"), run)
    digest = hashlib.sha256(CANARY.encode()).hexdigest()[:8]
    assert (await host.check()).tail.split() == [digest, "token:", "none", "0"]
    assert where_found(tmp_path, CANARY.encode()) == [str(file.relative_to(tmp_path))]


async def test_what_prepare_says_about_it_is_hidden_before_it_is_cut(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    keep(tmp_path)
    script = 'echo "login with $TOKEN"; printf %s "$TOKEN" | base64; env | grep TOKEN; exit 3'
    host = a_host(tmp_path, sandbox, environment(f"'{script}'"), "true")
    with pytest.raises(PrepareFailed) as failed:
        await host.check()
    text = str(failed.value)
    assert text.endswith("login with [secret]\n[secret]\nTOKEN=[secret]")
    assert made(tmp_path) == []


@pytest.mark.parametrize(
    ("script", "where"),
    [
        ('echo "key = $TOKEN" > $ENV/npmrc', "$ENV/npmrc"),
        ('mkdir $ENV/d; head -c 1048570 /dev/zero > $ENV/d/x; echo "$TOKEN" >> $ENV/d/x', "d/x"),
        ('ln -s "/$TOKEN" $ENV/link', "$ENV/link"),
    ],
)
async def test_a_secret_that_prepare_leaves_to_the_commands_is_refused(
    sandbox: Sandbox, tmp_path: Path, script: str, where: str
) -> None:
    keep(tmp_path)
    host = a_host(tmp_path, sandbox, environment(f"'{script}'"), "true")
    with pytest.raises(PrepareFailed, match="left a secret in") as failed:
        await host.check()
    assert where in str(failed.value)
    assert made(tmp_path) == []


async def test_a_worker_that_lacks_a_secret_says_where_it_belongs(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    host = a_host(tmp_path, sandbox, environment("echo"), "true")
    with pytest.raises(PrepareFailed, match="secret CANARY is not on this worker: write it to"):
        await host.check()
    keep(tmp_path, "x")
    with pytest.raises(PrepareFailed, match="holds no secret"):
        await host.check()
    keep(tmp_path)
    assert (await host.check()).exit == 0


async def test_without_a_sandbox_nothing_is_given(tmp_path: Path) -> None:
    keep(tmp_path)
    bare = Environments(
        tmp_path / "environments", Sandbox("none", None), {}, secrets=Secrets(tmp_path / "secrets")
    )
    wanted = Environment(prepare="true", secrets={"TOKEN": "secret:CANARY"})
    with pytest.raises(PrepareFailed, match="without a sandbox"):
        await bare.prepare("here", wanted)


def test_every_shape_of_a_value_is_hidden(tmp_path: Path) -> None:
    key = "-----BEGIN-----\nabcdef\nghijkl\n-----END-----"
    whole = base64.b64encode(key.encode())
    said = b"1 " + key.encode() + b" 2 ghijkl 3 " + whole + b" 4 canary%2F 5"
    assert redacted(said, [key, "canary/"]) == b"1 %s 2 %s 3 %s 4 %s 5" % ((HIDDEN,) * 4)
    (tmp_path / "x").write_bytes(said)
    assert file_with(tmp_path, ["ghijkl"]) == tmp_path / "x"
    assert file_with(tmp_path, ["ghijkl "]) == tmp_path / "x"
    assert file_with(tmp_path, ["nothing of it"]) is None
