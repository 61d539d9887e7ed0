"""Code is found by its syntax, in the language that the file's name tells."""

import pytest

from activities.adapters.syntax_search import LANGUAGES, SyntaxRefused, find_syntax, language_of
from activities.contracts.site_forms import AstGrepRule

CALLS = """\
old(1); old(2)
# old(3)
text = "old(4)"
new(old(
    5,
))
"""


def test_a_line_is_found_once_however_many_matches_begin_there() -> None:
    assert find_syntax("old($A)", "python", CALLS.encode()) == [1, 4]
    assert find_syntax("old(2)", "python", CALLS.encode()) == [1]


def test_a_rule_says_more_than_a_pattern() -> None:
    inside = AstGrepRule.model_validate(
        {"rule": {"pattern": "old($$$)", "inside": {"pattern": "new($$$)", "stopBy": "end"}}}
    )
    assert find_syntax(inside, "python", CALLS.encode()) == [4]
    limited = AstGrepRule.model_validate(
        {"rule": {"pattern": "old($A)"}, "constraints": {"A": {"regex": "^2$"}}}
    )
    assert find_syntax(limited, "python", b"old(1)\nold(2)\n") == [2]
    named = AstGrepRule.model_validate(
        {"rule": {"matches": "call"}, "utils": {"call": {"pattern": "old($A)"}}}
    )
    assert find_syntax(named, "python", CALLS.encode()) == [1, 4]


@pytest.mark.parametrize(
    ("language", "pattern", "content", "lines"),
    [
        ("go", "interface{}", "package a\n\nvar x interface{}\n", [3]),
        ("rust", "$A.unwrap()", "fn f() {\n    g().unwrap();\n}\n", [2]),
        ("typescript", "var $A = $B", "let a = 1\nvar b = 2\n", [2]),
        ("tsx", "<Old $$$/>", "const a = <div><Old x={1}/></div>\n", [1]),
        ("java", "new Integer($A)", "class A { Integer i =\n new Integer(1); }\n", [2]),
        ("python", "old($A)", "é = 'ü'; x = 1\nold(é)\n", [2]),
        ("python", "old($A)", "\ufeffold(1)\r\nx\r\nold(2)\r\n", [1, 3]),
    ],
)
def test_languages_have_their_own_syntax(
    language: str, pattern: str, content: str, lines: list[int]
) -> None:
    assert find_syntax(pattern, language, content.encode()) == lines


@pytest.mark.parametrize("content", [b"old(1)\0", b"\xff\xfe", b"", b"old(" * 5000])
def test_no_content_breaks_the_search(content: bytes) -> None:
    assert set(find_syntax("old($A)", "python", content)) <= {1}


def test_every_known_language_has_a_parser() -> None:
    assert all(find_syntax("$A", language, b"a") for language in LANGUAGES)


def test_a_rule_that_says_nothing_in_a_language_is_refused_in_one_line() -> None:
    rule = AstGrepRule.model_validate({"rule": {"kind": "call_expression"}})
    assert find_syntax(rule, "go", b"package a\nvar x = f()\n") == [2]
    with pytest.raises(SyntaxRefused, match=r"^in python: .*Kind `call_expression` is invalid"):
        find_syntax(rule, "python", b"f()\n")


@pytest.mark.parametrize(
    ("path", "language"),
    [("a/b.py", "python"), ("a/B.JS", "javascript"), ("a.tsx", "tsx"), ("go.mod", None)],
)
def test_the_name_tells_the_language_unless_the_rule_does(path: str, language: str | None) -> None:
    assert language_of(path, "x") == language
    rule = AstGrepRule.model_validate({"rule": {"kind": "x"}, "language": "c"})
    assert language_of(path, rule) == "c"
