"""Every spec and fragment that the documentation shows is one that this version takes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from activities.adapters.spec_file import load_spec, parse_any
from activities.contracts.fleet import FleetSpec
from activities.contracts.spec import MigrationSpec
from tests.contracts.specs import errors_of

ROOT = Path(__file__).parents[2]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "how-to-say-it.md"
BY_NAME = ("checks", "environments")
"""Fields of which a fragment replaces single entries."""
_BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    """The YAML that a page shows, without the indentation that it has there."""
    found = _BLOCK.findall(page.read_text())
    return ["".join(re.sub(f"^{i}", "", w) for w in b.splitlines(True)) for i, b in found]


def is_whole(block: str) -> bool:
    return block.startswith("version:")


def merged(fragment: str) -> str:
    """The page's own spec with the fragment in it, as the page says."""
    spec = loaded(next(filter(is_whole, blocks(PAGE))))
    if "repositories" in loaded(fragment):
        del spec["repository"]
    for name, value in loaded(fragment).items():
        spec[name] = {**spec[name], **value} if name in BY_NAME else value
    return json.dumps(spec)


def loaded(block: str) -> dict[str, Any]:
    return YAML(typ="safe").load(block)


def mistakes(block: str) -> set[tuple[str, str]]:
    """What is wrong with a block as a whole spec, wherever it stands."""
    return {(problem.path, problem.what) for problem in errors_of(block).problems}


WHOLE = [block for page in (README, PAGE) for block in blocks(page) if is_whole(block)]
FRAGMENTS = [block for page in (README, PAGE) for block in blocks(page) if not is_whole(block)]


def read(block: str) -> MigrationSpec | FleetSpec:
    return parse_any(block, "spec.yaml")


@pytest.mark.parametrize("block", WHOLE, ids=lambda b: b.split("name: ")[1].split()[0])
def test_a_spec_that_is_shown_is_read(block: str) -> None:
    assert read(block).objective


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda b: b.splitlines()[0][:60])
def test_a_fragment_that_is_shown_fits_the_spec_of_its_page(fragment: str) -> None:
    assert read(merged(fragment)).objective
    # As it is written it has no other mistake than to be a part: JSON has none of YAML's traps.
    assert mistakes(fragment) == mistakes(json.dumps(loaded(fragment)))


def test_a_fragment_with_a_mistake_is_found() -> None:
    assert "unknown field `retrys`" in str(errors_of(merged("checks: {unit: {retrys: 2}}")))
    trap = "checks: {lint: {run: lint --select F401,F811, in: tests}}"
    assert mistakes(trap) != mistakes(json.dumps(loaded(trap)))


def test_the_readme_shows_three_specs_and_the_examples_as_they_are() -> None:
    shown = {spec.name: spec for spec in map(read, filter(is_whole, blocks(README)))}
    assert list(shown) == ["bare-asserts", "clap-edition", "pygments-2to3"]
    for name in ("clap-edition", "pygments-2to3"):
        example = load_spec(ROOT / "examples" / f"{name}.yaml")
        assert shown[name] == example.model_copy(update={"repository": shown[name].repository})


def test_the_page_says_at_least_thirty_intentions_each_with_a_fragment_of_its_own() -> None:
    said = re.findall(r"^\*\*(.+?)\*\*.*\n\n```yaml\n", PAGE.read_text(), re.MULTILINE)
    assert len(said) == len(set(said)) == len(blocks(PAGE)) - 1
    assert len(said) >= 30
    assert "](docs/how-to-say-it.md)" in README.read_text()
