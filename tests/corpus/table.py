"""The real migrations that Whimbrel is tried on, and what comes of each without a model.

Each is a release from a package registry and a spec of its name in examples/.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from activities.adapters.releases import OAUTHLIB, Release, Source, sdist
from activities.contracts.migration import Stage
from tests.corpus.registries import crate, debian, go_module, maven, npm


@dataclass(frozen=True)
class Outcome:
    """What a migration came to, as far as it is the same each time."""

    stage: Stage = Stage.DONE
    tasks: int = 0
    landed: int = 0
    """Tasks, partial ones included."""
    files: int = 0
    """Landed."""
    bounced: int = 0
    """How often the merge queue sent a candidate back."""
    left: tuple[str, ...] = ()
    """Files that need a person; a task of which nothing was done by its title."""
    results: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """check → what its widest run gave on the base and on the green tip; of others anything."""
    stays: tuple[int, int] | None = None
    """Lines of what stays on the green tip, and files that have some."""


@dataclass(frozen=True)
class Staying:
    """What may be left in place: lines on the green tip that match."""

    pattern: str
    """An extended regular expression, as `git grep` takes it."""
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Migration:
    """One of them."""

    release: Release
    source: Source
    expected: Outcome
    staying: Staying | None = None


CORPUS = {
    "oauthlib-unittest2pytest": Migration(
        OAUTHLIB,
        sdist,
        Outcome(
            stage=Stage.DONE_WITH_LEFTOVERS,
            tasks=11,
            landed=11,
            files=47,
            # `caught.exception` has to become `caught.value`.
            left=(
                "tests/oauth2/rfc6749/grant_types/test_client_credentials.py",
                "tests/oauth2/rfc6749/grant_types/test_refresh_token.py",
                "tests/oauth2/rfc6749/grant_types/test_resource_owner_password.py",
            ),
            results={"unit": ("546 passed", "546 passed")},
        ),
    ),
    "es-abstract-lebab": Migration(
        Release(
            "es-abstract",
            "1.17.7",
            "638f552ad6a1818e3303611ef056e4e1b05c45ca2b51c72a97e5ac7b3ace0c18",
        ),
        npm,
        Outcome(
            tasks=14,
            landed=14,
            files=627,
            results={"all": ("22810 passed", "22810 passed")},
            stays=(27, 11),
        ),
        Staying(r"^\s*(for \()?var ", ("5", "20??/*", "helpers", "test", "operations")),
    ),
    "pygments-2to3": Migration(
        Release(
            "Pygments", "1.6", "799ed4caf77516e54440806d8d9cd82a7607dfdf4e4fb643815171a4b5c921c0"
        ),
        sdist,
        Outcome(
            # Half of what 2.7 ran and passed stops at one regular expression that 3.6 refuses.
            stage=Stage.STOPPED,
            tasks=10,
            landed=9,
            files=49,
            left=(
                "pygments/lexer.py",
                "pygments/lexers/__init__.py",
                "pygments/lexers/functional.py",
                "tests/test_basic_api.py",
                "tests/test_examplefiles.py",
            ),
            results={
                "py2": ("905 passed", "not run"),
                "py3": ("not run", "722 passed, 8 failed"),
            },
        ),
    ),
    "opa-go-fix": Migration(
        Release(
            "github.com/open-policy-agent/opa",
            "v0.30.2",
            "h1:xnXVZAQaVRGk8UAjr64TR/XhiycZK7SHOx4+E+q77cM=",
        ),
        go_module,
        Outcome(
            # 272 files with the generator's, which waits for its turn behind three `ReadDir`.
            stage=Stage.DONE_WITH_LEFTOVERS,
            tasks=30,
            landed=30,
            files=271,
            left=(
                "internal/gojsonschema/jsonschema_test.go",
                "loader/loader.go",
                "test/wasm/cmd/wasm-rego-testgen/main.go",
            ),
            results={"tests": ("2718 passed, 36 failed", "2718 passed, 36 failed")},
        ),
    ),
    "clap-edition": Migration(
        Release(
            "clap", "2.33.3", "37e58ac78573c40708d45522f0d80fa2f01cc4f9b4e2bf749807255454312002"
        ),
        crate,
        Outcome(tasks=2, landed=2, files=27, results={"lib": ("88 passed", "88 passed")}),
    ),
    "zlib-ansi": Migration(
        Release(
            "zlib",
            "1.2.13.dfsg",
            "71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1",
        ),
        debian("zlib1g", "tar.bz2"),
        Outcome(
            tasks=10,
            landed=10,
            files=33,
            results={"suite": ("3 passed", "3 passed")},
            stays=(11, 2),  # of Windows
        ),
        Staying(r"\bOF\(\(", ("*.c", "*.h")),
    ),
    "commons-cli-junit5": Migration(
        Release(
            "commons-cli:commons-cli",
            "1.5.0",
            "24f282414f4f2e642b10bfd37a6ad586494529d29ef48c3bae64f3469e5e1f43",
        ),
        maven,
        Outcome(tasks=4, landed=4, files=30, results={"unit": ("382 passed", "382 passed")}),
    ),
}

QUICK = ("oauthlib-unittest2pytest", "es-abstract-lebab")
"""Those that every run of the tests has."""

HOMEASSISTANT_LEFT = """\
airzone apple_tv aranet bond broadlink color_extractor crownstone dlna_dms flux_led
gardena_bluetooth generic gogogate2 homekit_controller homewizard hydrawise imap improv_ble
isy994 knx lametric litejet matter medcom_ble onvif openexchangerates qnap_qsw reolink samsungtv
switchbot twitch waqi webostv wiz workday yalexs_ble zha zwave_js
"""
"""Integrations that import FlowResult together with other names."""

SCALE = {
    "homeassistant-flowresult": Migration(
        Release(
            "homeassistant",
            "2023.12.4",
            "75e6b43da702cc25a1321da0c3f915247c180a84fbcc9e76a9341b1e6a9cc14f",
        ),
        sdist,
        Outcome(
            stage=Stage.DONE_WITH_LEFTOVERS,
            tasks=464,
            landed=427,
            files=427,
            left=tuple(
                f"homeassistant/components/{name}/config_flow.py"
                for name in HOMEASSISTANT_LEFT.split()
            ),
            results={"all": ("not run", "1 passed")},
        ),
    ),
    "sympy-ruff": Migration(
        Release("sympy", "1.5", "31567dc010bff0967ef7a87210acf3f938c6ab24481581fc143536fb103e9ce8"),
        sdist,
        Outcome(
            stage=Stage.DONE_WITH_LEFTOVERS,
            tasks=45,
            landed=45,
            files=627,
            # In __init__ and runtests the tool takes out a `__future__` import whose name is used.
            # The other two only stand in the same traceback: they could land.
            left=(
                "sympy/__init__.py",
                "sympy/utilities/decorator.py",
                "sympy/utilities/lambdify.py",
                "sympy/utilities/runtests.py",
            ),
            results={"tests": ("287 passed", "287 passed")},
        ),
    ),
}
