"""`starter.py init`: what it writes is a spec, or it says what is left to fill in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities.adapters.spec_file import load_spec, parse_spec
from cli.init import Wishes, quoted, spec_text
from cli.projects import Project, look_at

ROOT = Path(__file__).parent.parent
PACKAGE = {"scripts": {"test": "tape test"}, "devDependencies": {"tape": "^5.0.0", "a": "1.2.3"}}
LOCK = {"packages": {"node_modules/tape": {"version": "5.7.5"}}}
REQUIREMENTS = "mock==5.1.0\nx>=1\npytest==7.4.0 \\\n  --hash=x # t"
PROJECTS = {
    "pytest": (
        {"setup.py": "", "requirements.txt": "mock==5.1.0\nx>=1\npytest==7.4.0 \\\n  --hash=x # t"},
        "junit",
    ),
    "pytest.ini": ({"pyproject.toml": "", "pytest.ini": "[pytest]"}, "junit"),
    "unittest": ({"setup.cfg": "[metadata]"}, "unittest"),
    "tap": ({"package.json": json.dumps(PACKAGE), "package-lock.json": json.dumps(LOCK)}, "tap"),
    "jest": ({"package.json": '{"scripts": {"test": "jest"}}'}, "exit"),
    "node": ({"package.json": '{"scripts": {"test": "node --test"}}'}, "tap"),
    "go": ({"go.mod": "module x"}, "go"),
    "rust": ({"Cargo.toml": "[package]"}, "cargo"),
    "maven": ({"pom.xml": "<project/>"}, "junit"),
    "python with a package.json": ({"pyproject.toml": "", "package.json": "{}"}, "unittest"),
}


def init(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "starter.py"), "init", *words],
        cwd=folder,
        env={**os.environ, "WHIMBREL_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def a_project(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").write_text("ref: refs/heads/trunk\n")
    return folder


@pytest.mark.parametrize(("files", "results"), PROJECTS.values(), ids=PROJECTS)
def test_what_a_projects_files_tell_becomes_a_spec_that_is_valid(
    tmp_path: Path, files: dict[str, str], results: str
) -> None:
    folder = a_project(tmp_path / "app", files)
    project = look_at(folder)
    assert project.tests
    wishes = Wishes(str(folder), "x", "Better.", (project.include,), check=project.tests.run)
    loaded = parse_spec(spec_text(wishes, project, "trunk"), "spec.yaml")
    (check,) = loaded.checks.values()
    assert check.results == results
    assert loaded.base == "trunk"


def test_pinned_packages_are_taken_and_others_named(tmp_path: Path) -> None:
    python = look_at(a_project(tmp_path / "py", PROJECTS["pytest"][0]))
    assert (python.pip, python.unpinned) == (("mock==5.1.0", "pytest==7.4.0"), ("x>=1",))
    node = look_at(a_project(tmp_path / "js", PROJECTS["tap"][0]))
    assert node.npm == ("tape@5.7.5", "a@1.2.3")


def test_flags_alone_write_a_spec_that_validate_accepts_and_nothing_is_overwritten(
    tmp_path: Path,
) -> None:
    a_project(tmp_path / "app", PROJECTS["pytest"][0])
    words = ["--repository", "app", "--regex", r"self\.assert\w+\(", "--include", "/tests/**/*.py"]
    words += ["--codemod", "unittest2pytest -w -n {files}", "--name", "bare"]
    done = init(tmp_path, *words)
    assert (done.returncode, done.stdout) == (0, "bare.yaml\n"), done.stderr
    loaded = load_spec(tmp_path / "bare.yaml")
    assert loaded.repository == str(tmp_path / "app")
    assert loaded.phases[0].sites.find[0].regex == r"self\.assert\w+\("
    assert loaded.phases[0].ladder[0].kind == "codemod"
    (tmp_path / "bare.yaml").write_text("mine")
    again = init(tmp_path, *words)
    assert (again.returncode, (tmp_path / "bare.yaml").read_text()) == (2, "mine")
    assert "--force" in again.stderr
    assert init(tmp_path, *words, "--force").returncode == 0


def test_what_nobody_knows_is_left_to_fill_in_and_said(tmp_path: Path) -> None:
    done = init(tmp_path, "--repository", "https://git.example.com/team/App.git", "-o", "x.yaml")
    assert done.returncode == 1
    for missing in ("`objective` is missing", "`checks` is missing", "`sites` is missing"):
        assert missing in done.stderr
    assert "name: app-migration\n" in (tmp_path / "x.yaml").read_text()
    assert init(tmp_path, "--repository", "none").returncode == 2


HOSTILE = ["a: b", "{files}", "- x", "it's", 'say "x"', r"\bfoo\(", "no", "#x", "1.10", "é ü", " a"]
AWKWARD = [
    "x\ny",
    "tab\t",
    "a  b",
    "@x",
    "C: x",
    "x:",
    "[a]",
    ".",
    "a #b",
    "~",
    "*x",
    "http://x: y",
]


@pytest.mark.parametrize("text", HOSTILE + AWKWARD)
def test_a_text_comes_back_from_the_spec_as_it_was(text: str) -> None:
    wishes = Wishes("/srv/x", "x", text, ("/a",), check="make")
    written = spec_text(wishes, Project(), "")
    assert f"objective: {quoted(text)}" in written
    assert parse_spec(written, "").objective == text
