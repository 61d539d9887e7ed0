"""Who may import whom. Arrows go one way: worker → roles, starter → cli; both → workflows →
activities → adapters."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOORS = ("worker", "roles", "starter", "cli")
HEAVY = ("anthropic", "git", "pygit2", "structlog")
FORBIDDEN = {
    "activities/contracts": (
        "temporalio",
        "workflows",
        "activities.adapters",
        "ruamel",
        "typer",
        *HEAVY,
        *DOORS,
    ),
    "activities/adapters": ("temporalio", "workflows", *DOORS),
    "activities": ("workflows", "activities.adapters", *HEAVY, *DOORS),
    "workflows": ("activities.adapters", *HEAVY, *DOORS),
    "roles": ("worker", "starter", "cli", *HEAVY),
    "cli": ("worker", "roles", "starter", *HEAVY),
}
"""Room → what its files must not import, except under TYPE_CHECKING."""


def room_of(path: Path) -> str:
    folder = path.relative_to(ROOT).parent.as_posix()
    return max((room for room in FORBIDDEN if folder.startswith(room)), key=len)


FILES = sorted(
    path
    for room in ("activities", "workflows", "roles", "cli")
    for path in (ROOT / room).rglob("*.py")
)


def imports(tree: ast.Module) -> Iterator[str]:
    """Every imported name outside of `if TYPE_CHECKING:`, wherever it stands."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))


WAITS_FOR_THE_DISK = re.compile(
    r"(self\._blobs|(\w+\.)?hub|git)\.\w+|read_handoffs"
    r"|os\.f?sync|shutil\.(rm|copy|move).*|subprocess\.run"
)
"""Calls that block: a full disk queue holds a small write back for many seconds."""


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_coroutine_of_an_effect_keeps_the_heartbeats_waiting_for_the_disk(path):
    """Beats come from the event loop; what may take long belongs on a thread."""
    if not path.is_relative_to(ROOT / "activities"):
        return
    tree = ast.parse(path.read_text())
    coroutines = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    waiting = [
        f"{path.name}:{call.lineno}: {called}"
        for coroutine in coroutines
        for call in ast.walk(coroutine)
        if isinstance(call, ast.Call)
        and WAITS_FOR_THE_DISK.fullmatch(called := ast.unparse(call.func))
    ]
    assert not waiting


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_room_imports_only_rooms_below_it(path):
    tree = ast.parse(path.read_text())
    forbidden = FORBIDDEN[room_of(path)]
    broken = [n for n in imports(tree) for f in forbidden if n == f or n.startswith(f + ".")]
    assert not broken


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=str)
def test_an_init_holds_a_docstring_and_nothing_else(path):
    body = ast.parse(path.read_text()).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys; print('\\n'.join(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_peoples_door_opens_without_loading_what_only_verbs_need():
    assert loaded_by("import starter").isdisjoint({"temporalio", "pydantic", "rich", *HEAVY})


def test_workflows_load_neither_git_nor_a_model_client():
    assert loaded_by("import workflows.migration").isdisjoint(HEAVY)


def test_a_worker_loads_no_workflow_code_before_its_role_is_known():
    assert "workflows" not in loaded_by("import worker")


def test_only_control_loads_the_workflows_and_only_who_has_a_key_the_client(tmp_path):
    others = sorted({path.stem for path in (ROOT / "roles").glob("*.py")} - {"control"})
    loaded = loaded_by(
        f"import pathlib, {', '.join(f'roles.{name}' for name in others)}\n"
        f"settings = roles.host.Settings(home=pathlib.Path({str(tmp_path)!r}))\n"
        "roles.host.os.environ.clear()\n"
        "assert not roles.host.Host(settings).prepare_model(alone=False)"
    )
    assert "pygit2" in loaded
    assert loaded.isdisjoint({"workflows", "anthropic"})
