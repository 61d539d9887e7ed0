"""Imports are read from git's objects, or from what a command prints."""

import time
from pathlib import Path

import pytest

from activities.adapters.import_graph import between, parse_edges
from activities.adapters.python_imports import PythonModules, imported_names
from activities.adapters.sandbox import Sandbox, detect
from tests.adapters.one_host import one_host


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a\nimport b.c as d, e\n", [("a", ""), ("b.c", ""), ("e", "")]),
        ("from a import b, c as d\n", [("a", "b"), ("a", "c")]),
        ("from . import (b,  # why\n  c,\n)\n", [(".", "b"), (".", "c")]),
        ("from ..a.b import *\n", [("..a.b", "*")]),
        ("from a import b, \\\n    c\n", [("a", "b"), ("a", "c")]),
        ("from a.x \\\n  import \\\n  (d)\n", [("a.x", "d")]),
        ("try:\n    import a\nexcept ImportError:\n    import b\n", [("a", ""), ("b", "")]),
        ("def f():\n    import a\n\nimport b\n", [("b", "")]),
        ("class C:\n    def f(self):\n        import a\n    import b\n", [("b", "")]),
        ("async def f():\n  from a import b\n", []),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b\n", [("b", "")]),
        ('"""import a\n\nimport b\n"""\nimport c\n', [("c", "")]),
        ("x = '''\nimport a\n'''  # import b\nimport c; import d\n", [("c", "")]),
        ("x = \"it's\"\nimport a\ny = 'import b'\n", [("a", "")]),
        ("print 'no Python 3'\nimport a\r\n", [("a", "")]),
        ("important = 1\nfrom_x = 2\n", []),
    ],
)  # fmt: skip
def test_what_runs_when_a_module_is_loaded_is_found(source: str, found: list[tuple[str, str]]):
    assert imported_names(source.encode()) == found


TREE = [
    "setup.py", "src/app/__init__.py", "src/app/core.py", "src/app/io/__init__.py",
    "src/app/io/net.py", "tests/test_core.py", "tests/helper.py", "tools/run.py", "tools/part.py",
    "other/pyproject.toml", "other/src/lib_x/mod.py", "other/src/app/core.py", "stub/only.pyi",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "names", "found"),
    [
        ("tests/test_core.py", [("app.core", "f")], ["src/app/core.py"]),
        ("tests/test_core.py", [("app", "core")], ["src/app/core.py"]),
        ("tests/test_core.py", [("app", "VERSION")], ["src/app/__init__.py"]),
        ("tests/test_core.py", [("app.io.net", "")], ["src/app/io/net.py"]),
        ("tests/test_core.py", [("helper", "x")], ["tests/helper.py"]),
        ("tests/test_core.py", [("tests.helper", "x")], ["tests/helper.py"]),
        ("src/app/core.py", [(".io", "net")], ["src/app/io/net.py"]),
        ("src/app/core.py", [(".", "io"), (".io.net", "f")],
         ["src/app/io/__init__.py", "src/app/io/net.py"]),
        ("src/app/io/net.py", [("..core", "f"), ("..", "VERSION")],
         ["src/app/__init__.py", "src/app/core.py"]),
        ("src/app/io/__init__.py", [(".net", "*")], ["src/app/io/net.py"]),
        ("src/app/core.py", [("net", "")], []),
        ("src/app/core.py", [("core", ""), ("json", ""), ("os.path", "join")], []),
        ("tools/run.py", [("part", "")], ["tools/part.py"]),
        ("other/src/lib_x/mod.py", [("app.core", "f")], ["other/src/app/core.py"]),
        ("tests/test_core.py", [("lib_x.mod", "f")], ["other/src/lib_x/mod.py"]),
        ("src/app/core.py", [("stub.only", "")], ["stub/only.pyi"]),
        ("src/app/core.py", [("....x", "y")], []),
    ],
)  # fmt: skip
def test_a_name_is_the_file_that_python_would_load(path, names, found: list[str]):
    assert list(PythonModules(TREE).imported_by(path, names)) == found


def test_edges_are_pairs_of_files_of_the_tree_and_the_rest_is_ignored():
    known = ["a.go", "b c.go", "d.go"]
    output = b"scanning...\n./a.go\tb c.go\n/src/a.go d.go\nd.go x.go\nb c.go d.go\n\xff\n"
    assert parse_edges(output, known) == {"a.go": ("b c.go", "d.go")}


def test_only_what_lies_between_files_with_sites_is_kept():
    graph = {"a": ("b", "z"), "b": ("c",), "y": ("a",), "c": ("w",)}
    assert between(graph, ["a", "c"]) == {"a": ("b",), "b": ("c",)}


BY_IMPORTS = """\
sites: {include: ["*.py", "*.go"], find: {regex: old}}
split: SPLIT
ladder: [{claude: {}}]
checks: {unit: {run: "true"}}
"""


async def test_a_survey_says_who_imports_whom_where_the_split_asks(
    sandbox: Sandbox, tmp_path: Path
):
    files = {
        "src/p/__init__.py": "",
        "src/p/a.py": "from . import mid\nold\n",
        "src/p/mid.py": "import p.b\n",
        "src/p/b.py": "old\n",
        "x.py": "import os\n",
    }
    host = one_host(tmp_path, sandbox, BY_IMPORTS.replace("SPLIT", "imports"), files)
    survey = await host.survey()
    assert survey.imports == {
        "src/p/a.py": ("src/p/mid.py",),
        "src/p/mid.py": ("src/p/b.py",),
    }
    plain = one_host(tmp_path / "2", sandbox, BY_IMPORTS.replace("SPLIT", "file"), files)
    assert (await plain.survey()).imports == {}


async def test_a_command_may_print_the_edges(sandbox: Sandbox, tmp_path: Path):
    script = r"grep -H '^use ' *.go | sed 's/:use /\\t/'"
    split = f'{{by: imports, edges: "{script}"}}'
    files = {"a.go": "use b.go\nold\n", "b.go": "old\n", "c.go": "use a.go\n"}
    host = one_host(tmp_path, sandbox, BY_IMPORTS.replace("SPLIT", split), files)
    assert (await host.survey()).imports == {"a.go": ("b.go",)}


def test_a_large_tree_is_scanned_in_seconds():
    body = 'def f():\n    """Import a thing."""\n    return "x"\n\n\n' * 100
    sources = [f"import m{n}\nfrom .m{n + 1} import x\n{body}".encode() for n in range(10_000)]
    tree = [f"pkg{n % 50}/m{n}.py" for n in range(10_000)]
    begun = time.thread_time()
    modules = PythonModules(tree)
    for path, source in zip(tree, sources, strict=True):
        modules.imported_by(path, imported_names(source))
    assert time.thread_time() - begun < 8
