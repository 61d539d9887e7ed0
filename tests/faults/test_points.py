"""No fault point is forgotten, and each does what a test orders there, once."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.adapters import fault_points
from activities.adapters.fault_points import Effect, InjectedFault, arm, around, passing_activity
from activities.faults import ACTIVITIES
from tests.service import ROOT
from tests.test_wiring import registered

ADAPTERS = sorted((ROOT / "activities/adapters").glob("*.py"))
NAMING = ("rename", "replace", "link")
UNSEEN = {
    "check_trees._discard": "a tree belongs to the one process that holds its lock",
    "check_trees._write_state": "the same",
    "embedded._start_server": "the starter's own note of where its server is",
    "releases.fetch": "what is tried out, made before anything runs",
    "tree_files.move_file": "a file in the tree of one attempt",
    "tree_files.write_file": "the same",
}
"""What gets its name without a point, and why no other process can tell."""


def visible(path: Path) -> Iterator[tuple[str, bool]]:
    """(file.function, whether it is inside `around`) of every call that names a file or moves a
    ref."""

    def walk(node: ast.AST, where: str, inside: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{path.stem}.{node.name}"
        if isinstance(node, ast.With):
            inside = inside or any("around(" in ast.unparse(item) for item in node.items)
        if isinstance(node, ast.Call) and names_something(node):
            yield where, inside
        for child in ast.iter_child_nodes(node):
            yield from walk(child, where, inside)

    return walk(ast.parse(path.read_text()), path.stem, False)


def names_something(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    if called.endswith("git.run") or called.startswith("Git("):
        return any("'update-ref'" in ast.unparse(argument) for argument in call.args)
    of, _, verb = called.rpartition(".")
    one_name = of == "os" or (of and len(call.args) == 1)  # a text's `replace` has two
    return bool(verb in NAMING and one_name) or called in ("_publish", "fetch_branch")


def test_whatever_other_processes_see_is_named_between_two_points():
    seen = [found for path in ADAPTERS for found in visible(path)]
    bare = {where for where, inside in seen if not inside}
    helpers = {
        "blob_folder.write",
        "blob_folder.create",
        "pack_writing._publish",
    }  # the points are one step off
    assert bare - helpers == set(UNSEEN)


def test_every_effect_has_one_place():
    source = "".join(path.read_text() for path in ADAPTERS)
    assert sorted(re.findall(r"\bEffect\.(\w+)", source)) == sorted(Effect.__members__)


def test_every_activity_is_known_by_name():
    assert set(ACTIVITIES) == set().union(*registered().values())
    assert list(ACTIVITIES) == sorted(ACTIVITIES)


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    arm("", tmp_path, ACTIVITIES)


@pytest.mark.parametrize(
    ("orders", "why"),
    [
        ("crash@after:lend", "no fault point"),
        ("explode@after:land", "explode"),
        ("freeze@after:land", "seconds"),
        ("crash/3@after:land", "seconds"),
        ("duplicate@before:land", "run again"),
        ("duplicate@after:ref/land", "run again"),
    ],
)
def test_an_order_that_can_never_be_carried_out_is_refused(orders: str, why: str, marks: Path):
    with pytest.raises(ValueError, match=why):
        arm(orders, marks, ACTIVITIES)


def test_nothing_happens_without_orders(marks: Path):
    with around(Effect.REF_LAND):
        pass
    assert list(marks.iterdir()) == []


def test_an_order_is_carried_out_once_by_whoever_is_first(marks: Path):
    arm("error@before:ref/land,slow/0.2@after:ref/land", marks, ACTIVITIES)
    with pytest.raises(InjectedFault, match="before:ref/land"), around(Effect.REF_LAND):
        pytest.fail("its effect is not there before")
    began = time.monotonic()
    with around(Effect.REF_LAND):
        pass
    assert time.monotonic() - began >= 0.2
    arm("error@before:ref/land", marks, ACTIVITIES)
    with around(Effect.REF_LAND):
        pass


async def test_an_activity_runs_again_once(marks: Path):
    arm("duplicate@after:land", marks, ACTIVITIES)
    assert [await passing_activity("after:land") for _ in range(2)] == [True, False]


PASS = """\
import sys
from pathlib import Path
from activities.adapters.fault_points import Effect, arm, around
arm(sys.argv[1], Path(sys.argv[2]), ())
with around(Effect.REF_LAND):
    print("done", flush=True)
print("past", flush=True)
"""


def passing_process(orders: str, marks: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PASS, orders, str(marks)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_crash_leaves_what_was_done_and_nothing_after_it(marks: Path):
    with passing_process("crash@after:ref/land", marks) as process:
        assert process.communicate() == ("done\n", None)
    assert process.returncode == -signal.SIGKILL
    assert (marks / "0").read_text() == str(process.pid)


def test_a_frozen_process_stands_still_and_thaws_by_itself(marks: Path):
    with passing_process("freeze/1@before:ref/land", marks) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert process.communicate() == ("done\npast\n", None)


def test_without_orders_a_point_costs_next_to_nothing():
    began = time.perf_counter()
    for _ in range(10_000):
        fault_points.passing("before:ref/land")
    assert time.perf_counter() - began < 1
