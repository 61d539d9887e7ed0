"""What to do about YAML that does not parse: the parser's own words seldom name the usual cause."""

import re

from activities.adapters.spec_problem import Problem

_ADVICE = (
    (r"\\t", "indent with spaces: YAML allows no tabs there"),
    (r"cannot start any token", "quote the value: its first character means something in YAML"),
    (r"unknown escape", "use single quotes: in double quotes a backslash starts an escape"),
    (r"mapping values", "quote the value if it holds a colon and a space, or mend the indentation"),
    (r"sequence entries", "start the list on a line of its own"),
    (r"another document", "keep one document in a file"),
    (r"stream", "close the quote or the bracket that is open"),
    (r"chomping", "begin the text on the line after the bar"),
    (r"(got|found) '(<scalar>|\{|\[)'", "quote the whole value, or put a comma between two"),
    (r"^expected ' '", "quote a value that starts with !"),
    (r"node content", "take the comma away that has nothing before it, or quote the value"),
    (r"special characters", "take the control character out"),
    (r"block", "mend the indentation: fields of one map begin in the same column"),
)
_CUT = re.compile(r"""(?P<name>[\w-]+):[ ]+(?P<value>[^\s"'{\[,][^\[\]:]*)$""")


def syntax_problem(error: Exception, text: str, file: str) -> Problem:
    """The problem behind a parser's error."""
    said = str(getattr(error, "problem", None) or error).partition("\n")[0]
    marks = [getattr(error, f"{name}_mark", None) for name in ("problem", "context")]
    # what is never closed is told where it was opened, what is no tag where it begins
    from_start = re.search("stream|^expected ' '", said)
    mark = (marks[1] if from_start else marks[0]) or marks[0] or marks[1]
    line, column = (int(mark.line), int(mark.column)) if mark is not None else (0, 0)
    if mark is None and (at := re.search(r"position (\d+)", str(error))):
        before = text[: int(at[1])]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    lines = text.splitlines() or [""]
    line = min(line, len(lines) - 1)
    name = _cut_value(lines[line][:column], str(getattr(error, "context", "")))
    return Problem(file, line + 1, column + 1, "", f"not YAML: {said}", name or _advice(said))


def _cut_value(before: str, context: str) -> str:
    """Advice by name where a plain value inside braces or brackets ended too early."""
    found = _CUT.search(before) if re.search("flow|quoted", context) else None
    if found is None:
        return ""
    return f"quote the value of `{found['name']}`: inside {{ }} it ends at a comma or a bracket"


def _advice(said: str) -> str:
    return next((a for pattern, a in _ADVICE if re.search(pattern, said)), "mend the line")
