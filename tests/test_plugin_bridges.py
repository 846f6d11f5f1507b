"""Bridges to other plugin systems: asked when the setting names them, harmless when they are missing or broken."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlcore.errors import PluginError
from mlcore.hookspecs import HookSpecs
from mlcore.plugin_bridges import asked, offered
from mlcore.plugin_check import check
from mlcore.plugin_index import ForeignPoint, PluginEntry, Selection
from mlcore.plugins import Plugins
from mlcore.settings import Settings

Install = Callable[[str], None]
ON = Settings(bridges=("demo",))
BRIDGE = """
from mlcore.hookspecs import hookimpl
from mlcore.plugin_index import ForeignPoint, PluginEntry

class Thing:
    def __init__(self, entry): self.entry = entry
    @hookimpl
    def artifact_repo(self, uri):
        load(self.entry)
        return self

def installed(wanted):
    point = ForeignPoint("theirs", "demo_foreign:Repo", "demo")
    return [PluginEntry("artifact_repo", "there", "demo_bridge:x", "vendor-dist", "2.0", "", (), point)]

def plugin(entry): return Thing(entry)

def load(entry):
    import demo_foreign
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install the bridge `demo` with the given code."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(code: str) -> None:
        info = tmp_path / "mlcore_bridge_demo-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mlcore-bridge-demo\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[mlcore.bridge]\ndemo = demo_bridge\n")
        (tmp_path / "demo_bridge.py").write_text(code)

    yield put
    for name in ("demo_bridge", "demo_foreign"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ((), {}),
        (("a",), {"a": ()}),
        (("a:x", "b", "a:y:z"), {"a": ("x", "y:z"), "b": ()}),
        (("a:x", "a"), {"a": ()}),
        (("a", "a:x"), {"a": ()}),
    ],
)
def test_the_setting_names_bridges_and_what_is_wanted_of_them(
    setting: tuple[str, ...], expected: dict[str, tuple[str, ...]]
) -> None:
    assert asked(setting) == expected


def test_a_bridge_that_is_not_named_is_not_imported(install: Install) -> None:
    install("raise RuntimeError('boom')")

    Plugins.discover(Settings())

    assert "demo_bridge" not in sys.modules


def test_what_a_bridge_offers_is_a_plugin_like_others(install: Install, tmp_path: Path) -> None:
    install(BRIDGE)
    (tmp_path / "demo_foreign.py").write_text("")
    plugins = Plugins.discover(ON)

    entry = plugins.entry("artifact_repo", "there")
    assert "demo_foreign" not in sys.modules
    opened = plugins.first(HookSpecs.artifact_repo, uri="there://x")

    assert str(entry) == "vendor-dist 2.0 (entry point there = demo_foreign:Repo in theirs, by the bridge demo)"
    assert opened.entry == entry  # type: ignore[attr-defined]  # it is the bridge's own class


def test_what_breaks_behind_a_bridge_is_named_as_what_it_is(install: Install, tmp_path: Path) -> None:
    install(BRIDGE)
    (tmp_path / "demo_foreign.py").write_text("raise ValueError('no licence')")

    with pytest.raises(PluginError, match=r"vendor-dist 2\.0 \(entry point there = .*'artifact_repo'.*no licence"):
        Plugins.discover(ON).first(HookSpecs.artifact_repo, uri="there://x")


@pytest.mark.parametrize("code", ["raise RuntimeError('boom')", "import sys; sys.exit(7)", "x = 1"])
def test_a_broken_bridge_is_reported_and_disturbs_nobody(
    install: Install, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    install(code)

    with caplog.at_level(logging.WARNING):
        plugins = Plugins.discover(ON)

    assert "bridge:demo is left out" in caplog.text
    assert [e.key for e in plugins.installed() if e.hook == "bridge" and e.key == "demo"] == ["demo"]


def test_a_bridge_that_is_not_installed_is_reported_with_the_pip_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Plugins.discover(Settings(bridges=("no-such",)))

    assert "no installed plugin answers bridge name 'no-such'" in caplog.text


def test_an_own_plugin_goes_before_a_bridged_one_but_contexts_are_all_heard() -> None:
    point = ForeignPoint("theirs", "x", "demo")
    own = [PluginEntry(hook, "key", "own", "own-dist", "1") for hook in ("artifact_repo", "run_context")]
    found = [
        PluginEntry(hook, "key", f"bridge:{hook}", "vendor", "2", foreign=point)
        for hook in ("artifact_repo", "run_context")
    ]

    alone = offered(found, own, Selection())
    preferred = offered(found, own, Selection(prefer={"artifact_repo:key": "vendor"}))
    without = offered(found, own, Selection(disabled=("own-dist",)))

    assert [e.hook for e in alone] == ["run_context"]
    assert [e.hook for e in preferred] == ["artifact_repo", "run_context"]
    assert [e.hook for e in without] == ["artifact_repo", "run_context"]


@pytest.mark.parametrize(
    ("foreign", "problem"),
    [
        ("", None),
        ("raise ValueError('no licence')", "raises ValueError when it is imported: no licence"),
        ("import sys; sys.exit(7)", "calls sys.exit(7) when it is imported"),
        (None, "the entry point's module 'demo_foreign' does not exist"),
    ],
)
def test_a_check_loads_what_is_behind_a_bridge(
    install: Install, tmp_path: Path, foreign: str | None, problem: str | None
) -> None:
    install(BRIDGE)
    if foreign is not None:
        (tmp_path / "demo_foreign.py").write_text(foreign)
    plugins = Plugins.discover(ON)
    entry = plugins.entry("artifact_repo", "there")
    assert entry is not None

    found = check(plugins, [entry])[0]

    assert found.status == ("failed" if problem else "ok"), json.dumps([f.problem for f in found.faults])
    assert problem is None or found.faults[0].problem.startswith(problem)


def test_a_check_names_the_functions_that_a_bridge_lacks(install: Install) -> None:
    install("def installed(wanted): return []\n")
    plugins = Plugins.discover(Settings())

    found = check(plugins, [e for e in plugins.installed() if e.key == "demo"])[0]

    assert [f.problem for f in found.faults] == ["has no function plugin and no load"]
