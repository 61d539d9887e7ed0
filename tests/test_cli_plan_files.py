"""`plan` of a phase as people give it: where the file is looked for, and what is said of it."""

from pathlib import Path

import pytest

from activities.contracts.plan import Plan
from activities.contracts.spec import MigrationSpec
from cli import starting
from cli.boundary import Refused
from cli.plan_files import without_unfit
from tests.builders import a_plan, a_task
from tests.contracts.specs import spec as spec_text

BASE = "b" * 40


def written(folder: Path, *changes: str) -> Path:
    path = folder / "spec.yaml"
    path.write_text(spec_text(*changes))
    return path


def a_saved(read: MigrationSpec, file: Path, phase: str = "main", **more: object) -> Plan:
    """A plan of the phase in a file, made for the spec."""
    task = a_task("c1-0001", "src/a.py")
    fields = {"spec_digest": read.plan_digest, "phase": phase, **more}
    plan = a_plan(read.name, BASE, task).model_copy(update=fields)
    file.parent.mkdir(exist_ok=True)
    file.write_text(plan.model_dump_json())
    return plan


def told(path: Path) -> str:
    with pytest.raises(Refused) as refused:
        starting.read_spec(path)
    return str(refused.value)


def test_a_plan_is_not_stale_because_the_spec_names_it(tmp_path: Path) -> None:
    plain = starting.read_spec(written(tmp_path))
    a_saved(plain, tmp_path / "plans" / "main.json")
    read = starting.read_spec(written(tmp_path, "plan: plans/main.json"))
    assert read.phases[0].plan == str(tmp_path / "plans" / "main.json")
    assert read.plan_digest == plain.plan_digest


def test_a_path_is_seen_from_the_file_that_names_it(tmp_path: Path) -> None:
    plain = starting.read_spec(written(tmp_path))
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "base.yaml").write_text("plan: team.json\n")
    a_saved(plain, tmp_path / "org" / "team.json")
    read = starting.read_spec(written(tmp_path, "extends: org/base.yaml"))
    assert read.phases[0].plan == str(tmp_path / "org" / "team.json")


def test_what_is_wrong_with_a_plan_is_told_where_the_spec_names_it(tmp_path: Path) -> None:
    plain = starting.read_spec(written(tmp_path))
    path, file = written(tmp_path, "plan: plan.json"), tmp_path / "plan.json"
    again = f"starter.py plan {path} -o {file}"
    here = f"{path}:9:7: plan: {file} "
    assert told(path) == f"{here}cannot be read: No such file or directory; make it: {again}"
    file.write_text("{")
    assert told(path).startswith(f"{here}is no saved plan: Invalid JSON")
    a_saved(plain, file, spec_digest="0" * 64)
    assert told(path) == f"{here}was made for another spec; make a new one: {again}"
    a_saved(plain, file, phase="other")
    assert told(path).startswith(f"{here}is of phase other, not of main; name it there")
    twice = (a_task("c1-0001", "src/a.py"), a_task("c7-0001", "src/b.py"))
    a_saved(plain, file, tasks=twice)
    assert told(path).startswith(f"{here}cannot be run: task c1-0001: 2 tasks have this id; mend")


def test_fields_that_a_plan_has_not_or_lacks_are_told_at_their_places(tmp_path: Path) -> None:
    plain = starting.read_spec(written(tmp_path))
    path, file = written(tmp_path, "plan: plan.json"), tmp_path / "plan.json"
    a_saved(plain, file)
    file.write_text(file.read_text().replace('"needs"', '"need"').replace('"claims"', '"claim"'))
    assert told(path) == (
        f"{path}:9:7: plan: {file} is no saved plan: tasks[0].claims is missing; "
        "unknown field tasks[0].claim: did you mean `claims`?; "
        "unknown field tasks[0].need: did you mean `needs`?; "
        f"mend it, or make a new one: starter.py plan {path} -o {file}"
    )


def test_one_of_several_stale_plans_can_be_made_anew(tmp_path: Path) -> None:
    phases = "phases: [{name: a, plan: a.json}, {name: b, plan: b.json}, {name: c, plan: c.json}]"
    plain = starting.read_spec(written(tmp_path, "phases: [{name: a}, {name: b}, {name: c}]"))
    for phase, digest in (("a", "0" * 64), ("b", "0" * 64), ("c", plain.plan_digest)):
        a_saved(plain, tmp_path / f"{phase}.json", phase, spec_digest=digest)
    read = starting.read_spec(written(tmp_path, phases), "none")
    spec, said = without_unfit(read.without_plan("a"), ["a", "b", "c"])
    assert [phase.plan for phase in spec.phases] == ["static", "static", str(tmp_path / "c.json")]
    assert said == [
        f"phase b: {tmp_path / 'b.json'} was made for another spec; it is left out here"
    ]


def test_all_that_is_wrong_with_several_plans_is_told_at_once(tmp_path: Path) -> None:
    phases = "phases: [{name: a, plan: a.json}, {name: b}, {name: c, plan: c.json}]"
    said = told(written(tmp_path, phases)).splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in said] == [
        *("phases[0].plan", "phases[2].plan")
    ]
    assert said[1].endswith(f"-o {tmp_path / 'c.json'} --phase c")


def test_a_saved_plan_takes_the_place_of_the_one_that_the_spec_names(tmp_path: Path) -> None:
    plain = starting.read_spec(written(tmp_path))
    path, mine = written(tmp_path, "plan: gone.json"), tmp_path / "mine.json"
    a_saved(plain, mine)
    read = starting.read_spec(path, "later")
    chosen = starting.with_first_plan(read, mine, path)
    assert chosen.phases[0].plan == str(mine)
