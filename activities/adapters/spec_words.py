"""Rules for single words of a spec: packages, patterns, branches, paths, variables.

Each returns None for a good word, else what is wrong and what to do, and which character of it is
wrong, where one is.
"""

import re

from pathspec import GitIgnoreSpec

from activities.adapters.bounded_regex import BoundedRegex
from activities.adapters.jobs import HOME, TMPDIR
from activities.contracts.environment import SECRET
from activities.contracts.placeholder_slots import FILES_FILE, LISTS, WORDS, Slot, slots

Wrong = tuple[str, str] | tuple[str, str, int] | None

TOOLCHAINS = {
    "go": "go@1.26",
    "java": "java@17",
    "maven": "maven@3.8",
    "node": "node@20",
    "python": "python@3.11",
    "rust": "rust@1.95",
}
_OWN_TOPS = ("/src", "/env", "/results", "/args", "/proc", "/dev", "/sys", "/etc")
VARIABLES = ("ENV", "RESULTS", "HOME", "TMPDIR")

_PIP = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w.,-]+\])?==[0-9][\w.!+-]*")
_NPM = re.compile(r"(@[\w.-]+/)?[\w.-]+@\d+\.\d+\.\d+[\w.+-]*")
_REF_BAD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
_BRACES = re.compile(r"(?<!\\)\{[^{}/]*,[^{}]*\}")
_NAME = re.compile(r"[A-Za-z_]\w*")


def pip_package(word: str) -> Wrong:
    if word.startswith("-"):
        return f"`{word}` is an option", "name each package as name==version"
    if not _PIP.fullmatch(word):
        return f"`{word}` is not pinned", "write name==version"
    return None


def npm_package(word: str) -> Wrong:
    if word.startswith("-"):
        return f"`{word}` is an option", "name each package as name@version"
    if not _NPM.fullmatch(word):
        return f"`{word}` is not pinned", "write name@1.2.3, without ^, ~ or a tag"
    return None


def pattern(word: str) -> Wrong:
    """A gitignore pattern over repository-relative paths."""
    if word in ("/", "./", "."):
        return f"the pattern `{word}` matches nothing", "write `**` for every file"
    if not word.strip() or word.startswith("#"):
        return f"the pattern `{word}` matches nothing", r"write a path or a glob; \# begins with #"
    if word.startswith("./"):
        return f"the pattern `{word}` matches nothing", f"write `{word[1:]}`"
    if braces := _BRACES.search(word):
        what = f"a pattern knows no choices: `{braces[0]}` is matched as it is"
        return what, r"write one pattern for each; \{ is a brace of a name"
    if ".." in word.split("/"):
        return f"the pattern `{word}` leaves the repository", "name paths inside it"
    try:
        GitIgnoreSpec.from_lines([word])
    except ValueError as error:
        return f"`{word}` is not a gitignore pattern", str(error).partition("\n")[0]
    return None


def regex(word: str) -> Wrong:
    """A Python regular expression."""
    try:
        BoundedRegex(word)
    except re.error as error:
        advice = r"it is Python's syntax; a literal bracket is written \( or \["
        what = f"the pattern does not compile: {error}"
        return (what, advice) if error.pos is None else (what, advice, error.pos)
    return None


def line_regex(word: str) -> Wrong:
    """A regular expression that is searched line by line."""
    if (wrong := regex(word)) is not None:
        return wrong
    if r"\n" in word:
        advice = "it is searched line by line: use `command`"
        return "the pattern holds a line end", advice, word.index(r"\n")
    searched = BoundedRegex(word)
    if searched.search("") and searched.search("\0"):
        return "the pattern matches every line", "leave `find` out if each file is a site"
    return None


def branch(word: str) -> Wrong:
    """A branch name by git's own rules."""
    ends = word.startswith(("-", "/", ".")) or word.endswith(("/", "."))
    if not word or word in ("@", "HEAD") or ends or _REF_BAD.search(word):
        return f"`{word}` is not a branch name", "use a name such as whimbrel/httpx"
    if word.startswith("refs/heads/"):
        return f"`{word}` is a full ref", f"write `{word.removeprefix('refs/heads/')}`"
    if word.startswith("refs/"):
        return f"`{word}` is no branch", "name a branch: what a tag says never moves on"
    return None


def inside(word: str) -> Wrong:
    """A path inside the repository or the environment."""
    if word.startswith("/"):
        return f"`{word}` is absolute", f"write `{word.lstrip('/') or '.'}`"
    if ".." in word.split("/") or ".git" in word.split("/"):
        return f"`{word}` leaves the files that a migration owns", "name a path inside"
    return None


def working_folder(word: str) -> Wrong:
    """A folder of the repository that a command runs in."""
    if (slot := _placeholder(word)) is not None:
        advice = "write a path, or change folders in `run`"
        return f"`{{{slot.name}}}` is not expanded here", advice, slot.start
    return inside(word)


def _placeholder(word: str) -> Slot | None:
    """The first placeholder in a text that takes none."""
    known = (*LISTS, *WORDS, FILES_FILE)
    return next((slot for slot in slots(word) if slot.name in known), None)


def file_inside(word: str) -> Wrong:
    """A file's path inside the repository."""
    if not word or word.endswith("/") or word.startswith("./") or "//" in word:
        return f"`{word}` is not a file's path", "write it as git does, such as app/client.py"
    return inside(word)


def file_name(word: str) -> Wrong:
    """The plain name of a file, in whatever folder."""
    if not word or "/" in word:
        return f"`{word}` is not a file's name", "write the name alone, such as go.mod"
    if any(mark in word for mark in "*?["):
        return f"`{word}` is a pattern", "write whole names, each as an item"
    return None


def toolchain(word: str) -> Wrong:
    """A language of the host: name@version."""
    name, at, version = word.partition("@")
    if name not in TOOLCHAINS:
        return f"`{name}` is not a toolchain", f"known here: {', '.join(TOOLCHAINS)}"
    if not at or not re.fullmatch(r"\d+(\.\d+)*", version):
        return f"`{word}` names no version", f"write {name}@version, such as {TOOLCHAINS[name]}"
    return None


def folder_inside(word: str) -> Wrong:
    """A folder of an environment."""
    if word.startswith("$ENV/"):
        return f"`{word}` begins with $ENV", f"write `{word.removeprefix('$ENV/')}`"
    if not word or word == ".":
        return "the whole environment cannot be written", "name folders in it"
    return inside(word)


def host_folder(word: str) -> Wrong:
    """A folder of the host, shown at its own path."""
    if not word.startswith("/"):
        return f"`{word}` is not a folder of the host", "write its whole path"
    if ".." in word.split("/") or word.strip("/") == "":
        return f"`{word}` cannot be shown", "name one folder by its whole path"
    top = "/" + word.split("/")[1]
    if top in _OWN_TOPS or word.rstrip("/") in (HOME, TMPDIR):
        return f"{word} is the sandbox's own", "show a folder that lies elsewhere"
    return None


def together_pattern(word: str) -> Wrong:
    """A path in which groups such as {m} stand for what differs."""
    if not re.search(r"\{[A-Za-z_]\w*\}", word):
        return f"`{word}` has no group", "write {m} for the part that the files share"
    if any(mark in word for mark in "*?["):
        return f"`{word}` holds a glob", "write a group such as {m} for each part that differs"
    if word.startswith("./"):
        return f"the pattern `{word}` matches nothing", f"write `{word[2:]}`"
    return None


def variable_name(word: str) -> Wrong:
    if word in VARIABLES:
        return f"{word} is set for every command", "choose another name"
    if not _NAME.fullmatch(word):
        return f"`{word}` is not a variable's name", "use letters, digits and _"
    return None


def variable_value(word: str) -> Wrong:
    """The value of an environment variable, in which only four names are expanded."""
    if word.startswith("secret:"):
        advice = "name it under `secrets` of the environment, or of an agent's command rung"
        return "a secret is no value of a variable", advice
    if (slot := _placeholder(word)) is not None:
        return f"`{{{slot.name}}}` is not expanded here", "put it into `run`", slot.start
    for found in _VARIABLE.finditer(word):
        if found[1] not in VARIABLES:
            known = ", ".join(f"${v}" for v in VARIABLES)
            advice = f"only {known} are; use `path` for PATH"
            return f"${found[1]} is not expanded here", advice, found.start()
    return None


def secret(word: str) -> Wrong:
    """A reference; the value is the worker's."""
    if not re.fullmatch(SECRET, word):
        advice = "write secret:NAME, in capital letters: the worker keeps the value under that name"
        return "a secret is only named in a spec", advice
    return None


def executable(word: str) -> Wrong:
    if not re.fullmatch(r"[\w.+-]+", word):
        return f"`{word}` is not a program's name", "write the name alone, such as git"
    return None
