"""The gate's rules about tests over whole changes: what moves, is waived, or cannot be read."""

import pytest

from activities.contracts.integrity import IntegrityRule, Waiver
from tests.adapters.changes import PY, PYTHON, RAISES, SOURCES, broken, told


def test_tests_and_their_assertions_may_move_to_other_files_of_a_change() -> None:
    free = PY[PY.index("def test_free") :]
    there = f"import pytest\n\n\n{free}"
    change = {PYTHON: (PY, PY.replace(free, "")), "tests/test_free.py": (None, there)}
    assert told(change) == []
    weaker = there.replace(RAISES, "price(0)")
    assert broken({**change, "tests/test_free.py": (None, weaker)}) == [
        "assertions-dropped:tests/test_price.py:16"
    ]
    emptied = there.replace(RAISES, "pass")
    assert "tests-emptied:tests/test_free.py:4" in broken(
        {**change, "tests/test_free.py": (None, emptied)}
    )


def test_what_tests_share_counts_although_it_has_no_tests() -> None:
    shared = "def check(a, b):\n    assert a == b\n    assert type(a) is type(b)\n"
    weaker = shared.replace("    assert type", "    # assert type")
    assert broken({"tests/support.py": (shared, weaker)}) == [
        "assertions-dropped:tests/support.py:3"
    ]
    assert told({"tests/support.py": (shared, None), "tests/more.py": (None, shared)}) == []
    assert told({"app/support.py": (shared, weaker)}) == []


def test_a_violation_names_some_tests_and_counts_the_rest() -> None:
    text = "".join(f"def test_{n}():\n    assert {n}\n" for n in range(9))
    assert told({"test_a.py": (text, text[: text.index("def test_3")])}) == [
        "tests-deleted: test_a.py:7: test_3, test_4, test_5 and 3 more are gone"
    ]


def test_a_waiver_holds_for_its_rule_and_its_paths_alone() -> None:
    change = {f"tests/test_{n}.py": (PY, PY.replace("assert n\n", "n\n")) for n in "ab"}
    one = Waiver(rule=IntegrityRule.ASSERTIONS_DROPPED, paths=("/tests/test_a.py",), reason="r")
    other = Waiver(rule=IntegrityRule.TESTS_DELETED, paths=("/tests/",), reason="r")
    assert broken(change, one, other) == ["assertions-dropped:tests/test_b.py:12"]


@pytest.mark.parametrize(
    "odd",
    [
        b"def test_x(" * 20_000,
        b"class A" * 20_000,
        b"\\" + b'"' * 99_999,
        b"'''" + b"\\" * 99_999,
        b"/*" * 99_999,
        b"#[test]" * 20_000,
        b"@Test " * 20_000,
        b"it(" * 30_000,
        b"`" * 99_999,
        b'r#"' * 30_000,
        b"(" * 99_999,
        b"try:assert x\nexcept (" * 5_000,
        b"try{expect(1)}catch (Error " * 4_000,
        b"assert " + b"1" * 99_999,
        b"parametrize(" * 9_000 + b"def test_a():",
        b"def a(): assert x; a()\n" * 5_000,
        b"os.Setenv(\n" * 9_000,
    ],
    ids=range(17),
)
@pytest.mark.parametrize("path", SOURCES)
@pytest.mark.timeout(10)
def test_odd_content_is_read_in_time_and_never_fails(path: str, odd: bytes) -> None:
    told({path: (odd, odd + b" ")})
    told({path: (odd, SOURCES[path])})
    told({path: (SOURCES[path], odd)})


@pytest.mark.parametrize("odd", [b"\xff\xfe" + PY.encode("utf-16-le"), PY.encode() + b"\0", b""])
@pytest.mark.parametrize("path", SOURCES)
def test_what_is_no_text_any_more_has_lost_its_tests(path: str, odd: bytes) -> None:
    (said,) = told({path: (SOURCES[path], odd)})
    assert said.startswith(f"tests-deleted: {path}:")


def test_bytes_that_are_not_utf8_hide_nothing() -> None:
    latin = "# café\n".encode("latin-1")
    before, after = latin + PY.encode(), latin + PY.replace("assert n\n", "n\n").encode()
    assert broken({PYTHON: (before, after)}) == ["assertions-dropped:tests/test_price.py:13"]


def test_a_file_of_tests_that_is_too_long_is_told_and_not_looked_at() -> None:
    (said,) = told({PYTHON: (PY, PY + "#" * (5 << 20))})
    assert said.endswith("its tests were not looked at")
