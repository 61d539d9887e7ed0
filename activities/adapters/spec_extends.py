"""`extends`: the files that a spec goes on from, merged under it before anything is read of them.

Maps merge, lists and scalars replace; of several bases a later one wins over an earlier one. A base
is a path, as seen from the file that names it, or a URL whose content is pinned by its sha256.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from activities.adapters.spec_fetch import FetchFailed, fetch
from activities.adapters.spec_problem import Problem, SpecErrors
from activities.adapters.yaml_nodes import Item, Listing, Place, Scalar, Table, compose

FIELD = "extends"
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def with_bases(root: Table, file: str) -> Table:
    """The document with everything that it extends under it, and without `extends`.

    Raises SpecErrors with every base that cannot be had.
    """
    return _Merging(()).whole(root, file)


def merged(base: Table, own: Table) -> Table:
    """`own` over `base`: maps merge, everything else is replaced. What is there twice in one file
    stays there twice."""
    under = {key.text: value for key, value in base.pairs if isinstance(key, Scalar)}
    over = {key.text for key, _ in own.pairs if isinstance(key, Scalar)}
    pairs = [(k, v) for k, v in base.pairs if not (isinstance(k, Scalar) and k.text in over)]
    for key, value in own.pairs:
        below = under.get(key.text) if isinstance(key, Scalar) else None
        if isinstance(below, Table) and isinstance(value, Table):
            value = merged(below, value)
        pairs.append((key, value))
    # Only what stands in one pair of braces can be cut short by a comma.
    return Table(own.line, own.column, own.file, tuple(pairs), own.flow and not base.pairs)


@dataclass(frozen=True)
class _Merging:
    """One file's way down to its bases."""

    on_the_way: tuple[str, ...]
    """The files that led here: none of them may be a base again."""

    def whole(self, root: Table, file: str) -> Table:
        here = file if _REMOTE.match(file) else str(Path(file).resolve())
        below = _Merging((*self.on_the_way, here))
        base = Table(0, 0, file, (), flow=False)
        problems: list[Problem] = []
        for named in _named(root):
            try:
                base = merged(base, below.read(named, file))
            except SpecErrors as errors:
                problems += errors.problems
        if problems:
            raise SpecErrors(problems)
        pairs = tuple(pair for pair in root.pairs if not _is_extends(pair[0]))
        own = Table(root.line, root.column, root.file, pairs, root.flow)
        return merged(base, own)

    def read(self, named: Item, by: str) -> Table:
        """The base that an item of `extends` names, with its own bases."""
        if not isinstance(named, Scalar) or named.kind != "str" or not named.text:
            raise _wrong(named, by, "names no file", "write a path, or URL#sha256")
        if _REMOTE.match(named.text):
            where, text = self._fetched(named, by)
        else:
            where, text = self._on_disk(named, by)
        return self.whole(compose(text, where), where)

    def _on_disk(self, named: Scalar, by: str) -> tuple[str, str]:
        if _REMOTE.match(by):
            raise _wrong(named, by, "is a path in a file from a URL", "write URL#sha256 there too")
        path = Path(by).parent / Path(named.text).expanduser()
        if str(path.resolve()) in self.on_the_way:
            raise _cycle(named, by)
        try:
            return str(path), path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            advice = f"the path is seen from the folder of {Path(by).name}"
            raise _wrong(named, by, what, advice) from error
        except UnicodeDecodeError as error:
            raise _wrong(named, by, "is not UTF-8", "save it as UTF-8") from error

    def _fetched(self, named: Scalar, by: str) -> tuple[str, str]:
        url, _, pinned = named.text.partition("#")
        if not re.match(r"https?://[^/@]+(/[^@]*)?$", url):
            what = "is no http or https URL without credentials"
            raise _wrong(named, by, what, "save the file and write its path")
        if url in self.on_the_way:
            raise _cycle(named, by)
        if not _DIGEST.fullmatch(pinned):
            advice = f"write {url}#<the file's sha256, 64 hex digits>"
            raise _wrong(named, by, "is not pinned", advice)
        try:
            content = fetch(url)
            text = content.decode("utf-8-sig")
        except FetchFailed as failed:
            advice = "look at the URL, or save the file and write its path"
            raise _wrong(named, by, f"cannot be fetched: {failed}", advice) from failed
        except UnicodeDecodeError as error:
            raise _wrong(named, by, "is not UTF-8", "save it as UTF-8") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != pinned:
            advice = f"read what it says now, then write {url}#{digest}"
            raise _wrong(named, by, "is not the file that was pinned", advice)
        return url, text


def _is_extends(key: Item) -> bool:
    return isinstance(key, Scalar) and key.text == FIELD


def _named(root: Table) -> tuple[Item, ...]:
    """What `extends` names, one or several, in order."""
    values = [value for key, value in root.pairs if _is_extends(key)]
    items = [value.items if isinstance(value, Listing) else (value,) for value in values]
    return tuple(item for group in items for item in group)


def _cycle(named: Scalar, by: str) -> SpecErrors:
    return _wrong(named, by, "leads back to a file that extends it", "break the cycle")


def _wrong(at: Place, by: str, what: str, advice: str) -> SpecErrors:
    said = f"`{at.text}` {what}" if isinstance(at, Scalar) and at.text else what
    return SpecErrors([Problem(at.file or by, at.line + 1, at.column + 1, FIELD, said, advice)])
