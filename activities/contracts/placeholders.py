"""Expands the placeholders of a command into the processes to start, purely.

Values are never pasted into a script: each placeholder becomes a bash array read from a
NUL-separated file under `$ARGS`, so that any file name arrives as it is. A word with a list
placeholder is repeated for each value. An empty list gives no process at all: `sed -i` or pytest
without arguments would hang or do everything.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from activities.contracts.placeholder_slots import (
    FILES_FILE,
    LISTS,
    PROMPT_FILE,
    WORDS,
    Slot,
    all_slots,
    fill,
    script_slots,
    script_words,
    slots,
)
from activities.contracts.spec import Command

_VALUE_OF = {FILES_FILE: "files", PROMPT_FILE: "prompt"}
"""What a file holds, for placeholders that stand for one."""
BASH = ("bash", "-euo", "pipefail", "-c")

# bash 5.2 would replace `&` in the words of ${a[@]/#/lead} by what was matched.
_PREAMBLE = "shopt -u patsub_replacement 2>/dev/null || true"


@dataclass(frozen=True)
class Call:
    """One process to start; the caller writes `files` into a folder and sets ARGS to it."""

    argv: tuple[str, ...]
    files: dict[str, bytes]
    """Name in the folder → content."""


def path_lists(paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`files` and `dirs` of some paths: sorted, unique; the repository's root is `.`."""
    return {
        "files": tuple(sorted(set(paths))),
        "dirs": tuple(sorted({str(PurePosixPath(p).parent) for p in paths})),
    }


def list_placeholder(run: Command) -> str | None:
    """The list that a command works through: its first one; None when it names none."""
    names = (("files" if s.name == FILES_FILE else s.name) for s in all_slots(run))
    return next((name for name in names if name in LISTS), None)


def expand(
    run: Command,
    lists: Mapping[str, Sequence[str]],
    words: Mapping[str, str],
    batch: int | None = None,
    max_bytes: int = 131072,
    args_folder: str = "/args",
) -> tuple[Call, ...]:
    """The processes to start, in order; () when the command's list is empty.

    Only the command's first list is split over calls, at `batch` values or `max_bytes` of
    arguments. `args_folder` is where the caller mounts a call's files: a list-form command, which
    has no shell, is given {files_file} and {prompt_file} by it.
    """
    primary = list_placeholder(run)
    values = {name: tuple(_no_option(v) for v in given) for name, given in lists.items()}
    _all_known(run, values, words)
    if primary is None:
        return (_call(run, values, words, args_folder),)
    fixed = () if isinstance(run, str) else [w for w in run if not _holds(w, primary)]
    room = max_bytes - sum(_size(fill(w, lambda s: words.get(s.name))) for w in fixed)
    return tuple(
        _call(run, {**values, primary: part}, words, args_folder)
        for part in _parts(values[primary], _price(run, primary, words), batch, room)
    )


def replace_list(run: Command, text: str) -> Command:
    """The command with `text` in place of its list placeholder: for `whole` and `otherwise`.

    The text is the spec author's own, so it may hold options and, in text form, globs, quotes and
    variables. Its words repeat the word they replace, as a list's values do.
    """
    if not isinstance(run, str):
        return tuple(out for word in run for out in _repeated(word, shlex.split(text)))
    sources = shlex.split(text, posix=False)
    joined = shlex.split(text)
    out = run
    spans: list[tuple[int, int, str | None]] = [(w.start, w.end, None) for w in script_words(run)]
    spans += [(s.start, s.end, s.join) for s in script_slots(run) if _joins(s)]
    for start, end, between in sorted(spans, key=lambda span: span[0], reverse=True):
        if between is None:
            new = " ".join(fill(run[start:end], _one(LISTS, source)) for source in sources)
        else:
            new = shlex.quote(between.join(joined))
        out = out[:start] + new + out[end:]
    return out


def _all_known(run: Command, lists: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> None:
    """Raises ValueError for a placeholder without a value: the spec's reader lets none through."""
    for slot in all_slots(run):
        name = _VALUE_OF.get(slot.name, slot.name)
        if (name in LISTS and name not in lists) or (name in WORDS and name not in words):
            raise ValueError(f"no value for the placeholder {{{name}}}")


def _no_option(value: str) -> str:
    return f"./{value}" if value.startswith("-") else value


def _joins(slot: Slot) -> bool:
    return slot.name in LISTS and slot.join is not None


def _holds(text: str, name: str) -> bool:
    return any(s.name == name for s in slots(text))


def _one(names: Iterable[str], value: str) -> Callable[[Slot], str | None]:
    return lambda slot: value if slot.name in names else None


def _bytes(text: str) -> bytes:
    # git paths are bytes; those that are not UTF-8 travel as surrogates
    return text.encode("utf-8", "surrogateescape")


def _size(text: str) -> int:
    return len(_bytes(text)) + 1


def _nul(values: Iterable[str]) -> bytes:
    return b"".join(_bytes(v) + b"\0" for v in values)


def _price(run: Command, name: str, words: Mapping[str, str]) -> Callable[[str], int]:
    """How many bytes of arguments one value of a list costs, at most."""
    if isinstance(run, str):
        texts = [run[w.start : w.end] for w in script_words(run)]
        texts += [run[s.start : s.end] for s in script_slots(run) if _joins(s)]
    else:
        texts = list(run)
    texts = [text for text in texts if _holds(text, name)]

    def price(value: str) -> int:
        known = {**words, name: value}
        return sum(_size(fill(text, lambda s: known.get(s.name))) for text in texts)

    return price


def _parts(
    values: tuple[str, ...], price: Callable[[str], int], batch: int | None, room: int
) -> list[tuple[str, ...]]:
    """Consecutive slices of the values within both bounds; a value that is too big goes alone."""
    parts: list[list[str]] = []
    used = 0
    for value in values:
        cost = price(value)
        if not parts or used + cost > room or (batch and len(parts[-1]) >= batch):
            parts.append([])
            used = 0
        parts[-1].append(value)
        used += cost
    return [tuple(part) for part in parts]


def _call(
    run: Command, lists: Mapping[str, tuple[str, ...]], words: Mapping[str, str], folder: str
) -> Call:
    if isinstance(run, str):
        script = _Script(run, lists, words)
        return Call((*BASH, script.text()), script.files)
    files: dict[str, bytes] = {}
    if any(_holds(word, FILES_FILE) for word in run):
        files[FILES_FILE] = _nul(lists["files"])
    if any(_holds(word, PROMPT_FILE) for word in run):
        files[PROMPT_FILE] = _bytes(words["prompt"])
    known = {**words, **{name: f"{folder}/{name}" for name in _VALUE_OF}}
    return Call(tuple(out for word in run for out in _list_word(word, lists, known)), files)


def _list_word(
    word: str, lists: Mapping[str, tuple[str, ...]], words: Mapping[str, str]
) -> list[str]:
    """What one word of a list-form command becomes: one word, or one for each value."""
    repeated = next((s.name for s in slots(word) if s.repeats), None)
    if repeated is None:
        return [fill(word, _value(lists, words, None))]
    return [fill(word, _value(lists, words, value)) for value in lists[repeated]]


def _value(
    lists: Mapping[str, tuple[str, ...]], words: Mapping[str, str], value: str | None
) -> Callable[[Slot], str | None]:
    def value_of(slot: Slot) -> str | None:
        if not slot.name:
            return f"{{{slot.literal}}}"
        if slot.join is not None:
            return slot.join.join(lists[slot.name])
        return value if slot.name in LISTS else words.get(slot.name)

    return value_of


def _repeated(word: str, values: list[str]) -> list[str]:
    """One word of a list-form command with its list replaced, its other slots untouched."""
    found = [s for s in slots(word) if s.name in LISTS]
    if any(_joins(s) for s in found):
        return [fill(word, lambda s: s.join.join(values) if s.join is not None else None)]
    return [fill(word, _one(LISTS, value)) for value in values] if found else [word]


@dataclass
class _Script:
    """Turns a text-form command into a script that reads its values from files."""

    source: str
    lists: Mapping[str, tuple[str, ...]]
    words: Mapping[str, str]
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def text(self) -> str:
        """The script; fills `files` on the way."""
        out, at = "", 0
        repeated = {w.start: w for w in script_words(self.source)}
        starts = {s.start: s for s in script_slots(self.source)}
        for start in sorted({*repeated, *starts}):
            if start < at:
                continue
            word, slot = repeated.get(start), starts.get(start)
            end = word.end if word else slot.end if slot else start
            new = self._word(start) if word else self._single(slot) if slot else ""
            out += self.source[at:start] + new
            at = end
        out += self.source[at:]
        reads = [f'mapfile -d "" -t whimbrel_{n} < "$ARGS/{n}"' for n in self._numbered()]
        # on one line, so that bash's line numbers are the author's
        return "; ".join([_PREAMBLE, *reads, out]) if reads else out

    def _numbered(self) -> list[str]:
        return [name for name in self.files if name not in _VALUE_OF]

    def _array(self, values: Iterable[str]) -> str:
        name = str(len(self.files))
        self.files[name] = _nul(values)
        return f"whimbrel_{name}"

    def _single(self, slot: Slot) -> str:
        """A placeholder that is one value, with its own quotes."""
        if not slot.name:
            return f"{{{slot.literal}}}"
        if slot.name == FILES_FILE:
            self.files[FILES_FILE] = _nul(self.lists["files"])
            return f'"$ARGS/{FILES_FILE}"'
        if slot.name == PROMPT_FILE:
            self.files[PROMPT_FILE] = _bytes(self.words["prompt"])
            return f'"$ARGS/{PROMPT_FILE}"'
        if slot.name not in WORDS and not _joins(slot):
            return self.source[slot.start : slot.end]
        value = _value(self.lists, self.words, None)(slot) or ""
        return f'"${{{self._array([value])}}}"'

    def _word(self, start: int) -> str:
        """A word repeated for each value; a side that holds variables is left to bash."""
        word = next(w for w in script_words(self.source) if w.start == start)
        lead = self.source[start : word.slots[0].start]
        trail = self.source[word.slots[-1].end : word.end]
        middle = self.source[word.slots[0].start : word.slots[-1].end]
        before, after = ("" if "$" in side else side for side in (lead, trail))
        values = [
            before + fill(middle, _value(self.lists, self.words, value)) + after
            for value in self.lists[word.list]
        ]
        array = self._array(values)
        if "$" in lead:
            return f'"${{{array}[@]/#/{lead}}}"'
        return f'"${{{array}[@]/%/{trail}}}"' if "$" in trail else f'"${{{array}[@]}}"'
