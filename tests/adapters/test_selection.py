"""Which checks a change needs, and which trees are the same to a check."""

from pathlib import Path

import pytest
from builders import a_spec
from repositories import Content, Executable, Name, commit_files, make_repository

from activities.adapters.hub import Hub
from activities.adapters.selection import covered_digest, touched
from activities.contracts.environment import Environment
from activities.contracts.spec import Check

SPEC = a_spec(
    "m",
    environments={"bare": {}, "locked": {"inputs": ["lock.txt"]}},
    checks={
        "lint": {"run": "x", "in": "bare"},
        "api": {"run": "x", "in": "bare", "covers": ["/api/**", "/shared/**", "*.toml"]},
        "web": {"run": "x", "in": "locked", "covers": ["/web/", "/shared/**", "!/web/docs/"]},
    },
)
NAMES = ("lint", "api", "web")


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        (["api/a.py"], "lint api"),
        (["web/a/b.ts"], "lint web"),
        (["shared/a.py"], "lint api web"),
        (["api/a.py", "web/a.ts"], "lint api web"),
        (["deep/in/it/pyproject.toml"], "lint api"),
        ([], "lint"),
        (["README"], "lint api web"),
        (["api/a.py", "README"], "lint api web"),
        (["web/docs/a.md"], "lint api web"),
        (["api/lock.txt"], "lint api web"),
    ],
)
def test_a_change_needs_what_covers_it_and_all_where_nothing_does(
    changed: list[str], needed: str
) -> None:
    assert touched(SPEC, NAMES, changed) == needed.split()


def test_an_input_of_an_environment_that_no_needed_check_runs_in_is_a_file_like_any_other() -> None:
    assert touched(SPEC, ("lint", "api"), ["api/lock.txt"]) == ["lint", "api"]


FILES: dict[Name, Content] = {
    "api/a.py": "a\n",
    "api/b.py": "b\n",
    "web/a.ts": "a\n",
    "lock.txt": "1\n",
}


def test_trees_are_the_same_to_a_check_when_all_that_it_covers_is(tmp_path: Path) -> None:
    base = make_repository(tmp_path / "app", FILES)
    hub = Hub(tmp_path / "app" / ".git")
    check, locked = Check(run="x", covers=("/api/",)), Environment(inputs=("lock.txt",))

    def digest(path: str, content: Content | None, where: Environment | None = None) -> str:
        written: dict[Name, Content] = {path: content} if content else {}
        gone = [] if content else [path]
        commit = commit_files(tmp_path / "app", written, gone, ref="refs/heads/x", parent=base)
        return covered_digest(hub, hub.tree(commit), check, where)

    same = digest("web/a.ts", "a\n")
    assert digest("web/a.ts", "other\n") == digest("lock.txt", "2\n") == same
    others = [
        digest("api/a.py", "other\n"),
        digest("api/a.py", Executable("a\n")),
        digest("api/c.py", "c\n"),
        digest("api/b.py", None),
        digest("lock.txt", "2\n", locked),
        digest("web/a.ts", "a\n", locked),
    ]
    assert len({same, *others}) == len(others) + 1
