"""What real runners wrote becomes stable ids; what cannot be trusted is never green."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.results import ParsedResults, parse
from activities.contracts.check_forms import ResultKind

RECORDED = Path(__file__).parent / "recorded"
PY_ROOT = "/tmp/rec/py"
JS_ROOT = "/tmp/rec/js"
MANY = "tests/test_many.py"


def junit(content: bytes | None, exit: int | None = 1, **more: object) -> ParsedResults:
    arguments = {"ended": "exit", "output": b"", "normalise": PY_ROOT, **more}
    reports = () if content is None else (content,)
    return parse(ResultKind.JUNIT, exit=exit, reports=reports, **arguments)


def tap(text: str | bytes, exit: int | None = 0, **more: object) -> ParsedResults:
    output = text.encode() if isinstance(text, str) else text
    arguments = {"ended": "exit", "normalise": JS_ROOT, **more}
    return parse(ResultKind.TAP, exit=exit, output=output, **arguments)


def case(inner: str = "", attributes: str = 'classname="a.B" name="t"') -> bytes:
    return f"<testsuite><testcase {attributes}>{inner}</testcase></testsuite>".encode()


def test_a_recorded_pytest_run_is_read_as_multisets() -> None:
    found = junit((RECORDED / "pytest-many.xml").read_bytes())
    assert found.parsed
    assert sum(found.passed.values()) == 6
    assert found.failed == {
        "tests.test_many::test_fails": 1,
        "tests.test_many::test_errors": 1,
        "tests.test_many::test_teardown_errors": 1,
        "tests.test_many::test_fails_and_teardown_errors": 2,
        "tests.test_many::test_parametrised[2]": 1,
        "tests.test_many.TestCase::test_method": 1,
        "tests.test_many.TestCase::test_sub": 1,
    }
    assert found.skipped == {
        "tests.test_many::test_skipped": 1,
        "tests.test_many::test_expected_failure": 1,
    }
    message = found.messages["tests.test_many::test_fails"]
    assert message.startswith("AssertionError: one is not two")


def test_memory_addresses_are_taken_out_of_ids() -> None:
    found = junit((RECORDED / "pytest-many.xml").read_bytes())
    assert "tests.test_many::test_address_in_name[<object object at 0x>]" in found.passed


def test_the_checkout_root_is_taken_out_of_ids() -> None:
    found = junit((RECORDED / "pytest-many.xml").read_bytes(), normalise="/src")
    assert "tests.test_many::test_root_in_name[data/a.txt]" in found.passed


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("/src", "unnamed"),
        ("/src/a", "a"),
        ("x[/src/a-/src/b]", "x[a-/src/b]"),
        ("x[/src/a, /src/b]", "x[a, b]"),
        ("/opt/src/a", "/opt/src/a"),
        ("/srcs/a", "/srcs/a"),
        ("in 0xdeadBEEF00 and 0x1", "in 0x and 0x1"),
        ("exit", "test exit"),
        ("plan", "test plan"),
        ("a\n  b", "a b"),
    ],
)
def test_names_become_stable_ids(name: str, stable: str) -> None:
    attribute = name.replace("\n", "&#10;")
    found = junit(case(attributes=f'name="{attribute}"'), exit=0, normalise="/src")
    assert found.passed == {stable: 1}


def test_a_very_long_name_is_bounded_and_stays_unique() -> None:
    one, other = (junit(case(attributes=f'name="{"x" * 5000}{end}"'), exit=0) for end in "ab")
    assert len(next(iter(one.passed))) == 500
    assert one.passed != other.passed


def test_a_collection_error_of_pytest_is_a_failure_with_an_id_and_a_file() -> None:
    content = (RECORDED / "pytest-collection-error.xml").read_bytes()
    found = junit(content, exit=2, known={"tests/test_broken_import.py", "app/a.py"})
    assert found.failed == {"tests.test_broken_import": 1}
    assert found.files == {"tests.test_broken_import": ("tests/test_broken_import.py",)}
    assert "No module named" in found.messages["tests.test_broken_import"]


def test_both_junit_families_of_pytest_give_the_same_ids() -> None:
    old = junit((RECORDED / "pytest-xunit1.xml").read_bytes(), known={MANY})
    new = junit((RECORDED / "pytest-many.xml").read_bytes(), known={MANY})
    assert old.failed == new.failed
    assert old.files == new.files


def test_a_red_exit_without_a_failing_result_is_red() -> None:
    found = junit((RECORDED / "pytest-empty.xml").read_bytes(), exit=5)
    assert found.parsed
    assert found.failed == {"exit": 1}


def test_a_run_that_timed_out_after_green_results_is_red() -> None:
    found = junit(case(), exit=None, ended="timeout")
    assert found.passed == {"a.B::t": 1}
    assert found.failed == {"exit": 1}


def test_a_red_exit_with_failures_adds_no_id() -> None:
    assert junit(case("<failure/>"), exit=1).failed == {"a.B::t": 1}


@pytest.mark.parametrize(
    ("inner", "state"),
    [
        ("", "passed"),
        ("<failure/>", "failed"),
        ("<error/>", "failed"),
        ("<failure/><error/>", "failed"),
        ("<skipped/>", "skipped"),
        ("<skipped/><error/>", "failed"),
        ("<error/><skipped/>", "failed"),
        ("<system-out>failure</system-out>", "passed"),
        ("<flakyFailure/><rerunFailure/>", "passed"),
        ("<properties><failure/></properties>", "passed"),
    ],
)
def test_each_testcase_counts_once(inner: str, state: str) -> None:
    found = junit(case(inner), exit=0)
    counts = {"passed": found.passed, "failed": found.failed, "skipped": found.skipped}
    assert counts.pop(state) == {"a.B::t": 1}
    assert not any(counts.values())


def test_a_suite_that_failed_as_such_is_a_failure() -> None:
    content = b'<testsuite name="hooks"><error message="no database"/></testsuite>'
    assert junit(content).failed == {"suite hooks": 1}


def test_a_test_that_did_not_run_is_skipped() -> None:
    found = junit(case(attributes='name="t" status="notrun"'), exit=0)
    assert found.skipped == {"t": 1}


BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuite><testcase name="&b;"/></testsuite>"""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "wrote no results file"),
        (b"", "wrote no results file"),
        (b"<testsuite><testcase", "not XML"),
        (b"<html/>", "not JUnit"),
        (b"{}", "not XML"),
        (b"<?xml version='1.0' encoding='utf-99'?><testsuite/>", "not XML"),
        (BOMB, "document type"),
        (b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>', "document type"),
        (b"<testsuite>" * 150 + b"</testsuite>" * 150, "nested too deeply"),
        (b"<testsuite>" + b" " * (50 << 20) + b"</testsuite>", "larger than 50 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_results_file_that_cannot_be_trusted_is_unreadable(
    content: bytes | None, why: str
) -> None:
    found = junit(content, exit=0)
    assert not found.parsed
    assert why in found.messages["exit"]
    assert not found.passed


def test_a_huge_failure_text_is_not_kept() -> None:
    found = junit(case(f"<failure>{'long line ' * 300_000}</failure>"))
    assert len(found.messages["a.B::t"]) <= 1000


def test_only_files_of_the_tree_are_named() -> None:
    detail = (
        'File "/src/app/core.py", line 3, in run\n'
        "lib/other.py:12: in call\n"
        "/env/lib/python3.11/site-packages/app/core.py:4: in load\n"
        "at Object.run (file:///src/web/main.js:3:4)\n"
        "not a place: app/unrelated.py\n"
    )
    known = {"app/core.py", "lib/other.py", "web/main.js", "app/unrelated.py", "a/B.py", "a.py"}
    found = junit(case(f"<failure>{detail}</failure>"), normalise="/src", known=known)
    assert found.files == {"a.B::t": ("a/B.py", "app/core.py", "lib/other.py", "web/main.js")}


@pytest.mark.parametrize(
    ("classname", "path"),
    [
        ("tests.test_a", "tests/test_a.py"),
        ("tests.test_a.TestThing.Inner", "tests/test_a.py"),
        ("unit.test_b.TestThing", "services/one/unit/test_b.py"),
        ("com.foo.BarTest$Inner", "src/test/java/com/foo/BarTest.java"),
        ("twice.test_c", None),
        ("a sentence about behaviour", None),
    ],
)
def test_class_names_lead_to_files(classname: str, path: str | None) -> None:
    known = {
        "tests/test_a.py",
        "services/one/unit/test_b.py",
        "src/test/java/com/foo/BarTest.java",
        "x/twice/test_c.py",
        "y/twice/test_c.py",
    }
    content = case("<failure/>", f'classname="{classname}" name="t"')
    assert junit(content, known=known).files == ({f"{classname}::t": (path,)} if path else {})


def test_a_recorded_tape_run_counts_equal_names() -> None:
    found = tap((RECORDED / "tape-things.tap").read_bytes(), exit=1, known={"test/things.js"})
    assert found.passed == {"should be strictly equal": 2, "should be truthy": 1, "inside": 1}
    assert found.failed == {"adds up": 1, "should be deeply equivalent": 1}
    assert found.skipped == {"no network here": 1, "one day": 1}
    assert found.files["adds up"] == ("test/things.js",)
    assert "expected: 3" in found.messages["adds up"]


@pytest.mark.parametrize("name", ["tape-crash.tap", "tape-throws.tap"])
def test_a_recorded_crash_of_tape_is_red_although_every_assertion_passed(name: str) -> None:
    found = tap((RECORDED / name).read_bytes(), exit=7)
    assert found.passed == {"first": 1}
    assert found.failed == {"plan": 1}
    assert "did not finish" in found.messages["plan"]


def test_a_recorded_nested_run_of_node_has_paths_as_ids() -> None:
    content = (RECORDED / "node-nested.tap").read_bytes()
    found = tap(content, exit=1, known={"test/node_nested.js"})
    assert set(found.passed) == {
        "flat",
        "outer > good",
        "outer > deeper",
        "outer > deeper > good",
        "parent",
        "parent > child a",
    }
    assert found.failed == {"outer > bad": 1, "outer": 1}
    assert found.skipped == {"outer > deeper > later": 1, "parent > child b": 1}
    assert found.files["outer > bad"] == ("test/node_nested.js",)


@pytest.mark.parametrize(
    ("text", "passed", "failed", "skipped"),
    [
        ("1..2\nok 1 - a\nok 2 b", {"a": 1, "b": 1}, {}, {}),
        ("ok\nok\nnot ok\n1..3", {"test 1": 1, "test 2": 1}, {"test 3": 1}, {}),
        ("ok 7\n1..1", {"test 7": 1}, {}, {}),
        ("ok 1 - a # skip why\nnot ok 2 - b # SKIPPED\n1..2", {}, {}, {"a": 1, "b": 1}),
        ("not ok 1 - a # TODO later\nok 2 - b # todo\n1..2", {"b": 1}, {}, {"a": 1}),
        ("ok 1 # SKIP\n1..1", {}, {}, {"test 1": 1}),
        ("ok 1 - issue \\#3 and #4\n1..1", {"issue #3 and #4": 1}, {}, {}),
        ("ok 1 - a # time=12.5ms\n1..1", {"a": 1}, {}, {}),
        ("\x1b[32mok 1 - a\x1b[0m\r\n1..1\r\n", {"a": 1}, {}, {}),
        ("okay then\nok-ish\nok 1 - a\n1..1", {"a": 1}, {}, {}),
        ("1..0 # SKIP nothing here", {}, {}, {}),
        ("1..3\nok 1 - a\nok 2 - b", {"a": 1, "b": 1}, {"plan": 1}, {}),
        ("1..1\nok 1 - a\nok 2 - b", {"a": 1, "b": 1}, {"plan": 1}, {}),
        ("1..2\nok 1 - a\nBail out! no database\n", {"a": 1}, {"plan": 1}, {}),
        ("TAP version 13\n", {}, {"plan": 1}, {}),
        ("ok 1 - a\n1..1\nok 1 - a\nok 2 - b\n1..2", {"a": 2, "b": 1}, {}, {}),
        ("1..1\nok 1 - a\n1..1\nok 1 - a", {"a": 2}, {}, {}),
        (
            "TAP version 14\nok 1 - a\nTAP version 14\nok 1 - b\n1..1",
            {"a": 1, "b": 1},
            {"plan": 1},
            {},
        ),
        ("ok 1 - plan\n1..1", {"test plan": 1}, {}, {}),
        ("    ok 1 - in a dump\nok 1 - a\n1..1", {"a": 1}, {}, {}),
        ("# Subtest: s\n    ok 1 - x\n    1..1\nok 1 - s\n1..1", {"s > x": 1, "s": 1}, {}, {}),
        ("    # Subtest: s\n    ok 1 - x\n    1..1\nok 1 - s\n1..1", {"s > x": 1, "s": 1}, {}, {}),
        ("ok 1 - s # time=3ms {\n    ok 1 - x\n    1..1\n}\n1..1", {"s > x": 1, "s": 1}, {}, {}),
        ("not ok 1 - a\n  ---\n  ok 9 - no\n  ...\n1..1", {}, {"a": 1}, {}),
        ("not ok 1 - a\n  ---\n  cut: off\nok 2 - b\n1..2", {"b": 1}, {"a": 1}, {}),
    ],
    ids=str,
)
def test_tap_of_every_age_is_read(
    text: str, passed: dict[str, int], failed: dict[str, int], skipped: dict[str, int]
) -> None:
    found = tap(text, exit=1 if failed else 0)
    assert found.parsed
    assert (found.passed, found.failed, found.skipped) == (passed, failed, skipped)


@pytest.mark.parametrize("text", ["", "Error: cannot find module 'tape'\n", "all fine\n"])
def test_output_without_a_tap_line_is_unreadable(text: str) -> None:
    assert not tap(text).parsed


@pytest.mark.parametrize(
    "line",
    [
        "ok 1 a" + " " * 100_000 + "x # time",
        "ok 1 " + " # " * 100_000,
        "ok 1 a" + " #time" * 100_000,
        "ok " + " " * 100_000 + "x",
        "not ok 1 -" + " -" * 100_000,
        "# Subtest:" + " " * 100_000 + "x",
    ],
    ids=lambda line: line[:12],
)
def test_a_hostile_line_takes_no_longer_than_its_length(line: str) -> None:
    begun = time.thread_time()
    tap(line + "\n1..1")
    assert time.thread_time() - begun < 2


@given(st.text(alphabet="ok nt123.#-{}>\n :TAPversi", max_size=400))
def test_no_output_breaks_the_tap_reader(text: str) -> None:
    tap(text)


@given(st.binary(max_size=300))
def test_no_bytes_break_a_reader(content: bytes) -> None:
    tap(content)
    junit(b"<testsuite>" + content)
    parse(ResultKind.EXIT, exit=1, ended="exit", output=content, known={"a"})


def test_an_exit_code_is_one_result() -> None:
    green = parse(ResultKind.EXIT, exit=0, ended="exit", output=b"")
    assert (green.passed, green.failed) == ({"exit": 1}, {})
    red = parse(
        ResultKind.EXIT,
        exit=2,
        ended="exit",
        output=b"src/a.py:3:1: E999 bad\n./src/b.py:4: x\nsrc/c.py fine\n",
        known={"src/a.py", "src/b.py", "src/c.py"},
    )
    assert (red.passed, red.failed) == ({}, {"exit": 1})
    assert red.files == {"exit": ("src/a.py", "src/b.py")}
    assert red.messages["exit"].startswith("exit 2")


@pytest.mark.parametrize("ended", ["timeout", "output", "memory", "cancelled"])
def test_a_command_that_did_not_end_by_itself_is_red(ended: str) -> None:
    found = parse(ResultKind.EXIT, exit=None, ended=ended, output=b"")
    assert found.failed == {"exit": 1}


def test_a_live_pytest_run_is_read_with_its_failing_files(tmp_path: Path) -> None:
    (tmp_path / "halves.py").write_text("def half(n):\n    raise ValueError(n)\n")
    (tmp_path / "test_live.py").write_text(
        "from halves import half\ndef test_half():\n    assert half(2) == 1\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml"]
    run = subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir=.", "test_live.py"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    found = parse(
        ResultKind.JUNIT,
        exit=run.returncode,
        ended="exit",
        output=run.stdout,
        reports=((tmp_path / "r.xml").read_bytes(),),
        normalise=str(tmp_path),
        known={"halves.py", "test_live.py", "other.py"},
    )
    assert found.failed == {"test_live::test_half": 1}
    assert set(found.files["test_live::test_half"]) == {"test_live.py", "halves.py"}
