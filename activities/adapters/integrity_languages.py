"""How tests are written in five languages: what a test, an assertion and a skip look like.

Patterns see code whose comments and strings are blanked, and none of them can backtrack for long.
They are patterns, not a parser: code that does not parse (half migrated, another version of the
language) is counted alike before and after. Each begins with a letter or sign that it must find: a
word boundary in front would make the search forty times as slow.
"""

import re
from dataclasses import dataclass

from activities.adapters.integrity_paths import suffix_of

_LINE, _BLOCK = r"//[^\n]*", r"/\*.*?(?:\*/|\Z)"
_DOUBLE, _SINGLE = (rf"{q}(?:[^{q}\\\n]++|\\.)*+{q}?" for q in ('"', "'"))
_TRIPLE = (
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:""")?',
    r"'''(?:[^'\\]++|\\.|'(?!''))*+(?:''')?",
)
_BACKTICK = r"`[^`]*+`?"
_ARGUMENTS = r"[\w\s,$]*+"
_FUNCTION = (
    rf"(?:async\s*+)?(?:function\b\s*+[\w$]*+\s*+\({_ARGUMENTS}\)"
    rf"|(?:\({_ARGUMENTS}\)|[\w$]++)\s*+=>)"
)
_ANNOTATED = r"(?:\s*+\((?:[^()]|\([^()]*+\)){0,400}+\))?+"


@dataclass(frozen=True)
class Language:
    """What is looked for in the code of one language."""

    unseen: re.Pattern[str]
    """Comments and strings."""
    test: re.Pattern[str]
    """The head of a test; a group `name` where the code itself names it."""
    before: re.Pattern[str]
    """Matches what stands before a head in its line, at most 80 characters, where it is one."""
    empty: re.Pattern[str]
    """Matches behind the head of a test that does nothing."""
    assertion: re.Pattern[str]
    skip: re.Pattern[str]
    caught: re.Pattern[str]
    """What makes nothing of an assertion's failure; a group `before` where it stands before it, one
    `rest` where it does so to all that follows."""


def _language(
    unseen: tuple[str, ...],
    test: str,
    empty: str,
    assertion: str,
    skip: str,
    before: str = "",
    caught: str = "(?!)",
) -> Language:
    return Language(
        unseen=re.compile("|".join(unseen), re.DOTALL),
        test=re.compile(test),
        before=re.compile(before),
        empty=re.compile(empty),
        assertion=re.compile(assertion),
        skip=re.compile(skip),
        caught=re.compile(caught),
    )


PYTHON = _language(
    unseen=(r"#[^\n]*", *_TRIPLE, _DOUBLE, _SINGLE),
    test=r"def[ \t]++(?P<name>test\w*+)[ \t]*+\(",
    before=r"[ \t]*+(?:async[ \t]++)?\Z",
    empty=r"(?:\s|;|\bpass\b|\.\.\.|\breturn\b(?: None\b)?|\bassert True\b)*+",
    assertion=r"assert(?<!\wassert)(?<!def assert)(?:\w++\s*+\(|\b)"
    r"|fail(?<!\wfail)(?<!def fail)(?:Unless\w*+|If\w*+)?\s*+\(|ok_\s*+\(|eq_\s*+\("
    r"|raise(?<!\wraise)(?:s\w*+\s*+\(|\s++(?:AssertionError|self\.failureEx))"
    r"|warns\s*+\(|deprecated_call\s*+\(",
    skip=r"mark\.(?:skip\w*+|xfail)\b|unittest2?\.(?:skip\w*+|expectedFailure)\b"
    r"|@(?:skip\w*+|expectedFailure)\b|pytest\.(?:skip|xfail|importorskip)\s*+\("
    r"|\.skipTest\s*+\(|raise\s++(?:[\w.]*\.)?SkipTest\b|collect_ignore\w*+\s*+[+]?="
    r"|__test__\s*+=\s*+False\b|(?<=\n)del\s++test\w*+|\bif\s++(?:False|0)\s*+:",
    caught=r"except(?<!\wexcept)(?:\s*+\(?[\w.\s,]{0,200}?\b(?:AssertionError|(?:Base)?Exception)\b"
    r"[\w\s,.)]{0,200}?)?\s*+:\s*+(?:pass\b|\.\.\.|continue\b|return\s*+\n)"
    r"|(?P<before>suppress\s*+\([\w.\s,]{0,200}?\b(?:AssertionError|(?:Base)?Exception)\b)",
)
JAVASCRIPT = _language(
    unseen=(_LINE, _BLOCK, _DOUBLE, _SINGLE, r"`(?:[^`\\]++|\\.)*+`?"),
    test=r"(?:it|xit|fit|test|xtest|specify|xspecify)"
    r"(?:\.(?:each|skip|only|todo|fail\w*|fixme|concurrent|sequential|serial|cb|if|runIf|skipIf))*+"
    r"\s*+\(",
    before=r"(?:.*[^\w$.])?(?:(?:t|QUnit|Deno)\.)?\Z",
    empty=rf"\s*+(?:,\s*+{_FUNCTION}\s*+"
    r"\{(?:\s|;|\breturn\b|\b(?:t\.end|done|t\.pass)\(\s*+\))*+\}\s*+)?,?\s*+\)",
    assertion=r"(?:expect|assert)(?:\.\w++)*+\s*+\(|\.should\b|should\.\w"
    r"|t\.(?<![\w$.]t\.)(?!test\b|end\b|plan\b|comment\b|teardown\b|skip\b|pass\b|timeout\w*"
    r"|context\b|log\b|before\w*|after\w*)\w++\s*+\(",
    skip=r"(?:it|test|describe|context|suite|specify)(?:\.\w++)?\.(?:skip|todo|only|fixme)\b"
    r"|x(?<![\w$.]x)(?:it|test|describe|context|specify)\s*+\("
    r"|f(?<![\w$.]f)(?:it|describe)\s*+\("
    r"|t\.(?<![\w$.]t\.)(?:skip|todo)\s*+\(|this\.skip\s*+\(|(?:skip|todo|only)\s*+:\s*+true\b",
    caught=r"catch\s*+(?:\([^()\n]{0,200}\)\s*+)?\{\s*+\}",
)
GO = _language(
    unseen=(_LINE, _BLOCK, _DOUBLE, r"'(?:[^'\\\n]|\\.[^'\n]{0,9})'", _BACKTICK),
    test=r"func\s++(?:\([^)\n]*+\)\s*+)?(?P<name>(?:Test|Benchmark|Fuzz|Example)(?![a-z])\w*+)\s*+\(",
    before=r"\Z",
    empty=r"[^{}\n]*+\{\s*+(?:return\s*+)?\}",
    assertion=r"(?:t|b|f|c)\.(?<![\w.][tbfc]\.)(?:Error|Fatal|Fail|Assert|Check)\w*+\s*+\("
    r"|tb\.(?:Error|Fatal|Fail)\w*+\s*+\(|(?:require|assert|qt|td|check|must)\.[A-Z]\w*+\s*+\("
    r"|(?:s|suite)\.(?:Require|Assert|Equal\w*+|No\w++|Error\w*+|True|False|Nil|Len|Contains|Empty"
    r"|Panics|Fail\w*+)\s*+\(|is\.(?<![\w.]is\.)[A-Z]\w*+\s*+\(|Expect\s*+\(",
    skip=r"\.Skip(?:f|Now)?\s*+\(",
    caught=r"(?P<rest>defer\s++func\s*+\(\s*+\)\s*+\{\s*+(?:_\s*+=\s*+)?recover\s*+\(\s*+\)\s*+;?\s*+\}"
    r"\s*+\(\s*+\))",
)
RUST = _language(
    unseen=(
        _LINE,
        _BLOCK,
        r'r(?P<hashes>#*+)".*?(?:"(?P=hashes)|\Z)',
        r'"(?:[^"\\]++|\\.)*+"?',
        r"'(?:[^'\\\n]|\\.[^'\n]{0,9})'",
    ),
    test=r"#\[\s*+(?:\w++\s*+::\s*+)*+(?:test|rstest|bench|test_case|wasm_bindgen_test)\b[^\]\n]*+\]"
    r"(?:\s*+#\[[^\]]*+\]){0,20}+\s*+(?:pub(?:\([^)]*+\))?\s++)?(?:(?:async|unsafe|const)\s++)*+"
    r"fn\s++(?P<name>\w++)",
    empty=r"[^{}]*+\{\s*+(?:return\s*+;?|todo!\(\s*+\)\s*+;?)?\s*+\}",
    assertion=r"assert\w*+!\s*+[(\[{]|assert_\w++\s*+\(|panic!|unreachable!|should_panic\b"
    r"|\.unwrap_err\s*+\(",
    caught=r"(?P<before>let\s++_\w*+\s*+=\s*+(?:\w++\s*+::\s*+)*+catch_unwind\s*+\()",
    skip=r"#\[\s*+(?:cfg_attr\([^\]]*?,\s*+)?ignore\b|#\[\s*+cfg\(\s*+any\(\s*+\)",
)
JAVA = _language(
    unseen=(_LINE, _BLOCK, _TRIPLE[0], _DOUBLE, _SINGLE),
    test=rf"(?:@(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
    rf"(?!\s*+\.){_ANNOTATED}(?:\s*+@[\w.]++{_ANNOTATED}){{0,20}}+\s*+[\w\s<>\[\],.?]{{0,200}}?"
    r"|void\s++(?=test))\b(?P<name>\w++)\s*+\([^()]*+\)\s*+(?=throws\b|\{)",
    empty=r"[^{}]*+\{\s*+(?:return\s*+;)?\s*+\}",
    assertion=r"assert(?<!\wassert)(?<!void assert)(?:\w*+\s*+\(|\s)|fail(?<!\wfail)\s*+\("
    r"|verify(?<!\wverify)\w*+\s*+\(|expected\s*+=(?!=)|\.(?<!EasyMock\.)expect\s*+\(",
    skip=r"@(?:Disabled|Ignore)\w*+\b|assum(?:e|ing)\w++\s*+\(|enabled\s*+=\s*+false\b",
    caught=r"catch\s*+\([\w.|\s]{0,200}?\b(?:AssertionError|Throwable|Error)\b[\w.|\s]{0,200}\)"
    r"\s*+\{\s*+\}",
)
_SUFFIXES = {
    ".py .pyi": PYTHON,
    ".js .jsx .mjs .cjs .ts .tsx .mts .cts": JAVASCRIPT,
    ".go": GO,
    ".rs": RUST,
    ".java": JAVA,
}
_BY_SUFFIX = {suffix: found for named, found in _SUFFIXES.items() for suffix in named.split()}


def language_of(path: str) -> Language | None:
    """What the tests of a file are written in, if that is known here."""
    return _BY_SUFFIX.get(suffix_of(path))
