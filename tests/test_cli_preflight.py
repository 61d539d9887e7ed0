"""A repository that cannot be migrated is refused before anything is started, with a way out."""

import re
import subprocess
from pathlib import Path

import builders
import pytest

from activities.adapters.blobs import BlobStore
from activities.adapters.settings import Settings
from activities.adapters.spec_file import parse_spec
from activities.contracts.migration import MigrationInput
from activities.contracts.spec import MigrationSpec
from cli.boundary import Code, Refused
from cli.preflight import check_new_cap, check_prices, check_repository, covering_nothing
from cli.session import Session
from tests.adapters.repositories import make_repository
from tests.contracts.specs import spec as spec_text
from workflows.options import CONTROL


def a_spec(**fields: str) -> MigrationSpec:
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return parse_spec(spec_text(*lines), "spec.yaml")


def a_repository(folder: Path, *branches: str) -> Path:
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.invalid"]
    folder.mkdir()
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    if branches:
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "base"], check=True)
    for branch in branches[1:]:
        subprocess.run([*git, "branch", branch], check=True)
    return folder


async def refused(spec: MigrationSpec) -> Refused:
    with pytest.raises(Refused) as refusal:
        await check_repository(spec)
    return refusal.value


async def test_a_check_that_covers_no_file_of_the_base_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    make_repository(folder, {"shop/a.py": "a\n", "docs/a.md": "a\n"})
    checks = "{unit: {run: x, covers: [/shop/]}, docs: {run: x, covers: [/doc/, /manual/]}}"
    spec = a_spec(repository=str(folder), checks=checks)
    (note,) = await covering_nothing(spec)
    assert note.startswith(
        "note: checks.docs.covers: main has no file that /doc/, /manual/ matches"
    )
    assert await covering_nothing(a_spec(repository=str(folder))) == []
    assert await covering_nothing(a_spec(repository=str(tmp_path / "gone"), checks=checks)) == []


async def test_what_is_wrong_with_a_repository_is_told_by_field_with_what_to_do(
    tmp_path: Path,
) -> None:
    (tmp_path / "plain").mkdir()
    a_repository(tmp_path / "empty")
    a_repository(tmp_path / "app", "main", "release/2")
    expected = {
        ("none", "main"): "repository: .*/none does not exist; give",
        ("plain", "main"): "repository: .*/plain is no git repository",
        ("empty", "main"): "repository: .*/empty has no branch yet; commit",
        ("app", "develop"): "base: .*/app has no branch 'develop'; .* it has: main, release/2",
    }
    for (name, base), words in expected.items():
        spec = a_spec(repository=str(tmp_path / name), base=base)
        refusal = await refused(spec)
        assert refusal.code is Code.USAGE
        assert re.match(words, str(refusal)), refusal
    await check_repository(a_spec(repository=str(tmp_path / "app"), base="release/2"))


async def test_a_url_that_nobody_answers_is_unreachable_and_hides_its_password() -> None:
    url = "https://ann:hunter2@127.0.0.1:9/app.git"  # as a spec from before they were refused
    refusal = await refused(a_spec().model_copy(update={"repository": url}))
    assert refusal.code is Code.UNREACHABLE
    assert "hunter2" not in str(refusal)


UNKNOWN = {"claude": {"model": "claude-nobody"}}


def of(*roles: str) -> dict[str, dict[str, str]]:
    return {"models": dict.fromkeys(roles, "claude-nobody")}


@pytest.mark.parametrize(
    ("rung", "more", "refused"),
    [
        (UNKNOWN, {"limits": {"usd": 5.0}}, True),
        (UNKNOWN, {"limits": {"task_usd": 5.0}}, True),
        ({"claude": {**UNKNOWN["claude"], "usd": 1.0}}, {}, True),
        ("claude", {"limits": {"usd": 5.0}, "models": {"worker": "claude-nobody"}}, True),
        (UNKNOWN, {}, False),
        ("claude", {"limits": {"usd": 5.0}}, False),
        ("codemod", {"limits": {"usd": 5.0}, "models": {"worker": "claude-nobody"}}, False),
        ("codemod", {"limits": {"usd": 5.0}, "plan": "claude", **of("planner")}, True),
        ("codemod", {"limits": {"usd": 5.0}, "plan": "claude", **of("sub_planner")}, True),
        ("codemod", {"limits": {"usd": 5.0}, "judge": "claude", **of("judge")}, True),
        ("codemod", {"limits": {"usd": 5.0}, "resolver": "claude", **of("resolver")}, True),
        ("codemod", {"limits": {"usd": 5.0}, **of("planner", "judge", "resolver")}, False),
        ("codemod", {"plan": "claude", **of("planner")}, False),
    ],
)
def test_a_budget_with_a_model_of_unknown_price_is_refused(tmp_path, rung, more, refused):
    spec = builders.a_spec("m", [rung], **more)
    own = tmp_path / "prices.json"
    own.write_text('{"claude-nobody": {"input": "1", "output": "5"}}')
    check_prices(spec, Settings(prices=own))
    if not refused:
        return check_prices(spec, Settings())
    with pytest.raises(Refused, match=r"what claude-nobody costs.*WHIMBREL_PRICES"):
        check_prices(spec, Settings())
    own.write_text('{"claude-nobody": {"input": "x", "inptu": "1"}}')
    wrong = (
        r"WHIMBREL_PRICES=.*prices\.json: claude-nobody\.input: .*decimal; .*\. A .* has input, "
    )
    with pytest.raises(Refused, match=wrong):
        check_prices(spec, Settings(prices=own))
    own.unlink()
    with pytest.raises(
        Refused, match=r"WHIMBREL_PRICES=.*prices\.json: No such file or directory$"
    ):
        check_prices(spec, Settings(prices=own))


@pytest.mark.parametrize("rung", [UNKNOWN, "claude"])
async def test_a_cap_is_not_set_later_either_where_nobody_knows_a_price(env, tmp_path, rung):
    spec = builders.a_spec("m", [rung])
    given = MigrationInput(
        name="m",
        repository=builders.REPOSITORY,
        spec=BlobStore(tmp_path / "blobs").put_model("m", spec),
        spec_digest="d",
    )
    run = await env.client.start_workflow(
        "MigrationWorkflow", given, id=f"capped-later-{tmp_path.name}", task_queue=f"{CONTROL}-none"
    )
    session = Session(env.client, Settings(home=tmp_path), local=False, ui="")
    if rung is UNKNOWN:
        with pytest.raises(Refused, match="what claude-nobody costs"):
            await check_new_cap(session, run, 5)
    else:
        await check_new_cap(session, run, 5)
    await run.terminate()
