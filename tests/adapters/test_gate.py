"""The gate's rules, each alone, on made-up diff entries: no repository is needed."""

import hashlib
from collections.abc import Mapping

import pytest

from activities.adapters.gate import (
    SIZE_LIMIT,
    GateRules,
    Violation,
    case_collisions,
    violations,
)
from activities.adapters.objects import ABSENT, DiffEntry
from activities.contracts.integrity import IntegrityRule as Rule
from activities.contracts.integrity import Waiver

FILE, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"


class Diff:
    """A diff being made up; it holds the blobs it speaks of."""

    def __init__(self) -> None:
        self.entries: list[DiffEntry] = []
        self._blobs: dict[str, bytes] = {}

    def change(
        self, path: str, old: bytes, new: bytes, old_mode: str = FILE, new_mode: str = FILE
    ) -> "Diff":
        status = "M" if old_mode[:3] == new_mode[:3] else "T"
        return self._entry(status, path, old_mode, new_mode, self._blob(old), self._blob(new))

    def add(self, path: str, new: bytes = b"new\n", mode: str = FILE) -> "Diff":
        return self._entry("A", path, ABSENT, mode, "0" * 40, self._blob(new))

    def delete(self, path: str, old: bytes = b"old\n") -> "Diff":
        return self._entry("D", path, FILE, ABSENT, self._blob(old), "0" * 40)

    def against(
        self, *claims: str, creates: tuple[str, ...] = (), rules: GateRules | None = None
    ) -> list[Violation]:
        return violations(
            self.entries, claims, creates, rules or GateRules(), self._blobs.__getitem__
        )

    def _entry(self, *fields: str) -> "Diff":
        self.entries.append(DiffEntry(*fields))
        return self

    def _blob(self, data: bytes) -> str:
        name = hashlib.sha1(data).hexdigest()
        self._blobs[name] = data
        return name


def rules_broken(found: list[Violation]) -> list[tuple[str, str]]:
    return [(violation.rule, violation.path) for violation in found]


def test_claimed_changes_and_announced_additions_pass() -> None:
    diff = Diff().change("src/a.py", b"1\n", b"2\n").delete("src/b.py")
    diff.add("src/n.py").add("docs/x/new.md").add("app/[id].tsx")
    creates = ("src/n.py", "/docs/**/*.md", "app/[id].tsx")
    assert diff.against("src/a.py", "/src/b.py", creates=creates) == []


def test_a_path_outside_the_claim_is_named_whatever_was_done_to_it() -> None:
    diff = Diff().change("a", b"1\n", b"2\n").delete("b").add("c")
    assert [str(v) for v in diff.against("other")] == [
        "outside-claim: a: changed but not claimed",
        "outside-claim: b: deleted but not claimed",
        "outside-claim: c: added but not claimed",
    ]


def test_a_path_that_may_be_created_may_not_be_changed() -> None:
    diff = Diff().change("docs/x.md", b"1\n", b"2\n")
    assert rules_broken(diff.against(creates=("/docs/**",))) == [("outside-claim", "docs/x.md")]


def test_a_protected_path_is_refused_even_when_claimed_unless_the_phase_names_it() -> None:
    diff = Diff().change(".github/workflows/ci.yml", b"1\n", b"2\n").change("setup.cfg", b"1", b"2")
    claims = (".github/workflows/ci.yml", "setup.cfg")
    protect = ("/.github/**", "/setup.cfg")
    found = diff.against(*claims, rules=GateRules(protect=protect, lifted=("/setup.cfg",)))
    assert rules_broken(found) == [("protected-path", ".github/workflows/ci.yml")]


def test_a_kept_pattern_must_not_vanish_from_a_file_that_had_it() -> None:
    rules = GateRules(keep=("SPDX-License-Identifier", "^import os$"))
    old = b"# x\n# SPDX-License-Identifier: MIT\nimport os\n"
    diff = Diff().change("a", old, b"import os\n").change("b", b"x\n", b"y\n")
    diff.change("c", old, old + b"more\n").add("d").delete("e", old)
    found = diff.against("a", "b", "c", "d", "e", rules=rules)
    assert [str(v) for v in found] == [
        "keep-pattern: a:2: no longer matches SPDX-License-Identifier"
    ]


def test_a_kept_pattern_that_backtracks_for_ever_is_refused_with_its_name() -> None:
    rules = GateRules(keep=("^(.*?,){30}x$", "^b$"), seconds=0.2)
    diff = Diff().change("a", b"b\n" + b"," * 60, b"c\n")
    too_slow, gone = diff.against("a", rules=rules)
    assert (too_slow.rule, too_slow.path) == ("keep-pattern", "a")
    assert "`^(.*?,){30}x$` takes too long" in too_slow.what
    assert str(gone) == "keep-pattern: a:1: no longer matches ^b$"


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        (b"1\n2\n", b"1\r\n2\r\n", True),
        (b"1\r\n2\r\n", b"1\n2\n3\n", True),
        (b"1\r\n2\r\n3\n", b"1\r\n2\r\n3\r\n", False),
        (b"1\r\n2\r\n3\n4\n5\r\n", b"1\r\n2\n3\n4\n5\n", True),
        (b"1\r\n2\r\n3\r\n4\n", b"1\r\n2\r\n3\r\n4\n5\n", False),
        (b"1\n2\n3\n4\n5\n", b"1\r\n2\r\n3\n4\n5\n", True),
        (b"1\n", b"2\n", False),
        (b"no end", b"1\r\n", False),
        (b"\0\n\n", b"\0\r\n\r\n", False),
    ],
)
def test_line_ends_must_not_flip(old: bytes, new: bytes, *, broken: bool) -> None:
    found = Diff().change("a", old, new).against("a")
    assert rules_broken(found) == ([("eol-flip", "a")] if broken else [])


def test_the_first_line_whose_end_flipped_is_told() -> None:
    (found,) = Diff().change("a", b"1\n2\n3\n", b"1\n2\r\n3\r\n").against("a")
    assert str(found) == "eol-flip: a:2: line ends were LF, are mixed (67% CRLF)"
    (found,) = Diff().change("a", b"1\r\n2\r\n3\r\n", b"1\r\n2\n3\n").against("a")
    assert str(found) == "eol-flip: a:2: line ends were CRLF, are mixed (33% CRLF)"


def test_what_a_migration_means_to_do_to_modes_line_ends_and_pointers_it_may_say() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    diff = Diff().change("x/a", b"1\n", b"1\n", FILE, EXECUTABLE).change("x/b", b"1\n", b"1\r\n")
    diff.change("x/c", pointer, b"1\n")
    rules = [Rule.MODE_FLIP, Rule.EOL_FLIP, Rule.LFS_POINTER]
    paths = ("x/a", "x/b", "x/c")
    assert rules_broken(diff.against(*paths)) == list(zip(rules, paths, strict=True))
    waivers = tuple(Waiver(rule=rule, paths=("/x/",), reason="we mean to") for rule in rules)
    assert diff.against(*paths, rules=GateRules(waivers=waivers)) == []
    assert len(diff.against(*paths, rules=GateRules(waivers=waivers[:1]))) == 2


def test_a_mode_must_not_flip_nor_a_file_become_something_else() -> None:
    diff = Diff().change("x", b"1\n", b"1\n", FILE, EXECUTABLE)
    diff.change("y", b"1\n", b"x", FILE, LINK).change("z", b"1", b"1", EXECUTABLE, FILE)
    assert rules_broken(diff.against("x", "y", "z")) == [
        ("mode-flip", "x"),
        ("mode-flip", "y"),
        ("mode-flip", "z"),
    ]


@pytest.mark.parametrize(
    "target",
    [
        b"/etc/passwd",
        b"../../outside",
        b"../sub/../../outside",
        b"sub/../..",
        b"../.git/config",
        b"../..",
    ],
)
def test_a_link_out_of_the_tree_is_refused(target: bytes) -> None:
    found = Diff().add("sub/link", target, LINK).against(creates=("sub/link",))
    assert rules_broken(found) == [("symlink-escape", "sub/link")]


def test_a_file_that_becomes_a_link_out_with_the_same_bytes_is_seen() -> None:
    found = Diff().change("f", b"/etc", b"/etc", FILE, LINK).against("f")
    assert rules_broken(found) == [("mode-flip", "f"), ("symlink-escape", "f")]


@pytest.mark.parametrize("target", [b"other", b"../a/b", b"./x/y", b"../", b"deeper/"])
def test_a_link_within_the_tree_passes(target: bytes) -> None:
    assert Diff().add("sub/link", target, LINK).against(creates=("sub/link",)) == []


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        "a/.GIT/hooks/x",
        "a/GIT~1/x",
        "a/.git./x",
        "a/.git::$INDEX/x",
        "a/.g\u200cit/x",
        "a/../b",
        "a\\b",
        "a\nb",
    ],
)
def test_a_dangerous_name_is_refused_even_when_announced(path: str) -> None:
    found = Diff().add(path).against(path, creates=(path,))
    assert ("dangerous-path", path) in rules_broken(found)


@pytest.mark.parametrize("path", [".gitignore", ".github/x.yml", "git/x", "a.git", "ü.py"])
def test_a_name_that_only_looks_like_git_passes(path: str) -> None:
    assert Diff().add(path).against(creates=(path,)) == []


def test_a_nested_repository_may_not_appear_but_a_submodule_may_be_bumped() -> None:
    diff = Diff().add("nested", b"1" * 40, SUBMODULE)
    diff.change("vendored", b"1", b"2", SUBMODULE, SUBMODULE)
    found = diff.against("nested", "vendored", creates=("nested",))
    assert rules_broken(found) == [("dangerous-path", "nested")]


def test_gitmodules_may_not_be_a_link() -> None:
    found = Diff().add(".gitmodules", b"x", LINK).against(creates=(".gitmodules",))
    assert rules_broken(found) == [("dangerous-path", ".gitmodules")]


def test_a_file_of_more_than_50_mb_is_refused() -> None:
    found = Diff().add("big", bytes(SIZE_LIMIT + 1)).add("fits", bytes(SIZE_LIMIT))
    assert rules_broken(found.against(creates=("big", "fits"))) == [("file-size", "big")]


def test_a_file_that_was_as_big_before_may_change_and_move() -> None:
    big, bigger = bytes(SIZE_LIMIT + 1), bytes(SIZE_LIMIT + 2)
    diff = Diff().change("big", bigger, big).delete("old/moves", bigger).add("new/moves", bigger)
    claims = ("big", "old/moves", "new/moves")
    assert diff.against(*claims) == []
    kept = diff.against(*claims, rules=GateRules(keep=("x",)))
    assert rules_broken(kept) == [("keep-pattern", "big")]


def test_a_name_that_is_not_utf8_can_be_told() -> None:
    odd = b"odd-\xff".decode("utf-8", "surrogateescape")
    (violation,) = Diff().change(odd, b"1\n", b"2\n").against()
    assert str(violation) == r"outside-claim: odd-\xff: changed but not claimed"
    assert str(violation).encode()


def collisions(added: list[str], before: Mapping[str, list[str]]) -> list[str]:
    after = {folder: list(names) for folder, names in before.items()}
    for path in added:
        folder = ""
        for name in path.split("/"):
            after.setdefault(folder, []).append(name)
            folder = f"{folder}/{name}".lstrip("/")
    found = case_collisions(added, lambda f: before.get(f, []), lambda f: after.get(f, []))
    return [str(violation) for violation in found]


def test_case_collisions_are_found_in_folders_too_and_only_new_ones() -> None:
    tree = {"": ["src", "Old", "old"], "src": ["Foo.py"], "old": ["x"]}
    assert collisions(["src/foo.py"], tree) == [
        "case-collision: src/foo.py: only case tells it from src/Foo.py"
    ]
    assert collisions(["SRC/new.py"], tree) == [
        "case-collision: SRC/new.py: only case tells it from src"
    ]
    assert collisions(["old/y", "src/bar.py"], tree) == []


def test_two_unicode_forms_of_one_name_collide() -> None:
    assert collisions(["e\u0301.py"], {"": ["\u00e9.py"]}) != []
