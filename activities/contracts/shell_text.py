"""Which characters of a bash script stand in quotes, which in comments, and which in plain sight.

Placeholders are replaced by array expansions that bring their own quotes, so one that already
stands in quotes, in a parameter expansion or in a here-document would come out wrong: callers
refuse it. This is a scanner, not a parser: it keeps just enough state to answer that question.
"""

import re

PLAIN, QUOTED, COMMENT = "p", "q", "c"

_HEREDOC = re.compile(r"""<<-?[ \t]*(?P<quote>['"\\]?)(?P<word>[A-Za-z_]\w*)""")
_BEFORE_COMMENT = " \t\n;&|()"


def contexts(script: str) -> str:
    """One letter for each character of the script: PLAIN, QUOTED or COMMENT."""
    return _Scanner(script).scan()


class _Scanner:
    """Walks once over the text; `open` holds the closers awaited: a double quote, `)` or `}`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.open: list[str] = []
        self.heredocs: list[str] = []
        self.marks: list[str] = []

    def scan(self) -> str:
        while self.at < len(self.text):
            if not self._quotes() and not self._structure():
                self._take(1)
        return "".join(self.marks)

    @property
    def _top(self) -> str:
        return self.open[-1] if self.open else ""

    @property
    def _mark(self) -> str:
        return QUOTED if self._top in ('"', "}") else PLAIN

    def _take(self, count: int, mark: str | None = None) -> None:
        count = min(count, len(self.text) - self.at)
        self.marks.extend((mark or self._mark) * count)
        self.at += count

    def _line(self) -> str:
        end = self.text.find("\n", self.at)
        return self.text[self.at : end if end >= 0 else len(self.text)]

    def _push(self, closer: str, width: int) -> None:
        self._take(width)
        self.open.append(closer)

    def _starts(self, *prefixes: str) -> bool:
        return self.text.startswith(prefixes, self.at)

    def _quotes(self) -> bool:
        """Handles whatever is special inside double quotes too; False: nothing of that here."""
        if self._starts("\\"):
            self._take(2)
        elif self._starts("$("):
            self._push(")", 2)
        elif self._starts("${"):
            self._push("}", 2)
        elif self._starts('"'):
            if self._top == '"':
                self.open.pop()
                self._take(1, QUOTED)
            else:
                self._push('"', 1)
        elif self._top == '"':
            self._take(1)
        else:
            return False
        return True

    def _structure(self) -> bool:
        """Handles what is special outside double quotes; False: an ordinary character."""
        char = self.text[self.at]
        if self._starts("$'"):
            self._single(r"\$'(?:\\.|[^'\\])*'?")
        elif char == "'" and self._mark == PLAIN:
            self._single("'[^']*'?")
        elif char == "#" and (self.at == 0 or self.text[self.at - 1] in _BEFORE_COMMENT):
            self._take(len(self._line()), COMMENT)
        elif char == "(":
            self._push(")", 1)
        elif char in ")}" and char == self._top:
            self.open.pop()
            self._take(1)
        elif self._starts("<<<"):
            self._take(3)
        elif self._starts("<<") and (found := _HEREDOC.match(self.text, self.at)):
            self.heredocs.append(found["word"])
            self._take(len(found[0]), QUOTED)
        elif char == "\n" and self.heredocs:
            self._take(1)
            self._bodies()
        else:
            return False
        return True

    def _single(self, pattern: str) -> None:
        found = re.compile(pattern, re.DOTALL).match(self.text, self.at)
        self._take(len(found[0]) if found else 1, QUOTED)

    def _bodies(self) -> None:
        """The here-documents announced on the line that just ended."""
        while self.heredocs and self.at < len(self.text):
            line = self._line()
            self._take(len(line) + 1, QUOTED)
            if line.strip("\t") == self.heredocs[0]:
                self.heredocs.pop(0)
