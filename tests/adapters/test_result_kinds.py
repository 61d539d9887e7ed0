"""What go, cargo and unittest really print becomes the same ids, whatever version printed it."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.results import ParsedResults, parse
from activities.contracts.check_forms import Normalisation, ResultKind, ResultPatterns

RECORDED = Path(__file__).parent / "recorded"
GO, CARGO, UNITTEST = ResultKind.GO, ResultKind.CARGO, ResultKind.UNITTEST
ROOTS = {GO: "/tmp/rec/go", CARGO: "/tmp/rec/rust", UNITTEST: "/tmp/rec/py"}
MANY = "tests.test_many.TestMany."


def read(kind: ResultKind, name: str, exit: int = 1, **more: object) -> ParsedResults:
    output = (RECORDED / name).read_bytes()
    return parse(kind, exit=exit, ended="exit", output=output, normalise=ROOTS[kind], **more)


def read_text(kind: ResultKind | ResultPatterns, text: str, exit: int = 0, **more: object):
    return parse(kind, exit=exit, ended="exit", output=text.encode(), **more)


def ones(*names: str) -> dict[str, int]:
    return dict(Counter(names))


def test_go_tells_tests_and_the_packages_that_have_none_to_tell() -> None:
    found = read(GO, "go-many.json")
    many = "example.com/many"
    assert found.failed == ones(
        f"{many}/bad::TestFails",
        f"{many}/bad::TestSub",
        f"{many}/bad::TestSub/no",
        f"{many}/panics::TestPanics",
        f"{many}/broken",  # does not build
        f"{many}/vetfail",  # its tests pass, its TestMain does not
    )
    assert found.skipped == ones(f"{many}/good::TestSkipped", f"{many}/none")
    assert found.passed == ones(
        f"{many}/bad::TestPasses",
        f"{many}/bad::TestSub/ok",
        f"{many}/good::Example",
        f"{many}/good::TestNoisy",
        f"{many}/good::TestPlain",
        f"{many}/good::TestTable",
        f"{many}/good::TestTable/0x",
        f"{many}/good::TestTable/a_b",
        f"{many}/good::TestTable/a_b#01",
        f"{many}/good::TestTable/é/x",
        f"{many}/panics::TestBefore",
        f"{many}/vetfail::TestFine",
    )


def test_go_names_files_that_only_the_package_places() -> None:
    known = {"bad/bad_test.go", "broken/broken.go", "panics/panics_test.go", "bad_test.go"}
    found = read(GO, "go-many.json", known=known)
    assert found.files == {
        "example.com/many/bad::TestFails": ("bad/bad_test.go",),
        "example.com/many/bad::TestSub": ("bad/bad_test.go",),
        "example.com/many/bad::TestSub/no": ("bad/bad_test.go",),
        "example.com/many/broken": ("broken/broken.go",),
        "example.com/many/panics::TestPanics": ("panics/panics_test.go",),
    }
    said = found.messages["example.com/many/bad::TestFails"]
    assert said == "example.com/many/bad/bad_test.go:5: one is not two"
    assert not found.messages["example.com/many/bad::TestSub"]


def test_a_go_test_that_ran_twice_counts_twice() -> None:
    found = read(GO, "go-twice.json", exit=0)
    assert found.passed["example.com/many/good::TestTable/a_b"] == 2
    assert found.skipped == {"example.com/many/good::TestSkipped": 2}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_go_run_that_was_cut_off_is_red(share: float) -> None:
    lines = (RECORDED / "go-twice.json").read_text().splitlines(keepends=True)
    cut = "".join(lines[: int(len(lines) * share)])
    found = read_text(GO, cut, exit=0)
    assert "plan" in found.failed


def test_a_go_build_failure_in_plain_text_is_its_package() -> None:
    text = "# m/a [m/a.test]\na/a.go:3:2: undefined: x\nFAIL\tm/a [build failed]\n"
    found = read_text(GO, text, exit=1, known={"a/a.go"})
    assert found.failed == {"m/a": 1}
    assert found.files == {"m/a": ("a/a.go",)}


def test_cargo_tells_the_tests_of_each_binary_apart() -> None:
    found = read(CARGO, "cargo-many.txt", exit=101)
    assert found.failed == ones(
        "many (src/lib.rs)::tests::fails",
        "many (src/lib.rs)::tests::result",
        "many (src/lib.rs)::tests::should_panic_and_does_not",
        "outer (tests/outer.rs)::fails",
        "many (doc)::src/lib.rs - add",
        "plan",  # tests/dies.rs aborted
    )
    assert "dies (tests/dies.rs)" in found.messages["plan"]
    assert found.passed == ones(
        "many (src/lib.rs)::tests::adds",
        "many (src/lib.rs)::tests::shared",
        "many (src/lib.rs)::tests::should_panic",
        "many (src/main.rs)::exits",
        "many (src/main.rs)::shared",
        "other (src/bin/other.rs)::shared",
        "outer (tests/outer.rs)::shared",
        "many (doc)::src/lib.rs - add",
        "many (doc)::src/lib.rs - add - compile",
        "many (doc)::src/lib.rs - add - compile fail",
    )
    assert sum(found.skipped.values()) == 3


def test_cargo_names_where_a_test_panicked() -> None:
    found = read(CARGO, "cargo-many.txt", exit=101, known={"src/lib.rs", "tests/outer.rs"})
    assert found.files["many (src/lib.rs)::tests::fails"] == ("src/lib.rs",)
    assert found.files["outer (tests/outer.rs)::fails"] == ("tests/outer.rs",)
    assert found.messages["many (src/lib.rs)::tests::fails"].startswith(
        "assertion `left == right` failed: wrong"
    )


def test_tests_that_print_into_their_own_line_keep_their_names() -> None:
    quiet, loud = read(CARGO, "cargo-many.txt"), read(CARGO, "cargo-nocapture.txt")
    library = "many (src/lib.rs)::"
    assert loud.failed == {n: c for n, c in quiet.failed.items() if n.startswith(library)}
    assert loud.passed == {n: c for n, c in quiet.passed.items() if n.startswith(library)}


def test_without_names_cargo_is_counted_and_failures_keep_theirs() -> None:
    found = read(CARGO, "cargo-quiet.txt", exit=101)
    assert found.passed == {"unnamed results": 4}
    assert found.failed == ones(
        "tests::fails", "tests::result", "tests::should_panic_and_does_not", "fails"
    )


def test_code_that_does_not_compile_is_unreadable_and_names_its_files() -> None:
    found = read(CARGO, "cargo-broken.txt", exit=101, known={"src/lib.rs", "src/main.rs"})
    assert not found.parsed
    assert found.files == {"exit": ("src/lib.rs",)}


@pytest.mark.parametrize(
    ("line", "id"),
    [
        ("     Running target/debug/deps/clap-0a1b2c3d4e5f6071", "clap::t"),
        ("     Running unittests (target/debug/deps/clap-0a1b2c3d4e5f6071)", "clap::t"),
        (
            "     Running unittests src/lib.rs (target/debug/deps/a_b-0a1b2c3d4e5f6071)",
            "a_b (src/lib.rs)::t",
        ),
        ("     Running `target/release/thing`", "t"),
    ],
)
def test_older_cargos_name_their_binaries_otherwise(line: str, id: str) -> None:
    end = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"
    assert read_text(CARGO, f"{line}\n\nrunning 1 test\ntest t ... ok\n\n{end}\n").passed == {id: 1}


VERSIONS = ["27", "36", "38", "311", "312", "313"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_gives_the_same_ids(version: str) -> None:
    found = read(UNITTEST, f"unittest-{version}.txt")
    subtests = ["tests.test_many.TestSub.test_sub [message] (i=1)"]
    subtests += ["tests.test_many.TestSub.test_sub [message] (i=3)"]
    passed = [f"{MANY}test_documented", f"{MANY}test_noisy", f"{MANY}test_passes"]
    passed += ["tests.test_many.TestTearDown.test_before"]
    has_subtests = version != "27"
    assert found.failed == ones(
        "tests.test_broken",
        "tests.test_many.TestClassFails.setUpClass",
        "tests.test_many.TestTearDown.tearDownClass",
        f"{MANY}test_documented_fails",
        f"{MANY}test_errors",
        f"{MANY}test_fails",
        f"{MANY}test_unexpected_success",
        *(subtests if has_subtests else []),
    )
    assert found.passed == ones(
        *passed, *(["tests.test_many.TestSub.test_sub_ok"] if has_subtests else [])
    )
    # 3.12 does not name the tests of a class that is skipped whole
    whole = "unnamed results" if version == "312" else "tests.test_many.TestSkippedClass.test_one"
    assert found.skipped == ones(
        f"{MANY}test_skipped", f"{MANY}test_noisy_skip", f"{MANY}test_expected_failure", whole
    )


def test_unittest_names_files_by_traceback_and_by_module() -> None:
    known = {"tests/test_many.py", "tests/test_broken.py"}
    found = read(UNITTEST, "unittest-311.txt", known=known)
    assert found.files["tests.test_broken"] == ("tests/test_broken.py",)
    assert found.files[f"{MANY}test_unexpected_success"] == ("tests/test_many.py",)
    assert found.messages[f"{MANY}test_fails"].startswith("AssertionError: 1 != 2 : one is not two")


def test_without_names_unittest_is_counted_and_failures_keep_theirs() -> None:
    found, named = read(UNITTEST, "unittest-dots.txt"), read(UNITTEST, "unittest-311.txt")
    assert found.failed == named.failed
    assert found.passed == {"unnamed results": sum(named.passed.values())}
    assert found.skipped == {"unnamed results": sum(named.skipped.values())}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_unittest_run_without_its_summary_is_red(version: str) -> None:
    whole = (RECORDED / f"unittest-{version}.txt").read_text()
    cut = whole[: whole.index("\nRan ")]
    assert "plan" in read_text(UNITTEST, cut, exit=0).failed
    names_only = whole[: whole.index("=" * 70)]
    assert "plan" in read_text(UNITTEST, names_only, exit=0).failed


def test_a_verdict_that_nobody_saw_is_never_green_where_one_was_skipped() -> None:
    text = "test_a (m.T) ... noise\nand more\n\n" + "-" * 70 + "\nRan 1 test in 0.1s\n\n"
    assert read_text(UNITTEST, text + "OK (skipped=1)\n").skipped == {"m.T.test_a": 1}
    assert read_text(UNITTEST, text + "OK\n").passed == {"m.T.test_a": 1}


@pytest.mark.parametrize("kind", [GO, CARGO, UNITTEST])
@pytest.mark.parametrize("text", ["", "all is well\n", "ok\n\n1..1\nok 1\n", "{}\n[1]\n"])
def test_output_of_another_kind_is_unreadable(kind: ResultKind, text: str) -> None:
    found = read_text(kind, text)
    assert not found.parsed
    assert not found.passed


@pytest.mark.parametrize("kind", [GO, CARGO, UNITTEST])
@given(cut=st.integers(0, 20_000), junk=st.binary(max_size=40))
def test_no_output_breaks_a_reader(kind: ResultKind, cut: int, junk: bytes) -> None:
    names = {GO: "go-many.json", CARGO: "cargo-many.txt", UNITTEST: "unittest-311.txt"}
    content = (RECORDED / names[kind]).read_bytes()
    broken = content[:cut] + junk + content[cut:]
    parse(kind, exit=0, ended="exit", output=broken)


MOCHA = """
  ✓ adds numbers (3ms)
  ✓ adds numbers (4ms)
  1) subtracts numbers
  - divides by zero
"""
MOCHA_PATTERNS = {
    "pass": r"^\s+✓ (?P<id>.*)",
    "fail": r"^\s+\d+\) (?P<id>.*)",
    "skip": r"^\s+- (?P<id>.*)",
}


def patterns(**given: str) -> ResultPatterns:
    return ResultPatterns.model_validate(given)


def test_patterns_read_results_and_ids_are_normalised() -> None:
    times = Normalisation.model_validate({"replace": r" \(\d+ms\)$", "with": ""})
    found = read_text(patterns(**MOCHA_PATTERNS), MOCHA, exit=1, ids=[times])
    assert found.passed == {"adds numbers": 2}
    assert found.failed == {"subtracts numbers": 1}
    assert found.skipped == {"divides by zero": 1}


def test_normalisations_follow_the_built_in_ones_in_their_order() -> None:
    rules = [
        Normalisation.model_validate({"replace": r"at (0x)", "with": r"<\1>"}),
        Normalisation.model_validate({"replace": r"<(?P<a>.*?)>", "with": r"[\g<a>]"}),
    ]
    text = "ok test at 0xdeadbeef in /src/a.py"
    found = read_text(patterns(**{"pass": "^ok (?P<id>.*)"}), text, ids=rules)
    assert found.passed == {"test [0x] in a.py": 1}


def test_a_count_stands_for_what_has_no_name() -> None:
    counted = patterns(count=r"^Ran (?P<n>[\d,]+) checks", fail=r"^BAD (?P<id>\w+)")
    found = read_text(counted, "BAD a\nBAD b\nRan 1,005 checks\nRan 2 checks\n", exit=1)
    assert found.failed == {"a": 1, "b": 1}
    assert found.passed == {"unnamed results": 1005}


@pytest.mark.parametrize(
    ("given", "text", "parsed"),
    [
        ({"pass": "^ok (?P<id>.*)"}, "nothing\n", False),
        ({"pass": "^ok (?P<id>.*)", "count": r"^Ran (?P<n>\d+)"}, "ok a\n", False),
        ({"count": r"^Ran (?P<n>.+)"}, "Ran some\n", False),
        ({"count": r"^Ran (?P<n>\d+)"}, "Ran 0\n", True),
        ({"fail": r"^BAD (?P<id>.*)"}, "nothing\n", True),
    ],
)
def test_no_result_where_one_was_promised_is_unreadable(
    given: dict[str, str], text: str, parsed: bool
) -> None:
    assert read_text(patterns(**given), text).parsed is parsed


@pytest.mark.parametrize("place", ["pattern", "normalisation"])
def test_a_pattern_that_backtracks_for_ever_makes_the_run_unreadable(place: str) -> None:
    slow = "^(.*?,){30}x$"
    normal = Normalisation.model_validate({"replace": slow, "with": ""})
    given = {
        "pattern": (patterns(**{"pass": f"(?P<id>{slow})"}), []),
        "normalisation": (patterns(**{"pass": "(?P<id>.*)"}), [normal]),
    }
    kind, ids = given[place]
    found = read_text(kind, "," * 60, ids=ids, patience=0.2)
    assert not found.parsed
    assert "takes too long" in found.messages["exit"]


def test_files_that_were_promised_are_not_replaced_by_output() -> None:
    text = "1..1\nok 1 a\n"
    assert read_text(ResultKind.TAP, text).parsed
    assert not read_text(ResultKind.TAP, text, promised=True).parsed
    lost = read_text(ResultKind.TAP, text, reports=(text.encode(),), lost="cut short")
    assert lost.messages == {"exit": "cut short"}


def test_several_reports_are_one_multiset() -> None:
    reports = (b"1..1\nok 1 a\n", b"1..2\nok 1 a\nnot ok 2 b\n")
    found = read_text(ResultKind.TAP, "", exit=1, reports=reports)
    assert (found.passed, found.failed) == ({"a": 2}, {"b": 1})
