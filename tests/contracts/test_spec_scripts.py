"""A mistake inside a value is told at its own line and column, wherever the file tells them."""

import pytest

from activities.adapters.spec_file import parse_spec
from activities.adapters.yaml_columns import column_in
from tests.contracts.specs import assert_told, errors_of, spec

# § marks where the problem must be reported.
MISTAKES = {
    "unknown placeholder": (
        "checks:\n  unit:\n    run: |\n      set -x\n      pytest §{flies} {files}",
        "did you mean {files}?",
    ),
    "the second time counts for nothing": (
        "checks:\n  unit:\n    run: |\n      a §{flies}\n      b {flies} {files}",
        "did you mean {files}?",
    ),
    "in quotes": (
        'checks:\n  unit:\n    run: |-\n\n      # it\'s {files}\n        x "§{files}"\n',
        "take the quotes away",
    ),
    "in a here-document": (
        "checks:\n  unit:\n    run: |\n      cat > x <<E\n      §{files}\n      E\n",
        "take the quotes away",
    ),
    "two lists in a word": (
        "checks:\n  unit:\n    run: |\n        true\n        x §{dirs}/{files}\n",
        "a word of its own",
    ),
    "no list": (
        "checks:\n  unit:\n    run: |\n      x {files}\n      y §{task|join:,}\n",
        "take the `|join` away",
    ),
    "a list for a variable": (
        "checks:\n  unit:\n    run: |\n      §F={files}\n      x\n",
        "loop over it",
    ),
    "targets in a codemod": (
        "ladder:\n  - codemod: |\n      cd src\n      fix §{targets} {files}",
        "use {files} or {dirs}",
    ),
    "prompt in a codemod": (
        "ladder:\n  - codemod:\n      run: |\n        fix {files}\n        say §{prompt}",
        "use {task}",
    ),
    "indented by number": (
        "checks:\n  unit:\n    run: |2\n        true\n          x §{flies} {files}\n",
        "did you mean {files}?",
    ),
    "with a note and an empty line": (
        "checks:\n  unit:\n    run: |  # note\n\n      true\n\n      x §{flies} {files}\n",
        "did you mean {files}?",
    ),
    "unknown variable": (
        "vars: {a: x}\nchecks:\n  unit:\n    run: |\n      {vars.a} {files}\n      y §{vars.b}\n",
        "there are a",
    ),
    "beside a variable": (
        "vars: {a: x}\nchecks:\n  unit:\n    run: |\n      {vars.a} {files}\n      y §{flies}\n",
        "did you mean {files}?",
    ),
    "on the line of a variable: where it begins": (
        "vars: {a: x}\nchecks:\n  unit:\n    run: |\n      x {files}\n        §{vars.a} {flies}\n",
        "did you mean {files}?",
    ),
    "a finder's command": (
        "sites:\n  include: [/x]\n  find:\n    command: |\n      grep x \\\n        §{files}\n",
        "search the whole tree",
    ),
    "a prepare script": (
        "environments:\n  tool:\n    prepare: |\n      make\n      make §{files}\n",
        "it runs for every task alike",
    ),
    "a secret in a prepare script": (
        "environments:\n  tool:\n    prepare: |\n      make\n      curl §secret:TOKEN\n",
        "name it under `secrets`",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_script_is_told_at_its_line_and_column(name: str) -> None:
    assert_told(*MISTAKES[name])


FOLDED = {
    "folded": "run: §>\n      x {files}\n      y {flies}\n",
    "in quotes over two lines": 'run: §"x {files}\n      y {flies}"\n',
    "a variable that brings lines": "run: §|\n      x {files} {vars.a}\n      y {flies}\n",
}


@pytest.mark.parametrize("name", FOLDED)
def test_where_the_text_is_no_copy_of_the_file_it_is_told_where_it_begins(name: str) -> None:
    variable = 'vars: {a: "1\\n2"}\n'
    assert_told(f"{variable}checks:\n  unit:\n    {FOLDED[name]}", "did you mean {files}?")


RUN = "checks:\n  unit:\n    run: "
VARIABLES = 'vars: {a: "long words", b: [x]}\n'
INLINE = {
    "plain": "x {files} y §{flies}",
    "in single quotes": "'x {files} y §{flies}'",
    "after a quote in single quotes": "'x ''1'' {files} y §{flies}'",
    "in double quotes": '"x {files} y §{flies}"',
    "after escapes": r'"\tx \x41 \u00e9 \U0001F600 \"1\" {files} y §{flies}"',
    "after other letters": "'é😀 {files} y §{flies}'",
    "in a word of a list": "[x, '{files}', \"a\\tb §{flies}\"]",
    "before a variable": "'x §{flies} {files} {vars.a}'",
    "after a variable: where the value begins": "§'x {files} {vars.a} {flies}'",
    "with a note behind it": "'x {files} §{flies}'  # {flies}",
}


@pytest.mark.parametrize("name", INLINE)
def test_a_mistake_in_a_value_of_one_line_is_told_at_its_column(name: str) -> None:
    assert_told(f"{VARIABLES}{RUN}{INLINE[name]}\n", "did you mean {files}?")


PATTERNS = {
    "bracket": "'a(b)§(c'",
    "after a quote": "'it''s §(c'",
    "after an escape": r'"\\(\t §(c"',
}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_a_pattern_fails_at_is_told_at_its_column(name: str) -> None:
    assert_told(f"sites: {{include: [/x], find: {{regex: {PATTERNS[name]}}}}}", "Python's syntax")


def test_a_value_whose_letters_are_not_told_apart_has_its_beginning() -> None:
    assert column_in("'x y'", "x  y", 2) == 0
    assert column_in(r'"\ud83d\ude00 x"', "😀 x", 2) == 0
    assert [column_in("'a''b'", "a'b", n) for n in range(4)] == [1, 2, 4, 5]


def test_every_mistake_of_a_script_has_a_place_of_its_own() -> None:
    script = (
        "checks:\n  unit:\n    run: |\n      x {flies} {files}\n      y {dris}\n      z '{dirs}'\n"
    )
    problems = errors_of(spec(script)).problems
    first = problems[0].line
    assert [(p.line - first, p.column) for p in problems] == [(0, 9), (1, 9), (2, 10)]


def test_lines_may_end_as_on_windows() -> None:
    text = spec("checks:\n  unit:\n    run: |\n      true\n      x {flies} {files}\n")
    (unix,) = errors_of(text).problems
    (windows,) = errors_of(text.replace("\n", "\r\n")).problems
    assert (windows.line, windows.column) == (unix.line, unix.column)


def test_a_folded_script_is_read_as_yaml_says() -> None:
    text = spec("checks:\n  unit:\n    run: >-\n      x {files}\n      -q\n\n      y {files}\n")
    assert parse_spec(text, "spec.yaml").checks["unit"].run == "x {files} -q\ny {files}"
