"""The gate's rules about tests, each against the cheats it is for and the changes it must let pass.

Each is a small edit of a good file.
"""

import pytest

from activities.contracts.integrity import IntegrityRule, Waiver
from tests.adapters.changes import (
    CARGO,
    GO,
    GOLANG,
    JS,
    JUNIT,
    PY,
    PYTHON,
    RAISES,
    SCRIPT,
    SOURCES,
    broken,
    told,
)

# what is done to a source, and the line at which which rule says so
CHEATS: dict[str, tuple[str, list[tuple[str, str]], list[str]]] = {
    "python deleted": (PYTHON, [(PY[PY.index("def test_free") :], "")], ["tests-deleted:15"]),
    "python not collected": (PYTHON, [("test_free", "_test_free")], ["tests-deleted:15"]),
    "python class not collected": (
        PYTHON,
        [("class TestPrice", "class Price")],
        ["tests-deleted:5"],
    ),
    "python marked": (
        PYTHON,
        [("def test_free", "@pytest.mark.skip\ndef test_free")],
        ["tests-skipped:15"],
    ),
    "python expected to fail": (
        PYTHON,
        [("    def test_cheap", "    @pytest.mark.xfail(strict=False)\n    def test_cheap")],
        ["tests-skipped:5"],
    ),
    "python skips itself": (
        PYTHON,
        [("    with pytest", '    pytest.skip("later")\n    with pytest')],
        ["tests-skipped:16"],
    ),
    "python emptied": (
        PYTHON,
        [(RAISES, "...")],
        ["tests-emptied:15", "assertions-dropped:16"],
    ),
    "python emptied but for a docstring": (
        PYTHON,
        [("        assert price(n) == n\n        assert n\n", "        return\n")],
        ["tests-emptied:9", "assertions-dropped:11"],
    ),
    "python commented out": (
        PYTHON,
        [("        assert n\n", "        # assert n\n")],
        ["assertions-dropped:12"],
    ),
    "python replaced by an empty one": (
        PYTHON,
        [
            ("test_free", "test_anything"),
            (RAISES, "pass"),
        ],
        ["tests-emptied:15", "assertions-dropped:16"],
    ),
    "script deleted": (
        SCRIPT,
        [(JS[JS.index("  test(") : JS.index("});\n", -4)], "")],
        ["tests-deleted:5"],
    ),
    "script skipped": (SCRIPT, [("it('is cheap'", "it.skip('is cheap'")], ["tests-skipped:2"]),
    "script skipped by a letter": (SCRIPT, [("  it('is", "  xit('is")], ["tests-skipped:2"]),
    "script focused": (
        SCRIPT,
        [("describe('price'", "describe.only('price'")],
        ["tests-skipped:1"],
    ),
    "script emptied": (
        SCRIPT,
        [("    expect(price(1)).toBe(1); //", "    //")],
        ["tests-emptied:2", "assertions-dropped:3"],
    ),
    "script weakened": (
        SCRIPT,
        [("assert.equal(await price(2), 2)", "await price(2)")],
        ["assertions-dropped:6"],
    ),
    "go deleted": (GOLANG, [(GO[GO.index("func (s") :], "")], ["tests-deleted:9"]),
    "go not collected": (GOLANG, [("TestCheap", "Testcheap")], ["tests-deleted:3"]),
    "go skipped": (
        GOLANG,
        [("\tif Price", '\tt.Skip("later")\n\tif Price')],
        ["tests-skipped:4"],
    ),
    "go not built": (GOLANG, [("package", "//go:build never\n\npackage")], ["tests-skipped:1"]),
    "go emptied": (
        GOLANG,
        [("\trequire.Equal(s.T(), 2, Price(2))\n", "")],
        ["tests-emptied:9", "assertions-dropped:10"],
    ),
    "go weakened": (GOLANG, [("t.Errorf", "t.Logf")], ["assertions-dropped:5"]),
    "rust deleted": (CARGO, [("    #[test]\n", "")], ["tests-deleted:5"]),
    "rust ignored": (CARGO, [("#[test]", "#[test]\n    #[ignore]")], ["tests-skipped:6"]),
    "rust emptied": (
        CARGO,
        [("        assert_eq!(price(1), 1);\n", "")],
        ["tests-emptied:5", "assertions-dropped:7"],
    ),
    "rust weakened": (
        CARGO,
        [("assert_eq!(price(1), 1)", "let _ = price(1)")],
        ["assertions-dropped:7"],
    ),
    "java deleted": (JUNIT, [("    @Test\n", "")], ["tests-deleted:2"]),
    "java disabled": (JUNIT, [("@Test", "@Disabled\n    @Test")], ["tests-skipped:2"]),
    "java emptied": (
        JUNIT,
        [("        assertEquals(1, price(1));\n", "")],
        ["tests-emptied:2", "assertions-dropped:4"],
    ),
    "java weakened": (
        JUNIT,
        [("assertThat(price(n)).isEqualTo(n)", "price(n)")],
        ["assertions-dropped:10"],
    ),
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_weakened_test_is_told_with_rule_path_and_line(name: str) -> None:
    path, edits, expected = CHEATS[name]
    before = after = SOURCES[path]
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    at = [f"{rule}:{path}:{line}" for rule, line in (one.split(":") for one in expected)]
    assert broken({path: (before, after)}) == at
    waivers = [
        Waiver(rule=IntegrityRule(one.split(":")[0]), paths=(f"/{path}",), reason="agreed")
        for one in expected
    ]
    assert broken({path: (before, after)}, *waivers) == []


@pytest.mark.parametrize("path", SOURCES)
def test_a_file_of_tests_that_is_gone_is_told_and_one_that_moves_is_not(path: str) -> None:
    text = SOURCES[path]
    (said,) = told({path: (text, None)})
    assert said.startswith(f"tests-deleted: {path}:")
    assert said.endswith("are gone")
    moved = path.replace("rice", "rices").replace("lib", "tests/prices")
    assert told({path: (text, None), moved: (None, text)}) == []
    assert told({moved: (None, text)}) == []


# honest changes of the same sources, of which nothing may be told
HONEST: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "bare asserts become a framework's": (
        PYTHON,
        [("assert price(1) == 1", "self.assertEqual(price(1), 1)")],
    ),
    "a test is renamed": (PYTHON, [("test_free", "test_nothing_is_free")]),
    "a test is added": (
        PYTHON,
        [("def test_free", "def test_new():\n    pass\n\n\ndef test_free")],
    ),
    "the class goes, its tests stay": (
        PYTHON,
        [
            ("class TestPrice:\n", ""),
            ("\n    def test_cheap(self)", "def test_cheap()"),
            ("\n    @", "\n@"),
        ],
    ),
    "a skip in a comment": (PYTHON, [("def test_free", "# pytest.mark.skip\ndef test_free")]),
    "functions become arrows": (SCRIPT, [("async function ()", "async () =>")]),
    "assert becomes expect": (
        SCRIPT,
        [("assert.equal(await price(2), 2)", "expect(await price(2)).toBe(2)")],
    ),
    "a title is improved": (SCRIPT, [("is cheap", "costs little")]),
    "an error becomes fatal": (GOLANG, [("t.Errorf", "t.Fatalf")]),
    "a hand-written check becomes a library's": (
        GOLANG,
        [
            (
                'if Price(1) != 1 {\n\t\tt.Errorf("func TestNo(t *testing.T) {")\n\t}',
                "assert.Equal(t, 1, Price(1))",
            )
        ],
    ),
    "an assertion of the code itself goes": (CARGO, [("assert!(n > 0); ", "")]),
    "another runner's attribute": (CARGO, [("#[test]", "#[rstest]")]),
    "another major version": (
        JUNIT,
        [
            ("public void cheap() throws Exception", "void cheap()"),
            ("assertEquals(1,", "Assertions.assertEquals(1,"),
        ],
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_change_is_let_pass(name: str) -> None:
    path, edits = HONEST[name]
    after = SOURCES[path]
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    assert told({path: (SOURCES[path], after)}) == []
