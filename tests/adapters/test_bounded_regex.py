"""An author's pattern finds what `re` finds, and never runs for ever."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.bounded_regex import BoundedRegex, PatternTooSlow, groups, template_problem

SLOW = "^(.*?,){30}x$"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"self\.assert\w+\(", "self.assertEqual(1)"),
        (r"f'{s}'", "f'{s}'"),
        (r"foo{e}", "zoo"),
        (r"{i}{d}", "ab"),
        (r"x{2,3}y{,2}z{1}", "xxxyz"),
        (r"\{e\}", "{e}"),
        (r"[{e}]", "e"),
        (r"\N{LATIN SMALL LETTER E WITH ACUTE}", "é"),
        (r"(?<=a)b(?!c)", "ab"),
        (r"(?P<q>['\"]).*?(?P=q)", "say 'it'"),
        (r"(?i)ABC", "abc"),
    ],
)
def test_what_re_finds_is_found(pattern: str, text: str) -> None:
    mine, theirs = BoundedRegex(pattern).search(text), re.search(pattern, text)
    assert (mine and mine.span()) == (theirs and theirs.span())


@pytest.mark.parametrize("multiline", [False, True])
def test_lines_have_their_own_ends_only_where_that_is_asked_for(multiline: bool) -> None:
    found = BoundedRegex("^b$", multiline=multiline).search("a\nb\nc")
    assert (found is not None) is multiline


@given(st.text(alphabet="ab{}e,1x\\.+?", max_size=8), st.text(alphabet="ab{}e,1x", max_size=12))
def test_whatever_compiles_finds_what_re_finds(pattern: str, text: str) -> None:
    try:
        theirs = re.search(pattern, text)
    except re.error:
        return
    mine = BoundedRegex(pattern).search(text)
    assert (mine and mine.span()) == (theirs and theirs.span())


@pytest.mark.parametrize("pattern", ["(", r"\p{Lu}", r"a**", "(?P<a>x)(?P<a>y)"])
def test_what_python_does_not_compile_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        BoundedRegex(pattern)


def test_a_pattern_that_backtracks_for_ever_is_stopped_and_named() -> None:
    slow = BoundedRegex(SLOW, seconds=0.2)
    with pytest.raises(PatternTooSlow, match=re.escape(SLOW)):
        slow.search("," * 60)
    with pytest.raises(PatternTooSlow):
        slow.lines(["," * 60])
    slow.restart()
    assert slow.search(",,,") is None


@pytest.mark.parametrize(
    ("template", "good"),
    [(r"\1-\g<b>-\\2-\n", True), ("", True), (r"\3", False), (r"\g<c>", False), (r"\q", False)],
)
def test_a_replacement_says_what_the_pattern_can_fill_in(template: str, good: bool) -> None:
    pattern = r"(a)(?P<b>b)"
    assert groups(pattern) == {"0", "1", "2", "b"}
    assert (template_problem(pattern, template) == "") is good
    if good:
        assert BoundedRegex(pattern).replace(template, "ab") == re.sub(pattern, template, "ab")
