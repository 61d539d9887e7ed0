"""Placeholders reach the program as they are, whatever the names hold: tried with real bash."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.contracts.placeholder_faults import placeholder_faults, unknown_words
from activities.contracts.placeholders import (
    Call,
    expand,
    list_placeholder,
    path_lists,
    replace_list,
)
from activities.contracts.spec import Command

HOSTILE = (
    "a b.py",
    "a'b\"c.py",
    "a\nb.py",
    "-rf",
    "$(touch pwned)",
    "`touch pwned`",
    "{x}",
    "{files}",
    "${HOME}",
    "a&b;c|d>e",
    "*",
    "back\\slash",
    "é/ü.py",
    "\udcff.py",
    "~",
    "a=b",
    "#c",
    "!x",
)
SHOW = "printf '%s\\0'"
"""Prints its arguments NUL-separated."""

paths = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)


def run(call: Call, folder: Path) -> list[str]:
    """What the command printed, split at NUL; its files are written as the caller would."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in call.files.items():
        (folder / name).write_bytes(content)
    env = {"PATH": os.environ["PATH"], "ARGS": str(folder), "ENV": "/env & co", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(call.argv, env=env, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [os.fsdecode(part) for part in done.stdout.split(b"\0")[:-1]]


def safe(values: tuple[str, ...]) -> list[str]:
    return [f"./{value}" if value.startswith("-") else value for value in values]


def only(calls: tuple[Call, ...]) -> Call:
    assert len(calls) == 1
    return calls[0]


TEXTS = {
    f"{SHOW} {{files}}": "{}",
    f"{SHOW} ./{{files}}/...": "./{}/...",
    f"{SHOW} --x={{files}},end": "--x={},end",
    f"{SHOW} $ENV/{{files}}.x": "/env & co/{}.x",
    f"{SHOW} x{{files}}/${{ENV}}": "x{}//env & co",
    f'for f in {{files}}; do {SHOW} "$f"; done': "{}",
    f'x=({{files}}); {SHOW} "${{x[@]}}"': "{}",
    f"({SHOW} {{files}}|cat)": "{}",
    f"# don't {{files}}\n{SHOW} {{files}} # it's": "{}",
    f"cat >/dev/null <<E\nit's\nE\n{SHOW} {{files}}": "{}",
    f"y=\"$({SHOW} {{files}} | tr '\\0' '\\1')\"; printf '%s' \"$y\" | tr '\\1' '\\0'": "{}",
    f"{SHOW} {{task}}:{{files}}": "t 1:{}",
    f"xargs -0 {SHOW} < {{files_file}}": "{}",
}


@pytest.mark.parametrize("script", TEXTS)
def test_hostile_names_arrive_whole_in_a_script(script: str, tmp_path: Path) -> None:
    assert not placeholder_faults(script)
    call = only(expand(script, {"files": HOSTILE}, {"task": "t 1"}))
    assert run(call, tmp_path) == [TEXTS[script].format(name) for name in safe(HOSTILE)]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(call.files)


def test_no_value_is_ever_pasted_into_the_script() -> None:
    run = f"{SHOW} {{files}} {{task}} {{files|join:,}}"
    quiet, loud = (
        only(expand(run, {"files": values}, {"task": values[0]})).argv
        for values in (("a",), ("$(touch x)",))
    )
    assert quiet == loud


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(paths, min_size=1, max_size=5).map(tuple), task=paths)
def test_both_forms_pass_the_same_arguments(
    values: tuple[str, ...], task: str, tmp_path: Path
) -> None:
    words = {"task": task}
    script = f"{SHOW} ./{{files}}.x {{task}} {{files|join:,}} {{{{files}}}}"
    argv = ("printf", "%s\\0", "./{files}.x", "{task}", "{files|join:,}", "{{files}}")
    expected = [f"./{v}.x" for v in safe(values)] + [task, ",".join(safe(values)), "{files}"]
    for command in (script, argv):
        call = only(expand(command, {"files": values}, words))
        assert run(call, tmp_path) == expected


def test_an_empty_list_gives_no_call() -> None:
    for command in (
        "sed -i x {files}",
        ("sed", "{files}"),
        ("x", "{files|join:,}"),
        "x {files_file}",
    ):
        assert expand(command, {"files": ()}, {}) == ()
    assert len(expand("make", {"files": ()}, {})) == 1


def test_an_empty_second_list_removes_its_word(tmp_path: Path) -> None:
    for command in (
        f"{SHOW} {{files}} --r={{roots}}",
        ("printf", "%s\\0", "{files}", "--r={roots}"),
    ):
        call = only(expand(command, {"files": ("a",), "roots": ()}, {}))
        assert run(call, tmp_path) == ["a"]


def test_a_batch_bounds_the_values_of_each_call(tmp_path: Path) -> None:
    values = tuple(f"f{n}" for n in range(7))
    for command in (f"{SHOW} {{files}}", ("printf", "%s\\0", "{files}")):
        calls = expand(command, {"files": values}, {}, batch=3)
        told = [run(call, tmp_path / str(n)) for n, call in enumerate(calls)]
        assert told == [["f0", "f1", "f2"], ["f3", "f4", "f5"], ["f6"]]


def test_arguments_over_the_limit_are_split_and_one_value_too_big_goes_alone() -> None:
    values = ("a" * 40, "b" * 40, "c" * 500, "d" * 10)
    argv = expand(("tool", "--flag", "x/{files}"), {"files": values}, {}, max_bytes=120)
    assert [len(call.argv) - 2 for call in argv] == [2, 1, 1]
    assert all(
        sum(len(word) + 1 for word in c.argv) <= 120 for c in argv if "c" * 500 not in str(c)
    )
    script = expand("tool --flag x/{files}", {"files": values}, {}, max_bytes=120)
    assert [call.files["0"].count(b"\0") for call in script] == [2, 1, 1]


def test_a_list_in_a_file_is_never_split() -> None:
    values = tuple(f"folder/file-{n}.py" for n in range(20_000))
    text = only(expand("tool --from {files_file}", {"files": values}, {}))
    assert text.argv[-1] == 'tool --from "$ARGS/files_file"'
    assert text.files["files_file"].count(b"\0") == 20_000
    argv = only(expand(("tool", "@{files_file}"), {"files": values}, {}, args_folder="/args"))
    assert argv.argv == ("tool", "@/args/files_file")
    assert argv.files == text.files


def test_a_very_long_list_and_prompt_fit_a_script(tmp_path: Path) -> None:
    values = tuple(f"{n:0200}" for n in range(3_000))
    script = f'for f in {{files}}; do {SHOW} "$f"; done; x={{prompt}}; {SHOW} ${{#x}}'
    call = only(expand(script, {"files": values}, {"prompt": "é" * 200_000}, max_bytes=10**7))
    assert len(call.argv[-1]) < 1_000
    assert run(call, tmp_path) == [*values, "200000"]


def test_a_placeholder_without_a_value_is_an_error_not_an_empty_word() -> None:
    with pytest.raises(ValueError, match=r"\{roots\}"):
        expand("x {roots}", {"files": ("a",)}, {})
    with pytest.raises(ValueError, match=r"\{task\}"):
        expand("x {files} {task}", {"files": ("a",)}, {})


def test_the_shells_braces_are_left_alone(tmp_path: Path) -> None:
    script = f'x=1; {{ {SHOW} ${{x}} {{a,b}} {{{{x}}}} "${{x:-y}}" {{1..2}} {{}}; }}'
    assert unknown_words(script) == []
    call = only(expand(script, {}, {}))
    assert run(call, tmp_path) == ["1", "a", "b", "{x}", "1", "1", "2", "{}"]
    assert call.argv[:4] == ("bash", "-euo", "pipefail", "-c")


def test_unknown_words_are_named_once_and_comments_hold_none() -> None:
    assert unknown_words("x {file} {files} {file} {repo.url} # {note}") == ["file", "repo.url"]
    assert unknown_words(("{file}", "{{other}}", "${x}")) == ["file"]


def test_the_list_is_the_first_one_named() -> None:
    cases: dict[Command, str | None] = {
        "x {task} ./{dirs}/... {files}": "dirs",
        ("x", "{files|join:,}"): "files",
        "x {files_file}": "files",
        "x {{files}} ${files}": None,
        "x # {files}": None,
    }
    assert {command: list_placeholder(command) for command in cases} == cases


FAULTS = {
    "x '{files}'": "stands inside quotes",
    'x "a {task}"': "stands inside quotes",
    "cat <<E\n{files}\nE": "stands inside quotes",
    'x "${a:-{files}}"': "stands inside quotes",
    "x $'{files}'": "stands inside quotes",
    "x {flies}": "unknown placeholder `{flies}`",
    "x {files|upper}": "`|upper` is unknown",
    "x {task|join:,}": "`{task}` is not a list",
    "x {dirs}/{files}": "holds two lists",
    "F={files} x": "gives a list to a plain variable",
    "x {dirs}/*.py": "more than plain characters",
    'x "$A"/{files}': "more than plain characters",
    "x $A{files}$B": "variables on both sides",
}


@pytest.mark.parametrize("script", FAULTS)
def test_what_would_not_expand_as_meant_is_a_fault(script: str) -> None:
    assert [FAULTS[script] in fault.what for fault in placeholder_faults(script)] == [True]


@pytest.mark.parametrize(
    "script",
    [
        'x "$(cat {files})"',
        "awk '{ print $1 }' {files}",
        "perl -pi -e 's/\\bdel(_sync)?\\b(?=\\s*\\()/x$1/g' {files}",
        '(grep -l \'"io/ioutil"\' {files} || true) | while read -r f; do\n  x "$f"\ndone',
        "gofmt -r 'interface{{}} -> any' -w {files}",
        "x {task}/{files} \\' {files}",
        "x <<< {task}",
        "echo $((1 + 2)) {files}",
        "BRANCH={task} make",
    ],
)
def test_ordinary_scripts_have_no_fault(script: str) -> None:
    assert placeholder_faults(script) == []


def test_whole_takes_the_lists_place_in_either_form(tmp_path: Path) -> None:
    (tmp_path / "t1.py").touch()
    cases: list[tuple[Command, str, list[str]]] = [
        (
            f"{SHOW} -q {{dirs}} {{task}}",
            "-r a 'b c' t*.py",
            ["-q", "-r", "a", "b c", "t1.py", "t"],
        ),
        (f"{SHOW} ./{{dirs}}/...", "a b", ["./a/...", "./b/..."]),
        (f"{SHOW} {{dirs|join:,}}", "a 'b c'", ["a,b c"]),
        (("printf", "%s\\0", "./{dirs}/...", "{task}"), "a 'b c'", ["./a/...", "./b c/...", "t"]),
        (("printf", "%s\\0", "{dirs|join::}", "{task}"), "a b", ["a:b", "t"]),
    ]
    for command, text, expected in cases:
        replaced = replace_list(command, text)
        assert list_placeholder(replaced) is None
        for file in tmp_path.glob("[0-9]*"):
            file.unlink()
        assert run(only(expand(replaced, {}, {"task": "t"})), tmp_path) == expected


def test_path_lists_are_sorted_and_unique() -> None:
    assert path_lists(["b/y.py", "b/x.py", "a.py", "b/x.py", "b/c/z.py"]) == {
        "files": ("a.py", "b/c/z.py", "b/x.py", "b/y.py"),
        "dirs": (".", "b", "b/c"),
    }
