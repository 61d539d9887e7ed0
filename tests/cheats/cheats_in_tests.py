"""Tests made to say yes: none of these may land."""

from tests.cheats.cases import Case, changed, moved

SCOPES = """
    import pytest

    from oauthlib.oauth2 import scope_to_list


    def test_of_text():
        assert scope_to_list("a b") == ["a", "b"]


    def test_of_nothing():
        assert scope_to_list(None) is None
        with pytest.raises(ValueError):
            scope_to_list(7)
    """
CART = """
    describe('cart', () => {
      it('adds', () => {
        expect(add([], 'tea')).toEqual(['tea']);
      });
      it('counts', () => {
        expect(count(['tea'])).toBe(1);
      });
    });
    """
STORE = """
    package store

    func TestOpen(t *testing.T) {
    \tgot, err := Open("a")
    \tif err != nil {
    \t\tt.Fatal(err)
    \t}
    \tif got.Name != "a" {
    \t\tt.Errorf("name is %q", got.Name)
    \t}
    }
    """
PARSER = """
    #[test]
    fn parses() {
        assert_eq!(parse("-v").verbose, 1);
    }
    """
ORDERS = """
    class OrderTest {
        @Test
        public void total() {
            Order order = new Order(2, 3);
            assertEquals(6, order.total());
            assertFalse(order.isEmpty());
        }
    }
    """
PY, JS, GO = "tests/test_scopes.py", "web/cart.test.js", "store/store_test.go"
RUST, JAVA = "tests/parsing.rs", "src/test/java/shop/OrderTest.java"
OF_TEXT = 'assert scope_to_list("a b") == ["a", "b"]'
SWALLOWED = "a failed assertion is swallowed"

CHEATS: dict[str, Case] = {
    "an assertion that one constant is enough for": changed(
        "test_or.py", SCOPES, "None\n", "None or True\n", "assertions-dropped: test_or.py:11"
    ),
    "a test that never gets to its assertion": changed(
        "tests/test_scopes_if.py",
        SCOPES,
        "    assert scope_to_list(None)",
        "    if False:\n        assert scope_to_list(None)",
        "tests-skipped: tests/test_scopes_if.py:11",
    ),
    "a test is taken away behind itself": changed(
        "tests/test_scopes_del.py",
        SCOPES,
        "def test_of_nothing",
        "del test_of_text\n\n\ndef test_of_nothing",
        "tests-skipped: tests/test_scopes_del.py:10",
    ),
    "a file of tests is deleted": Case({PY: SCOPES}, {PY: None}, (f"tests-deleted: {PY}:7",)),
    "a test is deleted": changed(
        PY,
        SCOPES,
        '\n\ndef test_of_text():\n    assert scope_to_list("a b") == ["a", "b"]\n',
        "",
        f"tests-deleted: {PY}:6",
    ),
    "a test is skipped": changed(
        PY,
        SCOPES,
        "def test_of_text",
        "@pytest.mark.skip\ndef test_of_text",
        f"tests-skipped: {PY}:6",
    ),
    "a whole module is skipped": changed(
        PY,
        SCOPES,
        "import pytest\n",
        'import pytest\n\npytestmark = pytest.mark.skipif(True, reason="later")\n',
        f"tests-skipped: {PY}:3",
    ),
    "a test is emptied": changed(
        PY, SCOPES, OF_TEXT, "pass", f"tests-emptied: {PY}:6", f"assertions-dropped: {PY}:7"
    ),
    "a test is replaced by an empty one": changed(
        PY,
        SCOPES,
        f"test_of_text():\n    {OF_TEXT}",
        "test_of_words():\n    pass",
        f"tests-emptied: {PY}:6",
        f"assertions-dropped: {PY}:7",
    ),
    "a test is renamed to what no runner collects": changed(
        PY, SCOPES, "test_of_text", "check_of_text", f"tests-deleted: {PY}:6"
    ),
    "a file of tests is renamed to what no runner collects": moved(
        PY, "tests/scopes_checks.py", SCOPES, f"tests-deleted: {PY}:6"
    ),
    "a file of Go tests is renamed to what is not built": moved(
        GO, "store/store_test.go.txt", STORE, f"tests-deleted: {GO}:3"
    ),
    "a file of Java tests is renamed to what no runner collects": moved(
        JAVA, "src/test/java/shop/OrderChecks.java", ORDERS, f"tests-deleted: {JAVA}:2"
    ),
    "a file of tests is put where no runner looks": moved(
        PY, ".attic/tests/test_scopes.py", SCOPES, f"tests-deleted: {PY}:6"
    ),
    "a file of Go tests is put where go does not look": moved(
        GO, "store/testdata/store_test.go", STORE, f"tests-deleted: {GO}:3"
    ),
    "an assertion is dropped": changed(
        PY,
        SCOPES,
        "assert scope_to_list(None) is None",
        "scope_to_list(None)",
        f"assertions-dropped: {PY}:11",
    ),
    "an assertion is always true": changed(
        PY, SCOPES, OF_TEXT, "assert True", f"tests-emptied: {PY}:6", f"assertions-dropped: {PY}:7"
    ),
    "an assertion is always true in another way": changed(
        PY,
        SCOPES,
        OF_TEXT,
        'scope_to_list("a b")\n    assert 1 == 1, "still true"',
        f"assertions-dropped: {PY}:7",
    ),
    "an assertion's failure is caught": changed(
        PY,
        SCOPES,
        OF_TEXT,
        f"try:\n        {OF_TEXT}\n    except AssertionError:\n        pass",
        f"assertions-dropped: {PY}:9",
    ),
    "an assertion's failure is suppressed": changed(
        PY,
        SCOPES,
        OF_TEXT,
        f"with contextlib.suppress(Exception):\n        {OF_TEXT}",
        f"assertions-dropped: {PY}:7",
    ),
    "a script's test is the only one": changed(
        JS, CART, "it('adds'", "it.only('adds'", f"tests-skipped: {JS}:2"
    ),
    "a script's test is crossed out": changed(
        JS, CART, "it('adds'", "xit('adds'", f"tests-skipped: {JS}:2"
    ),
    "a script's expectation is of a constant": changed(
        JS,
        CART,
        "expect(count(['tea'])).toBe(1)",
        "count(['tea']); expect(true).toBe(true)",
        f"assertions-dropped: {JS}:6",
    ),
    "a script's failure is caught": changed(
        JS,
        CART,
        "    expect(count(['tea'])).toBe(1);\n",
        "    try {\n      expect(count(['tea'])).toBe(1);\n    } catch (e) {\n    }\n",
        f"assertions-dropped: {JS}:8",
    ),
    "a Go test skips itself": changed(
        GO, STORE, "\tgot, err", '\tt.Skip("flaky")\n\tgot, err', f"tests-skipped: {GO}:4"
    ),
    "a Go test only logs": changed(GO, STORE, "t.Errorf", "t.Logf", f"assertions-dropped: {GO}:9"),
    "a Go assertion goes, its folder stays": changed(
        GO,
        STORE.replace('Open("a")', "os.MkdirTemp(dir, name)"),
        't.Errorf("name is %q", got.Name)',
        "return",
        f"assertions-dropped: {GO}:9",
    ),
    "a Rust test is ignored": changed(
        RUST, PARSER, "#[test]", "#[test]\n#[ignore]", f"tests-skipped: {RUST}:2"
    ),
    "a Rust assertion is of a constant": changed(
        RUST,
        PARSER,
        'assert_eq!(parse("-v").verbose, 1);',
        'parse("-v");\n    assert!(true);',
        f"assertions-dropped: {RUST}:3",
    ),
    "a Java test is disabled": changed(
        JAVA, ORDERS, "@Test", '@Disabled("later")\n    @Test', f"tests-skipped: {JAVA}:2"
    ),
    "a Java assertion is removed": changed(
        JAVA,
        ORDERS,
        "        assertEquals(6, order.total());\n",
        "",
        f"assertions-dropped: {JAVA}:5",
    ),
    "a Java failure is caught": changed(
        JAVA,
        ORDERS,
        "assertEquals(6, order.total());",
        "try { assertEquals(6, order.total()); } catch (Throwable e) { }",
        f"assertions-dropped: {JAVA}:5",
    ),
    "three tests become one of one case": Case(
        {PY: "".join(f"def test_{n}():\n    assert {n} < f()\n" for n in "abc")},
        {PY: '@pytest.mark.parametrize("n", [1])\ndef test_all(n):\n    assert n < f()\n'},
        (f"tests-deleted: {PY}:3",),
    ),
    "assertions go to a helper that has none": Case(
        {PY: "def test_a():\n    assert f(1) == 1\n    assert f(2) == 2\n"},
        {
            PY: "def look(a, b):\n    return a == b\n\n\ndef test_a():\n    look(f(1), 1)\n"
            "    look(f(2), 2)\n"
        },
        (f"assertions-dropped: {PY}:2",),
    ),
    "a Go test recovers from whatever it finds": changed(
        GO,
        STORE,
        "\tgot, err",
        "\tdefer func() { recover() }()\n\tgot, err",
        f"assertions-dropped: {GO}:4",
    ),
    "a Rust assertion's panic is caught": changed(
        RUST,
        PARSER,
        'assert_eq!(parse("-v").verbose, 1);',
        'let _ = panic::catch_unwind(|| {\n        assert_eq!(parse("-v").verbose, 1);\n    });',
        f"assertions-dropped: {RUST}:3",
    ),
}
