"""The gate's rules about tests: no candidate may weaken what judges it, unless the spec says so.

A change is looked at file by file and judged as a whole, so that what moves to another of its files
is no loss. Everything is counted on the text before and after, no check has run. Where it cannot be
told, the rules are silent: what the tests did is held against the base by the checks as well.
"""

from collections.abc import Callable, Iterator, Sequence

from activities.adapters import integrity_configuration as configuration
from activities.adapters.integrity_around import Around, Tree, lies_below
from activities.adapters.integrity_builds import is_of_builds, let_go
from activities.adapters.integrity_collected import hooks, left_out
from activities.adapters.integrity_fixtures import tampered
from activities.adapters.integrity_languages import RUST, Language, language_of
from activities.adapters.integrity_losses import ChangedTests, losses
from activities.adapters.integrity_paths import (
    Kind,
    is_named_as_test,
    is_of_ci,
    kind_of,
    may_be_collected,
)
from activities.adapters.integrity_secrets import AddedSecrets
from activities.adapters.integrity_shadows import cut_short, shadowed
from activities.adapters.integrity_silences import Silences
from activities.adapters.integrity_steps import steps_gone
from activities.adapters.integrity_tests import LONGEST, NO_TESTS, read_tests
from activities.adapters.objects import DiffEntry
from activities.adapters.violation import Violation
from activities.adapters.waived import Waived
from activities.contracts.integrity import IntegrityRule as Rule
from activities.contracts.integrity import Waiver

ReadBlob = Callable[[str], bytes]


class Integrity:
    """One change's files, as they are looked at."""

    def __init__(self, waivers: Sequence[Waiver], read: ReadBlob, base: Tree) -> None:
        self._around = Around(base)
        self._folders: tuple[str, ...] | None = None
        """Where pytest looks, once somebody had to know."""
        self._waived = Waived(waivers)
        self._read = read
        self._tests: list[ChangedTests] = []
        self._silences = Silences()
        self._secrets = AddedSecrets(self._both)
        self._configured: list[tuple[str, str, str]] = []
        """Path, text before, text after."""
        self._expectations: list[DiffEntry] = []
        self._gone: list[DiffEntry] = []
        """Tests in a language that nobody here reads."""
        self._added: set[str] = set()
        self._deleted_paths: set[str] = set()
        self._unread: list[Violation] = []
        self._let_go: list[Violation] = []

    def look(self, entry: DiffEntry) -> None:
        """Takes one file of the change into account."""
        if entry.old_blob == entry.new_blob:
            return
        path, kind, language = entry.path, kind_of(entry.path), language_of(entry.path)
        if entry.status == "A":
            self._added.add(entry.new_blob)
        elif entry.status == "D":
            self._deleted_paths.add(path)
        if kind is Kind.EXPECTATION:
            self._expectations.append(entry)
        elif kind is Kind.CONFIGURATION:
            old, new = self._both(entry)
            self._configured.append((path, _text(old), _text(new)))
        elif language and (kind is Kind.TESTS or language is RUST):
            self._look_at_tests(entry, language)
        elif entry.status == "D" and is_named_as_test(path):
            self._gone.append(entry)
        if is_of_builds(path):
            self._look_at_build(entry)
        self._silences.look(entry, self._both)
        self._secrets.look(entry)

    def violations(self) -> Iterator[Violation]:
        """Every rule that the change breaks, but what is waived for the path."""
        found = (
            *self._unread,
            *losses(self._tests, self._collects),
            *self._hidden(),
            *self._deleted(),
            *self._rewritten(),
            *self._weakened(),
            *self._let_go,
            *self._silences.violations(),
            *self._secrets.violations(),
        )
        for violation in found:
            if not self.waives(violation):
                yield violation

    def waives(self, violation: Violation) -> bool:
        """Whether the spec lets it pass there."""
        return self._waived.lets(violation.rule, violation.path)

    def _both(self, entry: DiffEntry) -> tuple[bytes, bytes]:
        """What a file holds before and after; nothing where it is not a file."""
        old = self._read(entry.old_blob) if entry.old_mode.startswith("100") else b""
        new = self._read(entry.new_blob) if entry.new_mode.startswith("100") else b""
        return old, new

    def _look_at_build(self, entry: DiffEntry) -> None:
        old, new = map(_text, self._both(entry))
        for line, what in let_go(entry.path, old, new):
            self._let_go.append(Violation(Rule.CONFIGURATION_WEAKENED, entry.path, line, what))

    def _look_at_tests(self, entry: DiffEntry, language: Language) -> None:
        old, new = self._both(entry)
        if language is RUST and b"test" not in old and b"test" not in new:
            return
        if max(len(old), len(new)) > LONGEST:
            what = f"longer than {LONGEST:,} bytes: its tests were not looked at"
            self._unread.append(Violation(Rule.TESTS_DELETED, entry.path, None, what))
            return
        before = read_tests(old, language) if old else NO_TESTS
        after = read_tests(new, language) if new else NO_TESTS
        changed = ChangedTests(entry.path, before, after, entry.status == "A", not new)
        self._tests.append(changed)

    def _collects(self, path: str) -> bool:
        """Whether runners may look for tests there, where the tree tells one where to look too."""
        if not may_be_collected(path):
            return False
        if not path.endswith(".py"):
            return True
        if self._folders is None:
            self._folders = self._around.test_paths(self._configured)
        return not self._folders or lies_below(path, self._folders)

    def _hidden(self) -> Iterator[Violation]:
        for path, line, name in shadowed(self._tests):
            what = f"{name} does not run: something else has its name behind it"
            yield Violation(Rule.TESTS_DELETED, path, line, what)
        for path, line, name in cut_short(self._tests):
            what = f"{name} returns before its last statements"
            yield Violation(Rule.TESTS_EMPTIED, path, line, what)

    def _deleted(self) -> Iterator[Violation]:
        for entry in self._gone:
            if entry.old_blob not in self._added:
                yield Violation(Rule.TESTS_DELETED, entry.path, None, "the file is gone")

    def _rewritten(self) -> Iterator[Violation]:
        """What tests expect may be added and moved, not changed."""
        for entry in self._expectations:
            if entry.status == "D" and entry.old_blob not in self._added:
                what = "what tests expect is gone"
                yield Violation(Rule.EXPECTATIONS_REWRITTEN, entry.path, None, what)
            elif entry.status in "MT":
                old, new = self._both(entry)
                what = "what tests expect is not what it was"
                line = _first_difference(old, new)
                yield Violation(Rule.EXPECTATIONS_REWRITTEN, entry.path, line, what)

    def _weakened(self) -> Iterator[Violation]:
        rule = Rule.CONFIGURATION_WEAKENED
        of_ci = [texts for texts in self._configured if is_of_ci(texts[0])]
        before, after = [old for _, old, _ in of_ci], [new for _, _, new in of_ci]
        for path, old, new in self._configured:
            if new:
                around = [] if old else self._around.configured_by(path)
                for line, what in configuration.weakened(path, old, new, self._configured, around):
                    yield Violation(rule, path, line, what)
            if not new and not self._has_successor(path):
                yield Violation(rule, path, None, "the file is gone")
            else:
                for line, what in steps_gone(path, old, new, before, after):
                    yield Violation(rule, path, line, what)
            yield from self._lowered(path, old, new)
        for path, line, what in left_out(self._configured, self._deleted_paths, self._around):
            yield Violation(rule, path, line, what)
        for path, line, what in tampered(self._tests):
            yield Violation(rule, path, line, what)
        for file in self._tests:
            if file.path.rpartition("/")[2] == "conftest.py":
                had = {name for _, name in hooks(file.before.text)}
                for line, name in hooks(file.after.text):
                    if name not in had:
                        what = f"`{name}` decides which tests run or how they end"
                        yield Violation(rule, file.path, line, what)

    def _has_successor(self, path: str) -> bool:
        """Whether another file of the change may say what this one said; CI's only where it is CI's
        too."""
        return any(
            now and (is_of_ci(other) or not is_of_ci(path)) for other, _, now in self._configured
        )

    def _lowered(self, path: str, old: str, new: str) -> Iterator[Violation]:
        """Coverage that was asked for; another file of the change may ask for it now."""
        now = configuration.thresholds(path, new)
        for key, (number, line) in configuration.thresholds(path, old).items():
            if key in now:
                if now[key][0] < number:
                    what = f"`{key}` was {number:g}, is {now[key][0]:g}"
                    yield Violation(Rule.CONFIGURATION_WEAKENED, path, now[key][1], what)
            elif not any(
                there[0] >= number
                for other, _, text in self._configured
                for there in configuration.thresholds(other, text).values()
            ):
                what = f"`{key}` was {number:g}, is gone"
                yield Violation(Rule.CONFIGURATION_WEAKENED, path, line, what)


def _first_difference(old: bytes, new: bytes) -> int | None:
    """The first line that differs; None for what is no text."""
    if b"\0" in old or b"\0" in new:
        return None
    pairs = zip(old.split(b"\n"), new.split(b"\n"), strict=False)
    return next((n for n, (before, after) in enumerate(pairs, 1) if before != after), None)


def _text(content: bytes) -> str:
    if b"\0" in content or len(content) > LONGEST:
        return ""
    return content.decode("utf-8", "surrogateescape")
