"""The live screen: one picture of whole lines, never higher than the terminal; plain lines else."""

import io
import re
import sys

import pytest
from rich.console import Console

from activities.contracts.children import AreaRow, TaskCounts
from activities.contracts.migration import Progress, Stage
from activities.contracts.plan import TaskRow
from cli.boundary import give
from cli.live import Screen
from cli.render import status_text

CONTROL = r"\x1b\]|\x1b\[2J|\x07|\u202e"


def a_row(number: int, state: str) -> AreaRow:
    title = f"a/very/long/path/{'deep/' * 20}{number}"
    return AreaRow(task=TaskRow(id=f"c1-{number:04}", title=title, claims=("a",)), state=state)


def a_progress(**fields: object) -> Progress:
    given = {
        "name": "bare-asserts",
        "objective": "Tests use bare asserts and pytest.raises; " + "and so on " * 30,
        "stage": Stage.WORK,
        "phase": "main",
        "counts": TaskCounts(landed=20, running=40, waiting=40),
        "sites_at_start": 50,
        "sites_left": 50,
    }
    return Progress.model_validate({**given, **fields})


@pytest.mark.parametrize("size", [(80, 24), (120, 50)])
def test_the_picture_is_whole_lines_and_fits_the_terminal(size: tuple[int, int]) -> None:
    width, height = size
    console = Console(
        file=io.StringIO(), force_terminal=True, width=width, height=height, record=True
    )
    screen = Screen(console=console)
    rows = [a_row(n, "running") for n in range(40)] + [a_row(n, "landed") for n in range(40, 60)]
    screen.show(a_progress(), rows)  # no drawing yet: it was not entered
    with screen:
        screen.show(a_progress(waiting_for="a person", command="starter.py resume x"), rows, "t")
        shown = console.export_text().splitlines()[-height:]
    assert 10 < len(shown) <= height
    [bar] = [line for line in shown if "━" in line]
    assert not bar.strip("━╸╺ ")
    assert any("landed 20/100, running 40, waiting 40" in line for line in shown)
    assert any("50 sites" in line for line in shown)
    assert any("more run" in line for line in shown)


STEERING = "a/\x1b]0;all landed\x07\x1b[2J\u202eb.py"


def test_no_name_of_a_file_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    row = a_row(1, "running")
    row = row.model_copy(update={"task": row.task.model_copy(update={"title": STEERING})})
    ended = row.model_copy(update={"state": "landed"})
    drawn = io.StringIO()
    told = a_progress(waiting_for=STEERING, command=STEERING, objective=STEERING)
    with Screen(console=Console(file=drawn, force_terminal=True, width=100, height=40)) as screen:
        screen.show(told, [row], STEERING)
        screen.show(told, [ended], STEERING)
    with Screen(console=Console(file=io.StringIO())) as screen:
        screen.show(told, [row], STEERING)
    said = capsys.readouterr().err
    for text in (drawn.getvalue(), said):
        assert "\\x1b]0;all landed" in text
        assert not {"\x1b]", "\x1b[2J", "\x07", "\u202e"} & {*re.findall(CONTROL, text)}


def test_what_is_only_waited_for_is_not_called_trouble() -> None:
    said = ("waiting: the environment go is being prepared on vm", "trying again (land): no")
    shown = [status_text(a_progress(), "link", [("trouble", text)]) for text in said]
    assert "waiting      the environment go is being prepared on vm" in shown[0]
    assert "trouble      trying again (land): no" in shown[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_data_is_as_it_is_for_programs_and_steers_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = "\x1b[31mred\x1b[0m\tx\n\x1b]0;all landed\x07\n"
    for stdout, shown in ((io.StringIO(), data), (Terminal(), "red\tx\n\\x1b]0;all landed\\x07\n")):
        monkeypatch.setattr(sys, "stdout", stdout)
        give(data)
        assert stdout.getvalue() == shown


def test_without_a_terminal_there_is_a_line_for_each_change_and_none_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Screen(console=Console(file=io.StringIO())) as screen:
        screen.show(a_progress(), [a_row(1, "running")])
        screen.show(a_progress(), [a_row(1, "running")])
        screen.show(a_progress(sites_left=3, stage=Stage.JUDGE), [a_row(1, "landed")], "stuck")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "c1-0001 running" in lines[0]
    assert "c1-0001 landed" in lines[2]
    assert "sites left 3 of 50 | stuck" in lines[3]
