"""What an attempt left of its sites, by every kind of finder, in the real sandbox."""

from pathlib import Path

import pytest

from activities.adapters.sandbox import Sandbox, detect
from activities.contracts.site_forms import FINDERS
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import commit_files

FILES = {"a.py": "old()\nold()\n", "b.py": "old()\n", "c.py": "old()\n"}
SPEC = """\
sites: {include: ["*.py"], find: %s, accept: [{path: /c.py, reason: Stays.}]}
checks:
  unit:
    run: "grep -c old {files} | sed -n 's/:[1-9].*/ fails/p'"
    whole: "*.py"
    results: {pass: '(?P<id>.*) passes', fail: '(?P<id>.*) fails'}
ladder: [{codemod: "sed -i s/old/new/ {files}"}, {codemod: "true"}]
"""
FIND = {
    "regex": "{regex: old}",
    "ast_grep": "{ast_grep: old()}",
    "command": '{command: "grep -n old *.py"}',
    "codemod": "{codemod: true}",
    "failing": "{failing: unit}",
}


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


async def left_after(host: OneHost, changed: dict[str, str]) -> dict[str, int]:
    """What is left of a task over everything whose attempt made these of its files."""
    sites = (await host.survey()).sites
    commit = commit_files(host.hub.path, {**FILES, **changed}, ref="refs/whimbrel/attempt")
    scene = host.surveyor.scene(host.hub, host.spec, host.spec.phases[0], commit)
    return await host.remaining.of(scene, tuple(FILES), sites, changed)


@pytest.mark.parametrize("kind", FINDERS)
async def test_what_is_left_is_asked_of_whatever_finds_sites(
    sandbox: Sandbox, tmp_path: Path, kind: str
):
    host = one_host(tmp_path, sandbox, SPEC % FIND[kind], FILES)
    assert set(await left_after(host, {"b.py": "new()\n"})) == {"a.py"}
    assert await left_after(host, {"a.py": "new()\n", "b.py": "new()\n"}) == {}


async def test_a_finder_that_cannot_tell_leaves_every_site_where_it_was(
    sandbox: Sandbox, tmp_path: Path
):
    find = '{command: "test -e broken.py && exit 3; grep -n old *.py"}'
    host = one_host(tmp_path, sandbox, SPEC % find, FILES)
    assert await left_after(host, {"b.py": "new()\n", "broken.py": ""}) == {"a.py": 2, "b.py": 1}
