"""Finds code by its syntax: what matches is a piece of the tree that a parser made of the file.

A site is the line where a match begins, once, however many matches begin there. The language is
told by the file's name, or by the rule; a file of no known language holds no site.
"""

from pathlib import PurePosixPath
from typing import Any, cast

from ast_grep_py import SgNode, SgRoot

from activities.contracts.site_forms import AstGrepRule

BINARY_SAMPLE = 8_000
MAX_PARSED = 5 << 20
"""Bytes: parsing takes a hundred times as much memory."""
_BY_SUFFIX = {
    "bash": ".bash .sh .bats",
    "c": ".c .h",
    "cpp": ".cc .cpp .cxx .c++ .hpp .hh .hxx .cu .ino",
    "csharp": ".cs",
    "css": ".css .scss",
    "elixir": ".ex .exs",
    "go": ".go",
    "haskell": ".hs",
    "html": ".html .htm .xhtml",
    "java": ".java",
    "javascript": ".js .cjs .mjs .jsx",
    "json": ".json",
    "kotlin": ".kt .ktm .kts",
    "lua": ".lua",
    "php": ".php",
    "python": ".py .py3 .pyi .bzl",
    "ruby": ".rb .rbw .gemspec",
    "rust": ".rs",
    "scala": ".scala .sc .sbt",
    "solidity": ".sol",
    "swift": ".swift",
    "tsx": ".tsx",
    "typescript": ".ts .cts .mts",
    "yaml": ".yaml .yml",
}
LANGUAGES = tuple(_BY_SUFFIX)
_LANGUAGE = {suffix: name for name, all_of in _BY_SUFFIX.items() for suffix in all_of.split()}


class SyntaxRefused(Exception):
    """The pattern or rule cannot be matched in a language; the text says why."""


def language_of(path: str, rule: str | AstGrepRule) -> str | None:
    """What a file is written in; None when nobody can tell."""
    if isinstance(rule, AstGrepRule) and rule.language:
        return rule.language
    return _LANGUAGE.get(PurePosixPath(path).suffix.lower())


def find_syntax(rule: str | AstGrepRule, language: str, content: bytes) -> list[int]:
    """The 1-based numbers of the lines where a match begins; none in a binary or huge file.

    Raises SyntaxRefused when the rule says nothing in this language.
    """
    if b"\0" in content[:BINARY_SAMPLE] or len(content) > MAX_PARSED:
        return []
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    root = SgRoot(text, language).root()
    try:
        matches = _matches(root, rule)
    except Exception as error:
        raise SyntaxRefused(f"in {language}: {_first_lines(error)}") from error
    return sorted({match.range().start.line + 1 for match in matches})


def rule_problem(rule: AstGrepRule) -> str:
    """What is wrong with a rule in any language (in its own, where it has one); empty if nothing.

    Names of syntax differ from language to language: only a rule that names its language is judged
    by them.
    """
    try:
        _matches(SgRoot("", rule.language or "python").root(), rule)
    except RuntimeError as error:
        return _first_lines(error) if rule.language else ""
    except Exception as error:
        return _first_lines(error)
    return ""


def _matches(root: SgNode, rule: str | AstGrepRule) -> list[SgNode]:
    if isinstance(rule, str):
        return root.find_all(pattern=rule)
    config = {"rule": rule.rule}
    config |= {"constraints": rule.constraints} if rule.constraints else {}
    config |= {"utils": rule.utils} if rule.utils else {}
    return root.find_all(cast("Any", config))


def _first_lines(error: Exception) -> str:
    """The error's causes on one line, without its backtrace."""
    said = str(error).partition("Stack backtrace:")[0]
    lines = (line.strip() for line in said.split("\n"))
    return " ".join(line for line in lines if line and line != "Caused by:")[:400]
