"""What commands of a spec must keep: checks, rungs and the environments they run in."""

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from activities.adapters import spec_words as words
from activities.adapters.spec_messages import choices
from activities.adapters.spec_parts import all_judged, judged, part, table
from activities.adapters.spec_problem import Fault, Path
from activities.adapters.spec_support import WHAT
from activities.contracts.placeholder_faults import placeholder_faults
from activities.contracts.placeholder_slots import FILES_FILE, LISTS, all_slots, slots
from activities.contracts.placeholders import list_placeholder
from activities.contracts.shorthands import as_run
from activities.contracts.spec import (
    Check,
    Codemod,
    Command,
    CommandRung,
    ResultKind,
)

MAX_SCRIPT = 100_000
"""Bytes; the kernel takes no argument over 128 KiB."""

_LATER = {
    "targets": "use {files} or {dirs}",
    "roots": "use {dirs}",
    "prompt_file": "use {prompt}",
}
_RESULTS = re.compile(r"\$\{?RESULTS\b")
_ANY_VARIABLE = re.compile(r"\$\{?(?:ENV|RESULTS|HOME|TMPDIR)\b")


def environment_faults(value: Any, path: Path) -> Iterator[Fault]:
    """The faults of one environment."""
    fields = table(value)
    yield from all_judged(fields.get("pip"), (*path, "pip"), words.pip_package)
    yield from all_judged(fields.get("npm"), (*path, "npm"), words.npm_package)
    yield from all_judged(fields.get("path"), (*path, "path"), words.inside)
    yield from all_judged(fields.get("requires"), (*path, "requires"), words.executable)
    yield from _variable_faults(fields.get("env"), (*path, "env"))
    if fields.get("pip") and "python" not in fields:
        advice = 'add the version, such as python: "3.11"'
        yield Fault((*path, "pip"), "`pip` needs `python`", advice)


def check_faults(value: Any, path: Path, environments: Iterable[str]) -> Iterator[Fault]:
    """The faults of one check."""
    check = part(Check, value)
    if check is None:
        return
    yield from _run_faults(check, value, path, environments)
    yield from _result_faults(check, path)
    works_through = list_placeholder(check.run)
    if works_through is None:
        for name in ("whole", "otherwise"):
            if name in table(value):
                advice = f"put {{files}} or {{dirs}} into `run`, or remove `{name}`"
                yield Fault((*path, name), f"`{name}` without a list placeholder", advice)
        return
    if check.otherwise == "whole" and check.whole is None:
        advice = "add `whole`, or write the text to use"
        yield Fault((*path, "otherwise"), "`otherwise: whole` without `whole`", advice)
    texts = {"whole": check.whole, "otherwise": check.otherwise}
    for name in ("whole", "otherwise"):
        text = texts[name]
        if text is not None and not (name == "otherwise" and text in ("skip", "whole")):
            yield from _replacement_faults(text, (*path, name), check.run)


def rung_faults(value: Any, path: Path, environments: Iterable[str]) -> Iterator[Fault]:
    """The faults of one rung."""
    rung = table(value)
    here = (*path, "codemod")
    codemod = part(Codemod, as_run(rung["codemod"])) if "codemod" in rung else None
    if codemod is not None:
        yield from _run_faults(codemod, rung["codemod"], here, environments)
        if codemod.batch is not None and list_placeholder(codemod.run) is None:
            advice = "put {files} into `run`, or remove `batch`"
            yield Fault((*here, "batch"), "`batch` without a list placeholder", advice)
    command = part(CommandRung, as_run(rung["command"])) if "command" in rung else None
    if command is not None:
        yield from _run_faults(command, rung["command"], (*path, "command"), environments)
    for name in table(rung.get("write")):
        yield from judged(name, (*path, "write", name), words.file_inside)


def finder_faults(finder: dict[str, Any], path: Path) -> Iterator[Fault]:
    """The faults of one finder."""
    yield from judged(finder.get("regex"), (*path, "regex"), words.line_regex)
    command = finder.get("command")
    for slot in all_slots(command) if isinstance(command, str) else ():
        if slot.name and not slot.name.startswith("vars."):
            what = f"a finder's command has no placeholders, such as `{{{slot.name}}}`"
            advice = f"search the whole tree; write {{{{{slot.name}}}}} for a literal one"
            yield Fault((*path, "command"), what, advice)


def _run_faults(
    form: Check | Codemod | CommandRung, value: Any, path: Path, environments: Iterable[str]
) -> Iterator[Fault]:
    """What every command must keep."""
    known = list(environments)
    if "environment" in table(value):
        here = (*path, "environment")
        yield Fault(here, "unknown field `environment`", "did you mean `in`?", on_key=True)
    elif form.environment is not None and form.environment not in known:
        advice = choices(form.environment, known) if known else "define it under `environments`"
        yield Fault((*path, "in"), f"unknown environment `{form.environment}`", advice)
    elif form.environment is None and len(known) > 1 and "in" not in table(value):
        advice = f"add `in`: {', '.join(known)}"
        yield Fault((*path, "in"), "there are several environments and no `in`", advice)
    yield from _variable_faults(form.env, (*path, "env"))
    yield from judged(form.dir, (*path, "dir"), words.inside)
    yield from _placeholder_faults(form.run, (*path, "run"), isinstance(form, CommandRung))


def _placeholder_faults(run: Command, path: Path, prompted: bool) -> Iterator[Fault]:
    for fault in placeholder_faults(run):
        if "`{vars." not in fault.what:  # reported where variables are replaced
            yield Fault(path, *fault)
    for name in dict.fromkeys(slot.name for slot in all_slots(run)):
        if name in _LATER:
            yield Fault(path, f"`{{{name}}}` is {WHAT}", _LATER[name])
        elif name == "prompt" and not prompted:
            yield Fault(path, "`{prompt}` is only known in a command rung", "use {task}")
    if isinstance(run, str):
        if len(run.encode()) > MAX_SCRIPT:
            yield Fault(path, "the script is too long for a command", "call a program instead")
        return
    for number, word in enumerate(run):
        if (found := _ANY_VARIABLE.search(word)) is not None:
            what = f"a list is run without a shell, so {found[0].replace('{', '')} stays as it is"
            yield Fault((*path, number), what, "write `run` as text")


def _result_faults(check: Check, path: Path) -> Iterator[Fault]:
    run = check.run if isinstance(check.run, str) else " ".join(check.run)
    writes = _RESULTS.search(run) is not None
    if check.results == ResultKind.JUNIT and not writes:
        advice = "let the command write its report there, such as --junitxml=$RESULTS"
        yield Fault((*path, "run"), "`results: junit` and no $RESULTS in `run`", advice)
    if check.results != ResultKind.EXIT:
        return
    if writes:
        what = "`run` writes $RESULTS, and `results: exit` does not read it"
        yield Fault((*path, "results"), what, "add `results: junit`")
    if check.allow:
        what = "`allow` names results, and `results: exit` has none"
        yield Fault((*path, "allow"), what, "use results: junit or tap")


def _replacement_faults(text: str, path: Path, run: Command) -> Iterator[Fault]:
    """The faults of a text that takes the place of a list."""
    if any(slot.name == FILES_FILE for slot in all_slots(run)):
        yield Fault(path, "a text cannot take the place of {files_file}", "use {files} in `run`")
    for slot in slots(text):
        if slot.name in LISTS or slot.name in (FILES_FILE, "prompt"):
            yield Fault(path, f"`{{{slot.name}}}` is what this replaces", "write paths")
    try:
        shlex.split(text)
    except ValueError:
        yield Fault(path, "a quote is open in it", "close the quote")


def _variable_faults(value: Any, path: Path) -> Iterator[Fault]:
    for name, text in table(value).items():
        yield from judged(name, (*path, name), words.variable_name)
        yield from judged(text, (*path, name), words.variable_value)
