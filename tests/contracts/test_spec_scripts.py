"""In a script of several lines a mistake is told at its own line and column."""

import pytest

from activities.adapters.spec_file import parse_spec
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
    "plain": "run: §x {files} y {flies}\n",
    "a variable that brings lines": "run: §|\n      x {files} {vars.a}\n      y {flies}\n",
}


@pytest.mark.parametrize("name", FOLDED)
def test_where_the_text_is_no_copy_of_the_file_it_is_told_where_it_begins(name: str) -> None:
    variable = 'vars: {a: "1\\n2"}\n'
    assert_told(f"{variable}checks:\n  unit:\n    {FOLDED[name]}", "did you mean {files}?")


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
