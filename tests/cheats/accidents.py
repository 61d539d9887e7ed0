"""What is no test and must not land: the files, names, modes and secrets of a change."""

from tests.adapters.repositories import Executable, Gitlink, Symlink
from tests.cheats.cases import Case, changed

LICENSED = "// SPDX-License-Identifier: MIT\nint main(void) { return 0; }\n"
BEFORE = {"src/a.c": LICENSED, "src/b.c": "int b;\n"}
KEEP = "SPDX-License-Identifier"
PROTECT = "/release/**"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 81\n"
_KEY = "ghp_" + "aB3dE6gH9kL2nP5rS8uV1xY4zC7fJ0mQ2tW5"

ACCIDENTS: dict[str, Case] = {
    "a file of another task": Case(
        BEFORE,
        {"src/a.c": LICENSED + "\n", "src/b.c": "int c;\n"},
        ("outside-claim: src/b.c",),
        claims=("src/a.c",),
    ),
    "a new file that nobody announced": Case(
        BEFORE, {"src/a.c.orig": LICENSED}, ("outside-claim: src/a.c.orig",), claims=("src/a.c",)
    ),
    "another's file is deleted": Case(
        BEFORE, {"src/b.c": None}, ("outside-claim: src/b.c",), claims=("src/a.c",)
    ),
    "a protected file": Case(
        {"release/version.txt": "1\n"},
        {"release/version.txt": "2\n"},
        ("protected-path: release/version.txt",),
    ),
    "a licence is lost": changed(
        "src/a.c", LICENSED, LICENSED[:31], "/* new */", "keep-pattern: src/a.c:1"
    ),
    "line ends are flipped": Case(
        BEFORE, {"src/a.c": LICENSED.replace("\n", "\r\n")}, ("eol-flip: src/a.c:1",)
    ),
    "line ends are flipped back": Case(
        {"win/a.bat": "one\r\ntwo\r\n"}, {"win/a.bat": "one\ntwo\n"}, ("eol-flip: win/a.bat:1",)
    ),
    "a program is none any more": Case(
        {"bin/run": Executable("#!/bin/sh\n")},
        {"bin/run": "#!/bin/sh\n"},
        ("mode-flip: bin/run",),
    ),
    "a program is none any more where it moved": Case(
        {"bin/moves": Executable("#!/bin/sh\n# moves\n")},
        {"bin/moves": None, "tools/moves": "#!/bin/sh\n# moves\n"},
        ("mode-flip: tools/moves",),
    ),
    "a program is none any more where it moved and was edited": Case(
        {"bin/edits": Executable("#!/bin/sh\nset -e\nold call\nexit 0\n")},
        {"bin/edits": None, "tools/edits": "#!/bin/sh\nset -e\nnew call\nexit 0\n"},
        ("mode-flip: tools/edits",),
    ),
    "half of a file's line ends are flipped": Case(
        {"src/half.c": "1;\n2;\n3;\n4;\n5;\n"},
        {"src/half.c": "1;\r\n2;\r\n3;\n4;\n5;\n"},
        ("eol-flip: src/half.c:1",),
    ),
    "a pointer becomes the file": Case(
        {"art/logo.bin": POINTER},
        {"art/logo.bin": "the logo\n" * 9},
        ("lfs-pointer: art/logo.bin:1",),
    ),
    "a file becomes a pointer": Case(
        {"art/icon.bin": "the icon\n" * 9},
        {"art/icon.bin": POINTER},
        ("lfs-pointer: art/icon.bin:1",),
    ),
    "a file becomes a program": Case(
        BEFORE, {"src/b.c": Executable("int b;\n")}, ("mode-flip: src/b.c",)
    ),
    "a file becomes a link": Case(BEFORE, {"src/b.c": Symlink("a.c")}, ("mode-flip: src/b.c",)),
    "a link out of the tree": Case(
        BEFORE, {"src/up": Symlink("../../outside")}, ("symlink-escape: src/up",)
    ),
    "a link to the host's files": Case(
        BEFORE, {"src/key": Symlink("/etc/passwd")}, ("symlink-escape: src/key",)
    ),
    "a nested repository": Case(BEFORE, {"vendor": Gitlink("2" * 40)}, ("dangerous-path: vendor",)),
    "a folder that is .git on other disks": Case(
        BEFORE, {"src/.git.": "x\n"}, ("dangerous-path: src/.git.",)
    ),
    "a name that is .git by its short form": Case(
        BEFORE, {"src/git~1": "x\n"}, ("dangerous-path: src/git~1",)
    ),
    "a name with a control character": Case(
        BEFORE, {"src/a\x1bc": "x\n"}, ("dangerous-path: src/a\x1bc",)
    ),
    "a name that only case tells from another": Case(
        BEFORE, {"src/A.c": "int a;\n"}, ("case-collision: src/A.c",)
    ),
    "a folder that only case tells from another": Case(
        {"docs/a.md": "a\n"}, {"Docs/b.md": "b\n"}, ("case-collision: Docs/b.md",)
    ),
    "a file grows to 60 MB": Case(
        {"data/small.bin": b"\0"},
        {"data/small.bin": b"\0" * 60_000_000},
        ("file-size: data/small.bin",),
    ),
    "a file of 60 MB": Case(
        BEFORE, {"src/core.bin": b"\0" * 60_000_000}, ("file-size: src/core.bin",)
    ),
    "a secret in the code": changed(
        "src/b.c", "int b;\n", "b;\n", f'b;\nchar *t = "{_KEY}";\n', "secrets-added: src/b.c:2"
    ),
    "a secret in a new file": Case(BEFORE, {".env": f"T={_KEY}\n"}, ("secrets-added: .env:1",)),
}
