"""The doctor looks at hubs: at those here, and at a host's rights where another one serves them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from activities.adapters.hub import Hub
from activities.adapters.hub_state import decoded, state_of
from activities.adapters.hub_trial import FOREIGN
from activities.adapters.settings import Settings
from cli.doctor_hub import hub as look
from tests.adapters import hub_server
from tests.adapters.hub_server import serving
from tests.adapters.repositories import git, make_repository

ID = "app-1a2b3c4d"
ROOT = Path(__file__).parents[1]
SSH = """\
#!/bin/sh
# As sshd runs a forced command: what was asked for is the last word.
for word; do :; done
cd {root}
SSH_ORIGINAL_COMMAND="$word" exec {python} -m activities.adapters.hub_door one {folder}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    make_repository(tmp_path / "upstream", {"a": "1\n"})
    hub = Hub.open(tmp_path / "hub", ID)
    base = hub.fetch_base(str(tmp_path / "upstream"), "main", "m").commit
    git(hub.path, "update-ref", "refs/heads/whimbrel/m", base)
    return hub


def elsewhere(tmp_path: Path, url: str) -> Settings:
    """A host that has worked with the hub before."""
    settings = Settings(home=tmp_path / "home", hub=url, host="one")
    Hub.open(settings.mirrors, ID)
    return settings


@contextmanager
def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[None]:
    """Hubs that are served without some of a host's settings, as one who forgot them would."""

    def fewer(host: str) -> dict[str, str]:
        rights = dict(real(host))
        for key in [k for k, name in rights.items() if name in names]:
            rights[key] = "whimbrel.none"
        return rights

    real = hub_server.rights
    monkeypatch.setattr(hub_server, "rights", fewer)
    yield
    monkeypatch.setattr(hub_server, "rights", real)


async def test_hubs_that_are_here_are_looked_at(tmp_path: Path, hub: Hub) -> None:
    found = await look(Settings(home=tmp_path))
    assert found.ok, found
    assert "1 hub, git 2." in found.seen
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    assert (await look(Settings(home=tmp_path / "new"))).ok, "they will be made"


async def test_a_hosts_rights_are_tried_and_leave_one_ref(tmp_path: Path, hub: Hub) -> None:
    before = hub.refs("refs/")
    with serving(hub.path.parent, "one") as url:
        for _ in range(2):
            found = await look(elsewhere(tmp_path, url))
            assert found.ok, found
    assert f"rights of one tried at {ID}" in found.seen
    after = hub.refs("refs/")
    assert after.keys() - before.keys() == {"refs/whimbrel/host/one/+doctor/probe"}
    assert before.items() <= after.items()


async def test_a_hub_that_does_not_answer_is_told_with_what_to_do(tmp_path: Path) -> None:
    found = await look(elsewhere(tmp_path, "git://127.0.0.1:1/"))
    assert not found.ok
    assert "git://127.0.0.1:1/ does not answer" in found.seen
    assert "docs/many-hosts.md" in found.fix


@pytest.mark.parametrize(
    ("forgotten", "said"),
    [
        ("uploadpack.hideRefs", "refs that are to be hidden, such as refs/whimbrel/"),
        ("core.hooksPath", f"it takes {FOREIGN[1]}"),
        ("receive.hideRefs", "it does not take refs/whimbrel/host/one/+doctor/probe"),
    ],
)
async def test_rights_that_somebody_forgot_to_give_or_to_deny_are_told(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, forgotten: str, said: str
) -> None:
    if forgotten == "receive.hideRefs":
        git(hub.path, "config", "receive.hideRefs", "refs/whimbrel/")
    with without(monkeypatch, forgotten), serving(hub.path.parent, "one") as url:
        found = await look(elsewhere(tmp_path, url))
    assert not found.ok
    assert said in found.seen, found
    assert FOREIGN[1] not in hub.refs("refs/"), "what was taken is gone again"


def test_the_door_says_how_the_hubs_are(tmp_path: Path, hub: Hub) -> None:
    state = state_of(hub.path.parent)
    assert decoded(state.encoded) == state
    assert (state.hubs, state.hook, state.writable) == ((ID,), True, True)
    with pytest.raises(ValueError, match=r"it said '\{\}'"):
        decoded("{}")


@pytest.mark.parametrize("door", [True, False])
async def test_over_ssh_the_hubs_host_is_asked(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, door: bool
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    ssh = programs / "ssh"
    said = SSH.format(root=ROOT, python=sys.executable, folder=hub.path.parent)
    ssh.write_text(said if door else "#!/bin/sh\necho no route >&2; exit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    (hub.path.parent / f"{ID}.git").rename(hub.path.parent / "away")
    url = "ssh://whimbrel@hub.example.com:2222/"
    found = await look(Settings(home=tmp_path / "home", hub=url, host="one"))
    assert found.ok is door
    assert ("0 hubs, git 2." if door else "does not answer: no route") in found.seen, found
