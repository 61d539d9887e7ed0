"""What migrations of other languages do to code, as small excerpts: each of these has to land."""

from tests.adapters.repositories import Executable
from tests.cheats.cases import Case, changed, moved, rewritten

CALC = """
    import org.junit.Ignore;
    import org.junit.Test;

    import static org.junit.Assert.assertEquals;

    public class CalcTest {
        @Test
        public void adds() {
            assertEquals(3, Calc.add(1, 2));
        }

        @Test(expected = ArithmeticException.class)
        public void divides() {
            Calc.divide(1, 0);
        }

        @Ignore("slow")
        @Test
        public void powers() {
            assertEquals(8, Calc.power(2, 3));
        }
    }
    """

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"

HONEST: dict[str, Case] = {
    "a pointer to another file": Case(
        {"art/map.bin": POINTER.format("a" * 64, 81)}, {"art/map.bin": POINTER.format("b" * 64, 90)}
    ),
    "a program moves and is edited, and another file of its folder goes": Case(
        {
            "scripts/go.sh": Executable("#!/bin/sh\nset -e\nold call\nexit 0\n"),
            "scripts/notes.txt": "one\ntwo\n",
        },
        {
            "scripts/go.sh": None,
            "scripts/notes.txt": None,
            "tools/go.sh": Executable("#!/bin/sh\nset -e\nnew call\nexit 0\n"),
            "tools/list.txt": "other\nwords\n",
        },
    ),
    "a line of a file with both line ends": Case(
        {"src/mixed.c": "1;\r\n2;\r\n3;\n4;\r\n"}, {"src/mixed.c": "1;\r\n2;\r\n3;\nfour;\r\n"}
    ),
    "var becomes let and const": rewritten(
        "test/GetIntrinsic.js",
        """
        var test = require('tape');

        test('throws', function (t) {
          var got = GetIntrinsic('%Array%');
          t.equal(got, Array);
          t['throws'](function () { GetIntrinsic('not'); }, SyntaxError);
          t.end();
        });
        """,
        """
        const test = require('tape');

        test('throws', t => {
          const got = GetIntrinsic('%Array%');
          t.equal(got, Array);
          t['throws'](() => { GetIntrinsic('not'); }, SyntaxError);
          t.end();
        });
        """,
    ),
    "chai becomes jest": rewritten(
        "web/menu.test.js",
        "it('is open', function (done) {\n  load(function (menu) {\n"
        "    menu.open.should.equal(true);\n    expect(menu.items).to.have.length(2);\n"
        "    done();\n  });\n});\n",
        "it('is open', async () => {\n  const menu = await load();\n"
        "  expect(menu.open).toBe(true);\n  expect(menu.items).toHaveLength(2);\n});\n",
    ),
    "enzyme becomes the testing library": rewritten(
        "web/button.test.tsx",
        "it('clicks', () => {\n  const w = shallow(<Button />);\n"
        "  w.find('button').simulate('click');\n  expect(w.text()).toBe('clicked');\n});\n",
        "it('clicks', async () => {\n  render(<Button />);\n"
        "  await userEvent.click(screen.getByRole('button'));\n"
        "  expect(screen.getByText('clicked')).toBeVisible();\n});\n",
    ),
    "a script's tests become one of several cases": rewritten(
        "web/words.test.js",
        "test('one', () => {\n  expect(words('a')).toBe(1);\n});\n"
        "test('two', () => {\n  expect(words('a b')).toBe(2);\n});\n"
        "test('none', () => {\n  expect(words('')).toBe(0);\n});\n",
        "test.each([\n  ['a', 1],\n  ['a b', 2],\n  ['', 0],\n])('%s', (text, expected) => {\n"
        "  expect(words(text)).toBe(expected);\n});\n",
    ),
    "scripts become typed with their tests": Case(
        {"web/cost.test.js": "it('costs', () => {\n  expect(cost(1)).toBe(2);\n});\n"},
        {
            "web/cost.test.js": None,
            "web/cost.test.ts": "it('costs', (): void => {\n  expect(cost(1)).toBe(2);\n});\n",
        },
    ),
    "a snapshot more": Case(
        {"web/list.test.js": "it('lists', () => {\n  expect(list()).toBe(1);\n});\n"},
        {
            "web/list.test.js": "it('lists', () => {\n  expect(list()).toBe(1);\n"
            "  expect(list()).toMatchSnapshot();\n});\n",
            "web/__snapshots__/list.test.js.snap": "exports[`lists 1`] = `1`;\n",
        },
    ),
    "ioutil becomes os and io": rewritten(
        "loader/loader_test.go",
        """
        package loader

        func TestLoad(t *testing.T) {
        \tbs, err := ioutil.ReadFile("testdata/a.json")
        \tif err != nil {
        \t\tt.Fatal(err)
        \t}
        \tif len(bs) == 0 {
        \t\tt.Errorf("empty")
        \t}
        }
        """,
        """
        package loader

        func TestLoad(t *testing.T) {
        \tbs, err := os.ReadFile("testdata/a.json")
        \tif err != nil {
        \t\tt.Fatal(err)
        \t}
        \tif len(bs) == 0 {
        \t\tt.Errorf("empty")
        \t}
        }
        """,
    ),
    "a folder that the test itself removed is the runner's": rewritten(
        "loader/dir_test.go",
        """
        package loader

        func TestDir(t *testing.T) {
        \tdir, err := ioutil.TempDir("", "opa")
        \tif err != nil {
        \t\tt.Fatal(err)
        \t}
        \tdefer os.RemoveAll(dir)
        \tif got := Load(dir); got != nil {
        \t\tt.Errorf("got %v", got)
        \t}
        }
        """,
        """
        package loader

        func TestDir(t *testing.T) {
        \tdir := t.TempDir()
        \tif got := Load(dir); got != nil {
        \t\tt.Errorf("got %v", got)
        \t}
        }
        """,
    ),
    "Go tests become rows of a table": rewritten(
        "ast/rows_test.go",
        'package ast\n\nfunc TestOne(t *testing.T) {\n\tif words("a") != 1 {\n'
        '\t\tt.Error("a")\n\t}\n}\n\n'
        'func TestTwo(t *testing.T) {\n\tif words("a b") != 2 {\n\t\tt.Error("b")\n\t}\n}\n',
        "package ast\n\nfunc TestWords(t *testing.T) {\n\trows := []struct {\n\t\ttext string\n"
        '\t\tn    int\n\t}{\n\t\t{"a", 1},\n\t\t{"a b", 2},\n\t}\n\tfor _, r := range rows {\n'
        "\t\tif words(r.text) != r.n {\n\t\t\tt.Error(r.text)\n\t\t}\n\t}\n}\n",
    ),
    "a folder that may be there already is a new one": rewritten(
        "fish/fish_test.go",
        "package fish\n\nfunc TestFile(t *testing.T) {\n\tf, err := os.Create(name)\n"
        "\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n\tdefer f.Close()\n}\n",
        "package fish\n\nfunc TestFile(t *testing.T) {\n\tf, err := os.CreateTemp(dir, name)\n"
        "\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n\tdefer f.Close()\n}\n",
    ),
    "interface{} becomes any": changed(
        "ast/term_test.go",
        'package ast\n\nfunc TestTerm(t *testing.T) {\n\tvar v interface{} = "a"\n'
        '\tif v != "a" {\n\t\tt.Fatalf("got %v", v)\n\t}\n}\n',
        "interface{}",
        "any",
    ),
    "an old build line beside the new one": changed(
        "store/unix_test.go",
        "//go:build linux\n// +build linux\n\npackage store\n",
        "// +build linux\n",
        "",
    ),
    "hand-written checks become a library's": rewritten(
        "store/get_test.go",
        "package store\n\nfunc TestGet(t *testing.T) {\n\tif got := Get(); got != 1 {\n"
        '\t\tt.Fatalf("got %d", got)\n\t}\n}\n',
        "package store\n\nfunc TestGet(t *testing.T) {\n\trequire.Equal(t, 1, Get())\n}\n",
    ),
    "an edition's paths and patterns": rewritten(
        "src/args.rs",
        """
        #[macro_use]
        extern crate bitflags;
        #[allow(bare_trait_objects)]
        fn show(e: &Error) -> Result<(), Box<Error>> { try!(go()); Ok(()) }

        #[cfg(test)]
        mod test {
            use super::show;
            #[test]
            fn shows() {
                assert!(show(&err()).is_ok());
            }
        }
        """,
        """
        use bitflags::bitflags;
        fn show(e: &dyn Error) -> Result<(), Box<dyn Error>> { go()?; Ok(()) }

        #[cfg(test)]
        mod test {
            use crate::args::show;
            #[test]
            fn shows() {
                assert!(show(&err()).is_ok());
            }
        }
        """,
    ),
    "Rust tests become one of several cases": rewritten(
        "tests/words.rs",
        '#[test]\nfn one() {\n    assert_eq!(words("a"), 1);\n}\n\n'
        '#[test]\nfn two() {\n    assert_eq!(words("a b"), 2);\n}\n',
        '#[rstest]\n#[case("a", 1)]\n#[case("a b", 2)]\n'
        "fn counts(#[case] text: &str, #[case] n: usize) {\n    assert_eq!(words(text), n);\n}\n",
    ),
    "JUnit 4 becomes 5": rewritten(
        "src/test/java/calc/CalcTest.java",
        CALC,
        """
        import org.junit.jupiter.api.Disabled;
        import org.junit.jupiter.api.Test;

        import static org.junit.jupiter.api.Assertions.assertEquals;
        import static org.junit.jupiter.api.Assertions.assertThrows;

        class CalcTest {
            @Test
            void adds() {
                assertEquals(3, Calc.add(1, 2));
            }

            @Test
            void divides() {
                assertThrows(ArithmeticException.class, () -> Calc.divide(1, 0));
            }

            @Disabled("slow")
            @Test
            void powers() {
                assertEquals(8, Calc.power(2, 3));
            }
        }
        """,
    ),
    "JUnit's rule of exceptions becomes assertThrows": rewritten(
        "src/test/java/calc/RuleTest.java",
        "class RuleTest {\n"
        "    @Rule public ExpectedException thrown = ExpectedException.none();\n\n"
        "    @Test\n    public void fails() {\n        thrown.expect(IOException.class);\n"
        '        thrown.expectMessage("no");\n        open();\n    }\n}\n',
        "class RuleTest {\n    @Test\n    void fails() {\n"
        "        var e = assertThrows(IOException.class, () -> open());\n"
        '        assertEquals("no", e.getMessage());\n    }\n}\n',
    ),
    "Java tests become one of several cases": rewritten(
        "src/test/java/calc/EvenTest.java",
        "class EvenTest {\n    @Test\n    void two() {\n        assertTrue(even(2));\n    }\n\n"
        "    @Test\n    void four() {\n        assertTrue(even(4));\n    }\n}\n",
        "class EvenTest {\n    @ParameterizedTest\n    @ValueSource(ints = {2, 4})\n"
        "    void isEven(int n) {\n        assertTrue(even(n));\n    }\n}\n",
    ),
    "Java tests go to another package": moved(
        "src/test/java/calc/OldTest.java", "src/test/java/org/calc/OldTest.java", CALC
    ),
    "a function's head becomes ANSI C": rewritten(
        "adler32.c",
        "uLong ZEXPORT adler32(adler, buf, len)\n    uLong adler;\n    const Bytef *buf;\n"
        "    uInt len;\n{\n",
        "uLong ZEXPORT adler32(uLong adler, const Bytef *buf, uInt len) {\n",
    ),
    "a C test's head becomes ANSI C": rewritten(
        "test/example.c",
        "void test_compress(compr, len)\n    Byte *compr;\n    uLong len;\n{\n"
        '    CHECK_ERR(err, "compress");\n}\n',
        'void test_compress(Byte *compr, uLong len) {\n    CHECK_ERR(err, "compress");\n}\n',
    ),
}
