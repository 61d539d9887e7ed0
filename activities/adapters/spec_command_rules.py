"""What commands of a spec must keep, and rungs and environments beside them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from activities.adapters import spec_words as words
from activities.adapters.spec_messages import choices
from activities.adapters.spec_parts import all_judged, judged, part, table
from activities.adapters.spec_problem import Fault, Path
from activities.contracts.placeholder_faults import placeholder_faults
from activities.contracts.placeholder_slots import (
    FILES_FILE,
    LISTS,
    PROMPTS,
    WORDS,
    all_slots,
)
from activities.contracts.placeholders import list_placeholder
from activities.contracts.shorthands import as_run
from activities.contracts.spec import Check, Codemod, Command, CommandRung
from activities.contracts.split import Edges

Runnable = Check | Codemod | CommandRung | Edges

MAX_SCRIPT = 100_000
"""Bytes; the kernel takes no argument over 128 KiB."""

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
    yield from all_judged(fields.get("toolchains"), (*path, "toolchains"), words.toolchain)
    yield from all_judged(fields.get("inputs"), (*path, "inputs"), words.pattern)
    yield from all_judged(fields.get("writable"), (*path, "writable"), words.folder_inside)
    yield from all_judged(fields.get("mounts"), (*path, "mounts"), words.host_folder)
    prepared = any(fields.get(name) for name in ("prepare", "pip", "npm", "python"))
    if prepared and fields.get("checkout") == "full" and not fields.get("inputs"):
        what = "`checkout: full` without `inputs`: nothing would say when to prepare anew"
        yield Fault((*path, "checkout"), what, "name the files that decide under `inputs`")
    for name in ("checkout", "network"):
        if name in fields and not prepared:
            what = f"`{name}` is for `prepare`, and there is none"
            yield Fault((*path, name), what, "add `prepare`, or remove it", on_key=True)
    yield from _secret_faults(fields, path)
    for name in ("prepare", "setup"):
        yield from _script_faults(fields.get(name), (*path, name))


def _secret_faults(fields: dict[str, Any], path: Path) -> Iterator[Fault]:
    """Only a script that nothing in the repository can influence may see a secret."""
    here = (*path, "secrets")
    yield from _secrets_named(fields, path)
    if fields.get("secrets") and not fields.get("prepare"):
        what = "`secrets` are for `prepare`, and there is none"
        yield Fault(here, what, "add `prepare`, or remove it", on_key=True)
    seen = next((name for name in ("inputs", "checkout") if fields.get(name)), None)
    if fields.get("secrets") and seen:
        what = f"`secrets` beside `{seen}`: what a task writes could read them while it is prepared"
        advice = f"remove `{seen}`: `prepare` fetches what it needs by names of its own"
        yield Fault(here, what, advice, on_key=True)


def _secrets_named(fields: dict[str, Any], path: Path) -> Iterator[Fault]:
    here = (*path, "secrets")
    for name, reference in table(fields.get("secrets")).items():
        yield from judged(name, (*here, name), words.variable_name)
        yield from judged(reference, (*here, name), words.secret)


def _script_faults(script: Any, path: Path) -> Iterator[Fault]:
    """A script of an environment runs for all tasks alike, so it has none of their placeholders."""
    if isinstance(script, str) and (found := re.search(r"\bsecret:\w+", script)) is not None:
        what = f"`{found[0]}` is not filled in in a script"
        advice = f"name it under `secrets`: {{TOKEN: {found[0]}}}; `prepare` has it as $TOKEN"
        yield Fault(path, what, advice, offset=found.start())
    for slot in all_slots(script) if isinstance(script, str) else ():
        if slot.name in (*LISTS, *WORDS, FILES_FILE):
            what = f"`{path[-1]}` has no placeholders, such as `{{{slot.name}}}`"
            advice = "it runs for every task alike: name folders in it"
            yield Fault(path, what, advice, offset=slot.start)
            return


def rung_faults(value: Any, path: Path, environments: Iterable[str]) -> Iterator[Fault]:
    """The faults of one rung."""
    rung = table(value)
    here = (*path, "codemod")
    codemod = part(Codemod, as_run(rung["codemod"])) if "codemod" in rung else None
    if codemod is not None:
        yield from run_faults(codemod, rung["codemod"], here, environments)
        if codemod.batch is not None and list_placeholder(codemod.run) is None:
            advice = "put {files} into `run`, or remove `batch`"
            yield Fault((*here, "batch"), "`batch` without a list placeholder", advice)
        if codemod.network and codemod.apply != "once":
            what = "`network` of a codemod that runs for every task"
            advice = "add `apply: once`, or install what it needs in its environment"
            yield Fault((*here, "network"), what, advice, on_key=True)
    command = part(CommandRung, as_run(rung["command"])) if "command" in rung else None
    if command is not None:
        here = (*path, "command")
        yield from run_faults(command, rung["command"], here, environments)
        yield from _secrets_named(table(rung["command"]), here)
        if command.secrets and not command.network:
            advice = "name under `network` what it is the key to, or remove it"
            yield Fault((*here, "secrets"), "`secrets` without `network`", advice, on_key=True)
    for name in table(rung.get("write")):
        yield from judged(name, (*path, "write", name), words.file_inside, on_key=True)


def resolver_faults(value: Any, path: Path, environments: Iterable[str]) -> Iterator[Fault]:
    """The faults of the rung that settles conflicts."""
    yield from rung_faults(value, path, environments)
    advice = "give a command, or a codemod that is run for each task"
    if "write" in table(value):
        yield Fault((*path, "write"), "`write` knows nothing of a conflict", advice, on_key=True)
    if table(table(value).get("codemod")).get("apply") == "once":
        what = "`apply: once` knows nothing of one task's conflict"
        yield Fault((*path, "codemod", "apply"), what, advice)


def run_faults(
    form: Runnable, value: Any, path: Path, environments: Iterable[str]
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
    if not isinstance(form, Edges):
        yield from _variable_faults(form.env, (*path, "env"))
        yield from judged(form.dir, (*path, "dir"), words.working_folder)
    # a bare command stands for a map that holds only `run`
    here = (*path, "run") if isinstance(value, dict) else path
    if isinstance(form.run, str) and not form.run.strip():
        yield Fault(here, "is empty", "write the command")
    yield from _placeholder_faults(form, here)


def _placeholder_faults(form: Runnable, path: Path) -> Iterator[Fault]:
    run, prompted, has_targets = form.run, isinstance(form, CommandRung), isinstance(form, Check)
    commands = [(path, run)] if isinstance(run, str) else _single_words(run, path)
    for place, command in commands:
        for fault in placeholder_faults(command):
            if "`{vars." not in fault.what:  # reported where variables are replaced
                yield Fault(place, fault.what, fault.advice, offset=fault.offset)
    for slot in {slot.name: slot for slot in reversed(all_slots(run))}.values():
        if slot.name == "targets" and not has_targets:
            what, advice = "`{targets}` is only known in a check", "use {files} or {dirs}"
            yield Fault(path, what, advice, offset=slot.start)
        elif slot.name in PROMPTS and not prompted:
            what = f"`{{{slot.name}}}` is only known in a command rung"
            yield Fault(path, what, "use {task}", offset=slot.start)
    if isinstance(run, str):
        if len(run.encode()) > MAX_SCRIPT:
            yield Fault(path, "the script is too long for a command", "call a program instead")
        return
    for number, word in enumerate(run):
        if (found := _ANY_VARIABLE.search(word)) is not None:
            what = f"a list is run without a shell, so {found[0].replace('{', '')} stays as it is"
            yield Fault((*path, number), what, "write `run` as text", offset=found.start())


def _single_words(run: tuple[str, ...], path: Path) -> list[tuple[Path, Command]]:
    return [((*path, number), (word,)) for number, word in enumerate(run)]


def _variable_faults(value: Any, path: Path) -> Iterator[Fault]:
    for name, text in table(value).items():
        yield from judged(name, (*path, name), words.variable_name, on_key=True)
        yield from judged(text, (*path, name), words.variable_value)
