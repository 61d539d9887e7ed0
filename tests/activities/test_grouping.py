"""Splits group files as their spec says, each file once, and what belongs together together."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.contracts.base import digest_of
from activities.contracts.plan import Plan
from activities.contracts.spec import MigrationSpec, Split, SplitBy
from activities.contracts.survey import SurveyData, SurveyedFile
from activities.grouping import Facts, FileGroup, split_files
from activities.import_order import in_import_order, without_indirect
from activities.plan_rules import validate_plan
from activities.static_plan import schedule_waves, static_plan
from activities.together import group_names, units


def titles(groups: list[FileGroup]) -> list[tuple[str, tuple[str, ...]]]:
    return [(group.title, group.paths) for group in groups]


def test_a_package_begins_at_the_nearest_marker_and_files_under_none_are_a_group():
    tree = ["go.mod", "a/go.mod", "a/b/c.go", "a/d.go", "x/y.go", "README", "b/setup.py", "b/z.py"]
    facts = Facts(tree=tree)
    bearing = ["a/b/c.go", "a/d.go", "x/y.go", "b/z.py"]
    assert titles(split_files(bearing, Split(by="package"), facts)) == [
        ("package a (2 files)", ("a/d.go", "a/b/c.go")),
        ("package b (1 file)", ("b/z.py",)),
        ("package . (1 file)", ("x/y.go",)),
    ]
    only = Facts(tree=tree[1:], markers=("go.mod",))
    assert titles(split_files(bearing, Split(by="package"), only))[1:] == [
        ("no package (2 files)", ("b/z.py", "x/y.go")),
    ]


def test_owners_share_a_task_and_files_of_nobody_are_a_group():
    owners = {"a/x.py": ("@web",), "b/x.py": ("@db", "@web"), "c/x.py": (), "d/x.py": ("@web",)}
    found = split_files(owners, Split(by="owner"), Facts(owners=owners))
    assert titles(found) == [
        ("@web (2 files)", ("a/x.py", "d/x.py")),
        ("@db @web (1 file)", ("b/x.py",)),
        ("no owner (1 file)", ("c/x.py",)),
    ]


TREE = ["src/a.py", "src/sub/b.py", "src/c.py", "tests/test_a.py", "tests/test_sub/b.py", "t.py"]
PATTERNS = ("src/{m}.py", "tests/test_{m}.py")


def test_files_with_the_same_groups_share_a_task_and_partners_are_claimed_along():
    found = units(["src/a.py", "src/c.py", "src/sub/b.py"], PATTERNS, TREE, lambda _: True)
    assert found == [
        ("src/a.py", "tests/test_a.py"),
        ("src/c.py",),
        ("src/sub/b.py", "tests/test_sub/b.py"),
    ]


def test_a_group_stands_for_any_text_line_ends_too():
    found = units(["src/a\nb.py"], PATTERNS, ["tests/test_a\nb.py"], lambda _: True)
    assert found == [("src/a\nb.py", "tests/test_a\nb.py")]


def test_a_partner_that_may_not_join_stays_behind():
    assert units(["src/a.py"], PATTERNS, TREE, lambda p: p != "tests/test_a.py") == [("src/a.py",)]


def test_a_file_that_matches_two_patterns_holds_both_together():
    patterns = ("{d}/{m}.ts", "{d}/{m}.test.ts", "{d}/__snapshots__/{m}.test.ts.snap")
    tree = ["a/x.ts", "a/x.test.ts", "a/__snapshots__/x.test.ts.snap", "b/x.ts", "a/y.ts"]
    found = units(["a/x.ts", "a/y.ts", "b/x.ts"], patterns, tree, lambda _: True)
    assert found == [
        ("a/x.ts", "a/__snapshots__/x.test.ts.snap", "a/x.test.ts"),
        ("a/y.ts",),
        ("b/x.ts",),
    ]


def test_a_group_that_stands_twice_is_the_same_twice():
    patterns = ("{m}/{m}.c", "include/{m}.h")
    tree = ["a/a.c", "a/b.c", "include/a.h", "include/b.h"]
    assert units(["a/a.c", "a/b.c"], patterns, tree, lambda _: True) == [
        ("a/a.c", "include/a.h"),
        ("a/b.c",),
    ]
    assert group_names("{m}/{m}.c") == {"m"}


def test_what_stays_together_is_not_cut_even_above_the_bound():
    paths = [f"src/{n}.py" for n in range(4)]
    tree = [*paths, *(f"tests/test_{n}.py" for n in range(4))]
    split = Split(by="whole", max_files=3, together=PATTERNS)
    found = split_files(paths, split, Facts(tree=tree))
    assert [len(group.paths) for group in found] == [2, 2, 2, 2]
    tight = split_files(paths, split.model_copy(update={"max_files": 1}), Facts(tree=tree))
    assert [len(group.paths) for group in tight] == [2, 2, 2, 2]


def test_whole_is_one_task_unless_a_bound_is_given():
    paths = [f"d{n}/x.py" for n in range(500)]
    assert len(split_files(paths, Split(by="whole"))) == 1
    assert len(split_files(paths, Split(by="whole", max_files=100))) == 5


@pytest.mark.parametrize(
    ("order", "first"),
    [("path", "a"), ("sites", "c"), (("/b/", "*.go"), "b"), (("*.go", "/b/"), "c")],
)
def test_tasks_come_in_the_order_that_is_asked_for(order, first: str):
    sites = {"a/x.py": 1, "b/x.py": 2, "c/x.go": 9}
    found = split_files(sites, Split(order=order), Facts(sites=sites))
    assert found[0].title == f"{first} (1 file)"
    assert len(found) == 3


def test_what_is_imported_lands_first_even_through_a_file_without_sites():
    graph = {"app.py": ("mid.py",), "mid.py": ("base.py",), "other.py": ()}
    split = Split(by="imports", max_files=1)
    found = split_files(["app.py", "base.py", "other.py"], split, Facts(imports=graph))
    assert [(g.paths, g.needs) for g in found] == [
        (("base.py",), ()),
        (("other.py",), ()),
        (("app.py",), (0,)),
    ]


def test_a_cycle_is_one_node_and_is_not_cut():
    graph = {"a.py": ("b.py",), "b.py": ("c.py",), "c.py": ("a.py",), "d.py": ("a.py",)}
    split = Split(by="imports", max_files=2)
    found = split_files(["a.py", "b.py", "c.py", "d.py"], split, Facts(imports=graph))
    assert [(g.paths, g.needs) for g in found] == [
        (("a.py", "b.py", "c.py"), ()),
        (("d.py",), (0,)),
    ]


def test_a_cycle_through_a_file_without_sites_holds_together_too():
    graph = {"a.py": ("x.py",), "x.py": ("b.py",), "b.py": ("a.py",)}
    found = split_files(["a.py", "b.py"], Split(by="imports", max_files=1), Facts(imports=graph))
    assert [g.paths for g in found] == [("a.py", "b.py")]


def test_small_layers_in_a_row_share_a_task():
    graph = {f"f{n}.py": (f"f{n - 1}.py",) for n in range(1, 10)}
    found = split_files([f"f{n}.py" for n in range(10)], Split(by="imports"), Facts(imports=graph))
    assert [(len(g.paths), g.needs) for g in found] == [(10, ())]


def test_a_need_that_another_one_implies_is_left_out():
    needs = [frozenset[int](), frozenset({0}), frozenset({0, 1}), frozenset({0, 2})]
    assert without_indirect(needs) == [(), (0,), (1,), (2,)]


names = st.sampled_from([f"{d}/{n}.py" for d in ("src", "src/sub", "tests") for n in "abcdef"])
graphs = st.dictionaries(names, st.lists(names, max_size=4).map(tuple), max_size=18)
spoken = st.builds(
    Split,
    by=st.sampled_from(SplitBy),
    depth=st.none() | st.integers(1, 3),
    root=st.sampled_from([(), ("go.mod",), ("pyproject.toml", "go.mod")]),
    together=st.sampled_from([(), ("src/{m}.py", "tests/{m}.py"), ("{d}/a.py", "{d}/b.py")]),
    order=st.sampled_from(["path", "sites", ("/tests/",)]),
    max_files=st.none() | st.integers(1, 6),
)


def a_migration(split: Split, files: dict[str, int], graph: dict[str, tuple[str, ...]]):
    spec = MigrationSpec.model_validate(
        {
            "version": 1,
            "name": "mig",
            "repository": "/r",
            "objective": "o",
            "checks": {"unit": {"run": "true"}},
            "phases": [{"name": "bulk", "ladder": [{"claude": {}}], "split": split}],
            "protect": ["/tests/f.py"],
        }
    )
    owners = [(), ("@x",), ("@y",), ("@x", "@y")]
    rows = [
        SurveyedFile(path=p, size=1, blob="0", sites=n, owners=owners[n])
        for p, n in sorted(files.items())
    ]
    survey = SurveyData(commit="b" * 40, phase="bulk", files=rows, sites=(), imports=graph)
    return spec, survey


def planned(spec: MigrationSpec, survey: SurveyData, tree) -> Plan:
    return static_plan(spec, digest_of(spec), survey, 1, all_paths=tree)


MARKERS = ("pyproject.toml", "src/go.mod", "src/sub/pyproject.toml", "src/sub/go.mod")


@given(st.dictionaries(names, st.integers(0, 3)), graphs, spoken, st.sets(st.sampled_from(MARKERS)))
def test_any_split_covers_every_site_once_and_always_the_same(files, graph, split, markers):
    files.pop("tests/f.py", None)
    spec, survey = a_migration(split, files, graph)
    tree = [*markers, *(f"{d}/{n}.py" for d in ("src", "src/sub", "tests") for n in "abcdef")]
    plan = planned(spec, survey, tree)
    assert validate_plan(plan, spec, survey, tree) == []
    turned = survey.model_copy(update={"files": survey.files[::-1]})
    assert planned(spec, turned, frozenset(tree)) == plan
    owned = [path for task in plan.tasks for path in task.claims]
    assert len(owned) == len(set(owned))
    assert {path for path, sites in files.items() if sites} <= set(owned)
    assert [task.sites for task in plan.tasks] == [
        sum(files.get(path, 0) for path in task.claims) for task in plan.tasks
    ]
    if not split.together and split.by is not SplitBy.IMPORTS:
        assert all(len(task.claims) <= split.bound for task in plan.tasks)
    assert sum(len(wave) for wave in schedule_waves(plan.tasks, 3)) == len(plan.tasks)


@given(graphs, st.sets(names, min_size=1))
def test_a_file_never_lands_before_what_it_imports(graph, bearing):
    found = split_files(bearing, Split(by="imports", max_files=2), Facts(imports=graph))
    of = {path: number for number, group in enumerate(found) for path in group.paths}
    needed = {n: set(group.needs) for n, group in enumerate(found)}
    for number in sorted(needed):
        needed[number] |= {above for need in needed[number] for above in needed[need]}
    for start in bearing:
        seen, todo = set(), list(graph.get(start, ()))
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            seen.add(path)
            if path not in of:
                todo += graph.get(path, ())
            elif of[path] != of[start]:
                assert of[path] in needed[of[start]]


@given(graphs)
def test_layers_import_nothing_of_their_own(graph):
    paths = sorted({*graph, *(p for found in graph.values() for p in found)})
    ordered = in_import_order([(path,) for path in paths], graph)
    at = {block: n for n, layer in enumerate(ordered.layers) for block in layer}
    assert sorted(path for block in ordered.blocks for path in block) == paths
    assert all(at[near] < at[b] for b in at for near in ordered.nearest[b])


@pytest.mark.parametrize("by", ["package", "owner", "imports"])
def test_seventy_eight_thousand_files_take_seconds(by: str):
    chance = random.Random(7)
    paths = [f"pkg{n % 900}/mod{n % 11}/f{n}.py" for n in range(78_000)]
    graph = {
        path: tuple(paths[chance.randrange(n)] for _ in range(5))
        for n, path in enumerate(paths)
        if n
    }
    owners = {path: (f"@team{n % 50}",) for n, path in enumerate(paths)}
    tree = [*paths, *(f"pkg{n}/setup.py" for n in range(900))]
    split = Split(by=by, together=("{d}/f{m}.py", "{d}/test_f{m}.py"))
    begun = time.thread_time()
    found = split_files(paths, split, Facts(tree=tree, owners=owners, imports=graph))
    assert sum(len(group.paths) for group in found) == len(paths)
    assert time.thread_time() - begun < 15
