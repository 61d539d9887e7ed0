"""Sites are found by bytes alone, in scope by gitignore's rules, and kept by blob id."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.finders import (
    LARGE,
    SiteCache,
    apply_accept,
    find_regex,
    in_scope,
    owners,
    parse_found,
    unread,
)
from activities.contracts.site_forms import Accepted, Sites
from activities.contracts.survey import Site


@pytest.mark.parametrize(
    ("pattern", "content", "lines"),
    [
        (r"self\.assert\w+\(", b"a\nself.assertEqual(1)\nx\nself.assertTrue(y)\n", [2, 4]),
        (r"b", b"b b b\nb", [1, 2]),
        (r"end$", b"the end\r\nnot the end.\r\nend\n", [1, 3]),
        (r"^import", b"\xef\xbb\xbfimport os\n import re\n", [1]),
        (r"^$", b"a\n\nb\n", [2]),
        (r"^$", b"", []),
        (r"x", b"x\0x\n", []),
        (r"x", b"\n" * 9000 + b"x\0\n", [9001]),
        (r"caf\u00e9", "un\ncaf\u00e9\n".encode(), [2]),
        (r"old", b"caf\xe9 old\n", [1]),
        (r"a\nb", b"a\nb\n", []),
        (r"y", b"x\x0cx\x0by\x85\ny", [1, 2]),
        (r"y", "x\u2028y\nz\n".encode(), [1]),
    ],
)
def test_lines_that_match_are_found(pattern: str, content: bytes, lines: list[int]) -> None:
    assert find_regex(pattern, content) == lines


def test_a_large_file_is_searched_like_a_small_one() -> None:
    small = b"a line of text\r\n\xffthe old name\n" * 10
    assert find_regex(r"name$", small) == list(range(2, 21, 2))
    large = small * (LARGE // len(small) + 1) + b"the old name"
    found = find_regex(r"name$", large)
    assert found[:10] == list(range(2, 21, 2))
    assert found[-1] == large.count(b"\n") + 1


@given(st.binary(max_size=200))
def test_no_content_breaks_the_search(content: bytes) -> None:
    assert all(1 <= n <= content.count(b"\n") + 1 for n in find_regex(r"\w", content))


PATHS = ["setup.py", "src/a.py", "src/gen/b.py", "src/c.txt", "tests/a.py", "docs/src/d.py"]


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        (("/**",), (), PATHS),
        (("*.py",), (), [p for p in PATHS if p.endswith(".py")]),
        (("/src/**/*.py",), (), ["src/a.py", "src/gen/b.py"]),
        (("src/",), (), ["src/a.py", "src/gen/b.py", "src/c.txt", "docs/src/d.py"]),
        (("/src/",), ("/src/gen/",), ["src/a.py", "src/c.txt"]),
        (("/src",), ("*.txt",), ["src/a.py", "src/gen/b.py"]),
        (("/setup.py",), (), ["setup.py"]),
        (("*.py", "!/tests/**"), (), ["setup.py", "src/a.py", "src/gen/b.py", "docs/src/d.py"]),
    ],
)
def test_scope_has_the_meaning_of_gitignore(
    include: tuple[str, ...], exclude: tuple[str, ...], kept: list[str]
) -> None:
    assert in_scope(PATHS, Sites(include=include, exclude=exclude)) == kept


def test_scope_agrees_with_git_itself(tmp_path: Path) -> None:
    patterns = ["/src/**/*.py", "docs/", "a?.md", "/b*", "!/src/gen/**", "[xy].c", "deep/**/leaf"]
    paths = [
        *PATHS, "docs/x", "a/docs/y", "ab.md", "z/ac.md", "abc.md", "bin/tool", "x/bin", "x.c",
        "q/y.c", "z.c", "deep/leaf", "deep/1/2/leaf", "src/gen/b.py", "space in name.py",
    ]  # fmt: skip
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".git/info/exclude").write_text("\n".join(patterns))
    said = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=tmp_path, input="\0".join(paths).encode(), capture_output=True, check=False,
    )  # fmt: skip
    ignored = {p for p in said.stdout.decode().split("\0") if p}
    assert set(in_scope(paths, Sites(include=tuple(patterns)))) == ignored


def test_what_was_found_is_kept_by_finder_and_blob(tmp_path: Path) -> None:
    cache = SiteCache(tmp_path / "new" / "cache")
    assert cache.get("f1", ["b1"]) == {}
    cache.put("f1", {"b1": [1, 5], "b2": []})
    cache.put("f2", {"b1": [7]})
    cache.put("f1", {})
    again = SiteCache(tmp_path / "new" / "cache")
    assert again.get("f1", ["b1", "b2", "b3", "b1"]) == {"b1": [1, 5], "b2": []}
    assert again.get("f2", ["b1"]) == {"b1": [7]}


def test_keeping_the_same_again_changes_nothing(tmp_path: Path) -> None:
    cache = SiteCache(tmp_path)
    for _ in range(2):
        cache.put("f", {"b": [3]})
    assert cache.get("f", ["b"]) == {"b": [3]}


def test_many_blobs_are_asked_for_at_once(tmp_path: Path) -> None:
    cache = SiteCache(tmp_path)
    found = {f"blob{n}": [n] for n in range(20_000)}
    cache.put("f", found)
    assert cache.get("f", [*found, "unknown"]) == found


def test_several_processes_and_threads_share_the_cache(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from activities.adapters.finders import SiteCache\n"
        "me = sys.argv[2]\n"
        "for n in range(40): SiteCache(Path(sys.argv[1])).put('f', {f'{me}-{n}': [n], 'all': [1]})"
    )
    commands = [[sys.executable, "-c", script, str(tmp_path), name] for name in ("a", "b")]
    running = [subprocess.Popen(command) for command in commands]
    cache = SiteCache(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cache.put("f", {f"t-{n}": [n], "all": [1]}), range(40)))
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    wanted = [f"{who}-{n}" for who in "abt" for n in range(40)]
    assert cache.get("f", [*wanted, "all"]) == {
        **{f"{who}-{n}": [n] for who in "abt" for n in range(40)},
        "all": [1],
    }


def test_a_damaged_cache_is_an_error_with_its_name_not_an_empty_answer(tmp_path: Path) -> None:
    (tmp_path / "sites-1.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        SiteCache(tmp_path)


CODEOWNERS = """
# people
*            @org/everyone
/docs/       @writer docs@example.com  # a remark
*.js         @org/web
/vendor/
[Section]
/src/[broken @nobody
/src/a\\ b.py @spacer
"""


def test_the_last_matching_line_names_the_owners() -> None:
    paths = ["x.py", "docs/a.md", "docs/a.js", "vendor/x.c", "src/a b.py"]
    assert owners(CODEOWNERS, paths) == {
        "x.py": ("@org/everyone",),
        "docs/a.md": ("@writer", "docs@example.com"),
        "docs/a.js": ("@org/web",),
        "src/a b.py": ("@spacer",),
    }


def test_without_rules_nobody_is_named() -> None:
    assert owners("", ["a"]) == {}


def test_command_output_becomes_places_of_known_paths() -> None:
    output = (
        b"src/a.py\nsrc/b.py:12\n./src/b.py:3:import x\n/src/src/b.py:3\nsrc/b.py:12\r\n"
        b"nowhere.py:1\nScanning src/a.py ...\nodd:name.py:7:8\nodd:name.py\n\n\xff\xfe:3\n"
        b"caf\xe9.py:3\nsrc/\x0c.py\n"
    )
    known = ["src/a.py", "src/b.py", "odd:name.py", "src/c.py", "caf\udce9.py", "src/\x0c.py"]
    assert parse_found(output, known) == [
        ("caf\udce9.py", 3),
        ("odd:name.py", None),
        ("odd:name.py", 7),
        ("src/\x0c.py", None),
        ("src/a.py", None),
        ("src/b.py", 3),
        ("src/b.py", 12),
    ]
    assert unread(output, known) == "nowhere.py:1\nScanning src/a.py ...\n\ufffd\ufffd:3"


def test_accepted_sites_are_counted_per_file() -> None:
    sites = [Site(path=p, line=n) for p in ("v/a.py", "v/b.py", "x.py") for n in (3, 1, 2)]
    accept = (Accepted(path="/v/**", max=2, reason="vendored"),)
    left, accepted = apply_accept(sites, accept)
    assert [(s.path, s.line) for s in left] == [
        ("v/a.py", 3),
        ("v/b.py", 3),
        ("x.py", 1),
        ("x.py", 2),
        ("x.py", 3),
    ]
    assert [(s.path, s.line) for s in accepted] == [
        ("v/a.py", 1),
        ("v/a.py", 2),
        ("v/b.py", 1),
        ("v/b.py", 2),
    ]


def test_accept_rules_add_up_and_without_a_maximum_take_everything() -> None:
    sites = [Site(path="a.py", line=n) for n in range(5)]
    rules = (Accepted(path="a.py", max=1, reason="r"), Accepted(path="*.py", max=2, reason="r"))
    assert len(apply_accept(sites, rules)[1]) == 3
    everything = Accepted(path="/a.py", reason="r")
    assert apply_accept(sites, (everything,)) == ([], sites)
    assert apply_accept(sites, ()) == (sites, [])
