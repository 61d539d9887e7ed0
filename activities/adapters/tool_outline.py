"""A source file's classes and functions with their lines, by the tree that a parser makes of it."""

from typing import Any, cast

from ast_grep_py import SgNode, SgRoot

from activities.adapters.syntax_search import MAX_PARSED, language_of
from activities.adapters.tool_text import Refused, shortened

SHOWN = 600
_C = "function_definition struct_specifier union_specifier enum_specifier type_definition"
_SCRIPT = "class_declaration function_declaration generator_function_declaration method_definition"
_TYPED = (
    f"{_SCRIPT} abstract_class_declaration interface_declaration type_alias_declaration "
    "enum_declaration internal_module"
)
_KINDS = {
    "c": _C,
    "cpp": f"{_C} class_specifier namespace_definition",
    "csharp": "namespace_declaration class_declaration interface_declaration struct_declaration "
    "enum_declaration record_declaration method_declaration constructor_declaration",
    "go": "function_declaration method_declaration type_spec",
    "java": "class_declaration interface_declaration enum_declaration record_declaration "
    "annotation_type_declaration method_declaration constructor_declaration",
    "javascript": _SCRIPT,
    "kotlin": "class_declaration object_declaration function_declaration",
    "php": "namespace_definition class_declaration interface_declaration trait_declaration "
    "function_definition method_declaration",
    "python": "class_definition function_definition",
    "ruby": "module class method singleton_method",
    "rust": "function_item function_signature_item struct_item enum_item union_item trait_item "
    "impl_item mod_item macro_definition type_item",
    "tsx": _TYPED,
    "typescript": _TYPED,
}
"""Language → the kinds of syntax that an outline shows."""


def outline_of(path: str, content: bytes) -> str:
    """One line for each definition: its lines, and how it begins. Raises Refused."""
    language = language_of(path, "")
    if language not in _KINDS:
        raise Refused(f"outlines are made of {', '.join(_KINDS)}; use `read` for {path}")
    if len(content) > MAX_PARSED:
        raise Refused(f"{path} is too large to parse: use `search` or `read` in ranges")
    text = content.decode("utf-8", "replace")
    root = SgRoot(text, language).root()
    kinds = [{"kind": kind} for kind in _KINDS[language].split()]
    wanted = cast("Any", {"rule": {"any": kinds}})
    found = [node for node in root.find_all(wanted) if _defines(node)]
    lines = text.split("\n")
    shown: list[str] = []
    around: list[int] = []
    """Last lines of the definitions that hold this one."""
    for first, last in sorted({_span(node) for node in found}, key=lambda s: (s[0], -s[1])):
        while around and around[-1] < last:
            around.pop()
        begins = shortened(lines[first].strip(), 150)
        shown.append(f"{first + 1:>6}-{last + 1:<6} {'  ' * len(around)}{begins}")
        around.append(last)
    if len(shown) > SHOWN:
        shown[SHOWN:] = [f"[cut: {len(shown) - SHOWN} more definitions; use `search`]"]
    return "\n".join(shown) or f"{path} defines nothing that an outline shows: use `read`"


def _defines(node: SgNode) -> bool:
    """In C a type's name alone, such as `struct x *p`, is of the same kind as its definition."""
    return not node.kind().endswith("_specifier") or node.field("body") is not None


def _span(node: SgNode) -> tuple[int, int]:
    found = node.range()
    return found.start.line, found.end.line
