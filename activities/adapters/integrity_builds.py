"""What builds and runners are told to let go: failures that count no more, lints that are allowed,
CI that nothing starts. In files that say much else, so only these words are looked at.
"""

import re
from collections.abc import Iterator

from activities.adapters.integrity_paths import is_of_ci, suffix_of

_CALLED_OFF = re.compile(r"\|\|\s*(?:true\b|:(?=\s|$)|exit\s+0\b)|\bsuccess_codes\s*=|^\t-\w", re.M)
_MAVEN = re.compile(
    r"<(skipTests|skipITs|maven\.test\.skip|testFailureIgnore|maven\.test\.failure\.ignore)>\s*true"
)
_GRADLE = re.compile(r"\bignoreFailures\s*(?:=|\.set\(|\s)\s*true")
_CARGO = re.compile(r"^\s*[\w:-]+\s*=\s*(?:\{[^}\n]*level\s*=\s*)?\"allow\"", re.M)
_DENIED = re.compile(r"^\s*[\w:-]+\s*=\s*(?:\{[^}\n]*level\s*=\s*)?\"(?:deny|forbid)\"", re.M)
_STARTS = re.compile(r"^[\"']?on[\"']?\s*:[^\n]*(?:\n(?:[ \t]+[^\n]*|[ \t]*#[^\n]*|[ \t]*))*", re.M)
_EVENTS = re.compile(r"\b(?:push|pull_request(?:_target)?|merge_group)\b")
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*")


def is_of_builds(path: str) -> bool:
    """Whether there is something to look at."""
    return is_of_ci(path) or path.endswith("Cargo.toml") or _pattern(path) is not None


def let_go(path: str, old: str, new: str) -> Iterator[tuple[int, str]]:
    """1-based lines of the new text that let go what the old one did not, as far as it has more of
    them; nothing for other files than those of builds and CI."""
    old, new = (_COMMENT.sub("", text) for text in (old, new))
    pattern = _pattern(path)
    if pattern and len(pattern.findall(new)) > len(pattern.findall(old)):
        known = {line.strip() for line in old.split("\n")}
        for found in pattern.finditer(new):
            line = new.count("\n", 0, found.end()) + 1
            said = new.split("\n")[line - 1].strip()
            if said not in known:
                yield line, f"a failure counts no more: {said[:100]}"
                break
    if path.endswith("Cargo.toml"):
        fewer = len(_DENIED.findall(new)) < len(_DENIED.findall(old))
        more = len(_CARGO.findall(new)) > len(_CARGO.findall(old))
        if fewer and more and (found := _CARGO.search(new)):
            yield new.count("\n", 0, found.end()) + 1, "a lint that was denied is allowed"
    if is_of_ci(path) and new and _started(old) and not _started(new):
        yield 1, "no push and no pull request starts it any more"


def _pattern(path: str) -> re.Pattern[str] | None:
    name = path.rpartition("/")[2]
    if name in ("Makefile", "GNUmakefile", "makefile", "noxfile.py") or suffix_of(name) == ".mk":
        return _CALLED_OFF
    if name == "pom.xml":
        return _MAVEN
    return _GRADLE if name.endswith((".gradle", ".gradle.kts")) else None


def _started(text: str) -> bool:
    """Whether an `on` of it names what people do."""
    return any(_EVENTS.search(block[0]) for block in _STARTS.finditer(text))
