"""A value of the wrong kind, a field that is not there, a word that nothing expands: each is told
once, at its place, with what to write instead."""

import pytest

from tests.contracts.specs import assert_told

# § marks where the problem must be reported.
MISTAKES = {
    # what has to be there
    "no version": ("§name: demo\n-version", "write `version: 1`"),
    "no name": ("§version: 1\n-name", "`name` is missing; add it"),
    "no objective": ("§version: 1\n-objective", "say in a sentence"),
    "no sites": ("§version: 1\n-sites", "say which files change"),
    "no checks": ("§version: 1\n-checks", "name at least one command"),
    "empty checks": ("checks: §{}", "name at least one command"),
    "empty ladder": ("ladder: §[]", "is empty; give a value"),
    "empty rung": ("ladder: [§{}]", "exactly one of codemod, command, write, claude"),
    "empty finder": ("sites: {find: §{}}", "exactly one of regex, ast_grep"),
    "nothing included": ("sites: {include: §[]}", "is empty; give a value"),
    "no phases": ("phases: §[]", "is empty; give a value"),
    "phase without a name": ("phases: [§{checks: [unit]}]", "`name` is missing"),
    "check without a command": ("checks: {unit: §{at: landing}}", "`run` is missing"),
    "blank command": ('checks: {unit: {run: §" "}}', "write the command"),
    "blank codemod": ('ladder: [{codemod: §""}]', "write the command"),
    "command of no words": ("checks: {unit: {run: §[]}}", "is empty; give a value"),
    "command of blank lines": ("checks:\n  unit:\n    run: §|\n\n\n", "write the command"),
    "finder's blank command": ('sites: {find: {command: §" "}}', "that prints the sites"),
    "allowed without a reason": (
        "checks: {unit: {run: x, results: tap, allow: [§{id: x}]}}",
        "say in one line why",
    ),
    "blank reason": (
        'sites: {accept: [{path: x, reason: §" "}]}',
        "say in one line why",
    ),
    "accept without a path": ("sites: {accept: [§{reason: r}]}", "`path` is missing"),
    "no rules for targets": ('checks: {unit: {run: "x {targets}", targets: §[]}}', "add a rule"),
    "field without a name": ('checks: {§"": {run: x}}', "give it one"),
    "same as nothing": (
        "checks: {unit: {run: x, results: tap, at: {landing: §{}}}}",
        "name the check",
    ),
    # kinds of values
    "version in quotes": ('version: §"1"', "without quotes"),
    "version that is true": ("version: §true", "must be a whole number"),
    "name that is a number": ("name: §2024", 'quote it: "2024"'),
    "number in quotes": ('limits: {days: §"14"}', "take the quotes away: 14"),
    "true for a number": ("limits: {concurrency: §true}", "write a whole number"),
    "part of a number": ("limits: {attempts: §1.5}", "write a whole number"),
    "truth in quotes": ('ladder: [{codemod: {run: x, empty: §"false"}}]', "quotes away: false"),
    "number for a truth": ("checks: {unit: {run: x, may_shrink: §1}}", "write true or false"),
    "money that is text": ("limits: {usd: §cheap}", "write a number"),
    "no money": ("limits: {usd: §0}", "more than 0"),
    "list for a name": ("checks: {unit: {run: x, expect: §[pass]}}", "must be a single word"),
    "exit code that is no list": ("ladder: [{codemod: {run: x, exit: §3}}]", "a list: [3]"),
    "codemod finder turned off": ("sites: {find: {codemod: §false}}", "write true, or remove it"),
    "list for a map": ("checks: §[a]", "write a map"),
    "map for a list": ("ladder: §{codemod: x}", "write a list"),
    "list for a check's name": ("phases: [{name: a, checks: [§[unit]]}]", "write text"),
    "truth for a word": ("split: {by: §true}", "`true` is not known; known here: directory"),
    "word for a rung": ("ladder: [§codemod]", "write a map"),
    "map for a command": ("checks: {unit: {run: §{a: b}}}", "must be text or a list"),
    "map for a variable": ("vars: {a: §{b: c}}", "must be text or a list"),
    "number for a variable": ("vars: {a: §3.10}", 'quote it: "3.10"'),
    "list for a finder's command": ("sites: {find: {command: §[grep, x]}}", "write text"),
    "look at the base that is no time": (
        "follow: §often",
        "write a number and a unit, such as 15m, or never",
    ),
    "base that is a number": ("base: §3.10", 'quote it: "3.10"'),
    "variable's value that is a number": (
        "checks: {unit: {run: x, env: {A: §3}}}",
        'quote it: "3"',
    ),
    "hexadecimal number": ("limits: {attempts: §0x1f}", "write a whole number"),
    "endless number": ("limits: {usd: §.inf}", "write a number"),
    # names that do not exist
    "unknown finder": ("sites: {find: {§regx: x}}", "did you mean `regex`?"),
    "unknown rung": ("ladder: [{§codmod: x}]", "did you mean `codemod`?"),
    "unknown field of a rung": ("ladder: [{codemod: {run: x, §btch: 3}}]", "mean `batch`?"),
    "misspelt field that is needed": ("split: {by: imports, edges: {§runn: x}}", "mean `run`?"),
    "misspelt same_as": (
        "checks: {unit: {run: x, at: {landing: {§same: x}}}}",
        "did you mean `same_as`?",
    ),
    "unknown field of a phase": ("phases: [{name: a, §laddr: []}]", "did you mean `ladder`?"),
    "unknown field of limits": ("limits: {§memmory: 4GiB}", "did you mean `memory`?"),
    "unknown field of delivery": ("delivery: {§brnch: x}", "did you mean `branch`?"),
    "unknown approval": ("approvals: [§plans]", "did you mean `plan`?"),
    "unknown environment of a codemod": ("ladder: [{codemod: {run: x, in: §tol}}]", "`tool`?"),
    "unknown environment of a command": ("ladder: [{command: {run: x, in: §tol}}]", "`tool`?"),
    "several environments and no in": (
        "environments: {a: {requires: [git]}, b: {}}\nladder: [{claude: {}}]\n"
        "checks: {unit: §{run: x}}",
        "add `in`: a, b",
    ),
    # bounds
    "too many retries": ("checks: {unit: {run: x, retries: §9}}", "at most 5"),
    "too many days": ("limits: {days: §400}", "at most 365"),
    "no turns": ("ladder: [{claude: {turns: §0}}]", "at least 1"),
    "no accepted sites": ("sites: {accept: [{path: x, max: §0, reason: r}]}", "at least 1"),
    "no depth": ("split: {depth: §0}", "at least 1"),
    # placeholders
    "unknown modifier": ('checks: {unit: {run: "x §{files|upper}"}}', "write {files|join:,}"),
    "word that is joined": ('checks: {unit: {run: "x §{task|join:,}"}}', "take the `|join` away"),
    "two lists in a word": ('checks: {unit: {run: "x §{dirs}/{files}"}}', "a word of its own"),
    "two lists in an item": ('checks: {unit: {run: [x, "§{dirs}/{files}"]}}', "a word of its own"),
    "unknown placeholder in an item": ('checks: {unit: {run: [x, "§{flies}"]}}', "mean {files}?"),
    "unknown placeholder in a bare list": ('ladder: [{codemod: [x, "§{flies}"]}]', "mean {files}?"),
    "list in a plain variable": ('checks: {unit: {run: "§F={files} x"}}', "loop over it"),
    "variables around a list": ('checks: {unit: {run: "x §$A{files}$B"}}', "loop over it"),
    "unknown placeholder in whole": (
        'checks: {unit: {run: "x {files}", whole: "§{flies}"}}',
        "unknown placeholder `{flies}`",
    ),
    "list in whole": ('checks: {unit: {run: "x {files}", whole: "§{files}"}}', "write paths"),
    "open quote in whole": ('checks: {unit: {run: "x {files}", whole: §"a \'b"}}', "close the"),
    "whole for a file of files": (
        'checks: {unit: {run: "x {files_file}", whole: §tests}}',
        "use {files} in `run`",
    ),
    "placeholder in a folder": ('checks: {unit: {run: x, dir: "§{dirs}"}}', "write a path"),
    "placeholder in a variable": (
        'checks: {unit: {run: x, env: {A: "§{files}"}}}',
        "put it into `run`",
    ),
    "variable of the spec in a list": ('checks: {unit: {run: "x §{vars.y}"}}', "under `vars`"),
    "secret in a command's variable": (
        'checks: {unit: {run: x, env: {A: §"secret:KEY"}}}',
        "under `secrets` of the environment",
    ),
    "secret in prepare": (
        'environments: {go: {prepare: "login §secret:KEY"}}',
        "has it as $TOKEN",
    ),
    "too long a script": (
        "checks: {unit: {run: §%s}}" % ("\U0001f600" * 25_001),
        "call a program instead",
    ),
    # environments
    "full checkout that nothing prepares": (
        "environments: {go: {§checkout: full}}",
        "add `prepare`, or remove it",
    ),
    "pip package from a URL": (
        'environments: {tool: {python: "3.11", pip: [§"git+https://x/y"]}}',
        "write name==version",
    ),
    "npm option": ("environments: {tool: {npm: [§-g]}}", "name@version"),
    "program that is two words": ('environments: {tool: {requires: [§"a b"]}}', "the name alone"),
    "absolute path": ("environments: {tool: {path: [§/bin]}}", "write `bin`"),
    "name of an environment": ("environments: {§Tool: {requires: [git]}}", "lower-case letters"),
    # words
    "blank pattern": ('sites: {include: [§" "], find: {regex: x}}', r"\# begins with #"),
    "pattern that is a note": ('protect: [§"#x"]', r"\# begins with #"),
    "pattern of every line": ("sites: {find: {regex: §'.*'}}", "leave `find` out"),
    "pattern of every line's end": ("sites: {find: {regex: §'x?$'}}", "leave `find` out"),
    "folder to write": ("ladder: [{write: {§src/: x}}]", "such as app/client.py"),
    "path to write with a dot": ("ladder: [{write: {§./src/a.py: x}}]", "as git does"),
    "branch that is a ref": ("delivery: {branch: §refs/heads/a/b}", "write `a/b`"),
    "base that is a ref": ("base: §refs/heads/main", "write `main`"),
    "base that is a tag": ("base: §refs/tags/v1", "name a branch"),
    "pattern of the root alone": ("sites: {include: [§/], find: {regex: x}}", "write `**`"),
    "pattern with a dot of the root alone": ("protect: [§./]", "write `**`"),
    "together with a dot": (
        'split: {together: [§"./src/{m}.py", "tests/test_{m}.py"]}',
        "write `src/{m}.py`",
    ),
    # the text
    "tag that was a pattern": ("sites: {include: [§!x]}", "a value that starts with !"),
    "two commas": ("protect: [a,§, b]", "take the comma away"),
    "words after a quoted one": ('checks: {unit: {run: "x" §{files}}}', "quote the whole value"),
    "braces after a comma": ("ladder: [{codemod: fix -x, y §{files}}]", "value of `codemod`"),
    "open quote": ('checks: {unit: {run: §"x {files}}}', "close the quote"),
    "folded text on the bar's line": ("objective: |§x\n  y", "after the bar"),
    "merged map": ("§<<: {a: b}", "unknown field `<<`"),
    "name that is a list": ("vars: {§[a]: b}", "must be text"),
}


@pytest.mark.parametrize(("changes", "advice"), MISTAKES.values(), ids=MISTAKES)
def test_a_value_that_cannot_be_meant_is_told_once_with_what_to_write(
    changes: str, advice: str
) -> None:
    assert_told(changes, advice)
