"""The plugin platform: index without import, load by key, isolation, conflicts, versions, switches, hints."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mlcore.errors import (
    InvalidParameterError,
    PluginConflictError,
    PluginError,
    PluginNotFoundError,
    PluginVersionError,
)
from mlcore.hookspecs import Event, HookSpecs, hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.plugin_index import PluginEntry, Selection, satisfies
from mlcore.plugins import Plugins, hook_names

GOOD_REPO = """
from mlcore.hookspecs import hookimpl
class Repo:
    def __init__(self, uri): self.uri = uri
@hookimpl
def artifact_repo(uri):
    return Repo(uri) if uri.startswith("mem:") else None
"""


class Site:
    """A folder on sys.path in which the test puts plugin modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[str] = []

    def module(self, name: str, code: str) -> str:
        (self.folder / f"{name}.py").write_text(code)
        self.made.append(name)
        return name


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    found = Site(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield found
    for name in found.made:
        sys.modules.pop(name, None)


def entry(value: str, *, hook: str = "artifact_repo", key: str = "mem", dist: str = "demo-dist") -> PluginEntry:
    return PluginEntry(hook, key, value, dist, "1.2")


def test_a_plugin_is_imported_when_its_key_is_asked_for_and_not_before(site: Site) -> None:
    plugins = Plugins([entry(site.module("plug_lazy", GOOD_REPO))])

    assert "plug_lazy" not in sys.modules
    repo = plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert "plug_lazy" in sys.modules
    assert vars(repo) == {"uri": "mem://x"}


def test_a_module_under_two_keys_is_registered_once(site: Site) -> None:
    name = site.module("plug_twice", GOOD_REPO)
    plugins = Plugins([entry(name), entry(name, key="mem2")])

    assert plugins.load("artifact_repo", "mem") is plugins.load("artifact_repo", "mem2")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import does_not_exist", "ModuleNotFoundError"),
        ("raise ValueError('boom')", "ValueError"),
        ("import sys; sys.exit(7)", "SystemExit"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_whatever_a_plugin_raises_at_import_becomes_an_error_that_names_it(site: Site, code: str, kind: str) -> None:
    plugins = Plugins([entry(site.module("plug_broken", code))])

    with pytest.raises(PluginError, match=rf"plugin demo-dist 1.2 \(entry point mem = plug_broken .*{kind}") as caught:
        plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert type(caught.value.__cause__).__name__ == kind


def test_a_broken_plugin_does_not_hurt_those_who_did_not_ask_for_it(site: Site) -> None:
    broken = entry(site.module("plug_bad", "raise RuntimeError"), key="bad")
    plugins = Plugins([broken, entry(site.module("plug_fine", GOOD_REPO))])

    assert plugins.first(HookSpecs.artifact_repo, uri="mem://x") is not None


def test_a_broken_always_on_plugin_is_reported_once_and_left_out(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    always = PluginEntry("", "bad", site.module("plug_always_bad", "raise RuntimeError('boom')"), "bad-dist", "3.1")
    plugins = Plugins([always, entry(site.module("plug_ok", GOOD_REPO))])

    with caplog.at_level(logging.WARNING):
        plugins.first(HookSpecs.artifact_repo, uri="mem://x")
        plugins.every(HookSpecs.run_context)

    assert [r.getMessage() for r in caplog.records] == [
        "plugin bad-dist 3.1 (entry point bad = plug_always_bad in mlcore) is left out: loading failed with RuntimeError: boom"
    ]


def test_an_answer_of_a_strict_call_comes_with_who_gives_it(site: Site) -> None:
    code = "from mlcore.hookspecs import hookimpl\n@hookimpl\ndef run_context():\n    return {answer}\n"
    plugins = Plugins(
        [
            PluginEntry("run_context", "a", site.module("strict_a", code.format(answer="{'a': '1'}")), "a-dist", "1"),
            PluginEntry("run_context", "b", site.module("strict_b", code.format(answer="None")), "b-dist", "1"),
        ]
    )

    assert plugins.strictly(HookSpecs.run_context) == [
        ("a-dist 1 (entry point a = strict_a in mlcore.run_context)", {"a": "1"})
    ]


@pytest.mark.parametrize("code", ["raise OSError('disk')", "def run_context():\n    raise OSError('disk')"])
def test_a_plugin_that_fails_ends_a_strict_call(site: Site, code: str) -> None:
    marked = "from mlcore.hookspecs import hookimpl\n" + code.replace("def", "@hookimpl\ndef")
    plugins = Plugins([PluginEntry("run_context", "bad", site.module("strict_bad", marked), "bad-dist", "1")])

    for _ in range(2):
        with pytest.raises(PluginError, match=r"plugin bad-dist 1 .*OSError: disk") as failed:
            plugins.strictly(HookSpecs.run_context)
        assert isinstance(failed.value.__cause__, OSError)


def test_a_gatherer_that_raises_is_reported_once_and_the_others_count(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    bad = "from mlcore.hookspecs import hookimpl\n@hookimpl\ndef run_context():\n    raise OSError('disk')\n"
    good = "from mlcore.hookspecs import hookimpl\n@hookimpl\ndef run_context():\n    return {'a': '1'}\n"
    plugins = Plugins(
        [
            PluginEntry("", "bad", site.module("ctx_bad", bad), "bad-dist", "1"),
            PluginEntry("", "good", site.module("ctx_good", good), "good-dist", "1"),
        ]
    )

    with caplog.at_level(logging.WARNING):
        answers = [plugins.every(HookSpecs.run_context) for _ in range(2)]

    assert answers == [[{"a": "1"}], [{"a": "1"}]]
    assert len(caplog.records) == 1
    assert "bad-dist 1" in caplog.text
    assert "OSError: disk" in caplog.text


def test_an_event_listener_that_exits_does_not_end_the_program() -> None:
    class Rude:
        @hookimpl
        def event(self, event: Event) -> None:
            raise SystemExit(9)

    plugins = Plugins()
    plugins.register(Rude(), "rude")

    assert plugins.every(HookSpecs.event, event=Event("run_started", 0, "r")) == []


def test_an_unexpected_error_of_a_provider_names_the_plugin_and_keeps_the_cause(site: Site) -> None:
    code = "from mlcore.hookspecs import hookimpl\n@hookimpl\ndef artifact_repo(uri):\n    return {}['x']\n"
    plugins = Plugins([entry(site.module("plug_raises", code))])

    with pytest.raises(PluginError, match=r"demo-dist 1.2 .* failed in hook 'artifact_repo': KeyError") as caught:
        plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_of_mlcore_raised_by_a_provider_passes_with_a_note(site: Site) -> None:
    code = (
        "from mlcore.hookspecs import hookimpl\nfrom mlcore.errors import InvalidParameterError\n"
        "@hookimpl\ndef artifact_repo(uri):\n    raise InvalidParameterError('bad bucket')\n"
    )
    plugins = Plugins([entry(site.module("plug_refuses", code))])

    with pytest.raises(InvalidParameterError, match="bad bucket") as caught:
        plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert caught.value.__notes__ == [
        "raised by plugin demo-dist 1.2 (entry point mem = plug_refuses in mlcore.artifact_repo)"
    ]


def test_two_distributions_on_one_key_are_a_conflict_that_names_both(site: Site) -> None:
    first, second = site.module("plug_one", GOOD_REPO), site.module("plug_two", GOOD_REPO)

    for order in ([first, second], [second, first]):
        plugins = Plugins([entry(v, dist=f"dist-of-{v}") for v in order])
        with pytest.raises(
            PluginConflictError, match=r"dist-of-plug_one 1.2 and dist-of-plug_two 1.2 both offer 'mem'"
        ):
            plugins.first(HookSpecs.artifact_repo, uri="mem://x")


def test_a_setting_resolves_a_conflict(site: Site) -> None:
    names = [site.module("plug_left", GOOD_REPO), site.module("plug_right", GOOD_REPO)]
    selection = Selection(prefer={"artifact_repo:mem": "dist-of-plug_right"})
    plugins = Plugins([entry(n, dist=f"dist-of-{n}") for n in names], selection=selection)

    plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert "plug_left" not in sys.modules


@pytest.mark.parametrize("switch", ["demo-dist", "mem", "artifact_repo:mem"])
def test_a_disabled_plugin_is_never_imported(site: Site, switch: str) -> None:
    plugins = Plugins([entry(site.module("plug_off", GOOD_REPO))], selection=Selection(disabled=(switch,)))

    with pytest.raises(PluginNotFoundError, match="switch off"):
        plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert "plug_off" not in sys.modules


def test_an_allow_list_leaves_the_others_out(site: Site) -> None:
    plugins = Plugins(
        [entry(site.module("plug_in", GOOD_REPO)), entry(site.module("plug_out", GOOD_REPO), key="other", dist="d2")],
        selection=Selection(allowed=("demo-dist",)),
    )

    assert plugins.keys("artifact_repo") == ("mem",)


def test_an_unknown_scheme_names_what_is_installed_and_what_to_install() -> None:
    plugins = Plugins([entry("x", key="file")])

    with pytest.raises(
        PluginNotFoundError,
        match=r"no installed plugin answers artifact_repo scheme 's3' \(asked for 's3://me:\*\*\*@bucket/key'; installed: file\)\. "
        r"For s3: pip install mlcore-artifacts-s3",
    ):
        plugins.first(HookSpecs.artifact_repo, uri="s3://me:secret@bucket/key")


def test_a_misspelt_scheme_is_corrected() -> None:
    with pytest.raises(PluginNotFoundError, match=r"'sqlit', did you mean 'sqlite'\?.*pip install mlcore-store-sql"):
        Plugins().first(HookSpecs.tracking_store, uri="sqlit:///x.db", artifact_root=None)


def test_a_key_that_a_newer_version_of_an_installed_plugin_offers_asks_for_an_upgrade() -> None:
    plugins = Plugins([entry("x", hook="tracking_store", key="sqlite", dist="mlcore-store-sql")])

    with pytest.raises(PluginNotFoundError, match=r"For postgresql: pip install -U mlcore-store-sql$"):
        plugins.first(HookSpecs.tracking_store, uri="postgresql://h/x", artifact_root=None)


def test_a_plugin_for_another_kernel_is_refused_before_import(site: Site) -> None:
    info = site.folder / "old_plugin-0.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: old-plugin\nVersion: 0.9\nRequires-Dist: mlcore-kernel>=9\n"
    )
    plugins = Plugins([entry(site.module("plug_future", GOOD_REPO), dist="old-plugin")])

    with pytest.raises(
        PluginVersionError, match=r"needs mlcore-kernel>=9, but mlcore-kernel .* pip install -U mlcore-kernel"
    ):
        plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    assert "plug_future" not in sys.modules


@pytest.mark.parametrize(
    ("version", "clause", "met"),
    [
        ("0.1.0", ">=0.1", True), ("0.1.0", "<0.2", True), ("0.2.0", "<0.2", False), ("0.1.5", "~=0.1.2", True),
        ("0.2.0", "~=0.1.2", False), ("0.1.3", "==0.1.*", True), ("0.10.0", ">=0.9", True), ("1.0", "!=1.0", False),
    ],
)  # fmt: skip
def test_version_clauses(version: str, clause: str, met: bool) -> None:
    assert satisfies(version, clause) is met


def test_a_registered_object_answers_until_it_is_undone() -> None:
    class Mine:
        @hookimpl
        def run_context(self) -> Mapping[str, str]:
            return {"k": "v"}

    plugins = Plugins()
    undo = plugins.register(Mine())

    assert plugins.every(HookSpecs.run_context) == [{"k": "v"}]
    undo()
    assert plugins.every(HookSpecs.run_context) == []


def test_a_registered_factory_is_asked_when_no_entry_point_answers() -> None:
    sentinel = object()

    class Mine:
        @hookimpl
        def artifact_repo(self, uri: str) -> ArtifactRepo | None:
            return sentinel if uri.startswith("here:") else None  # type: ignore[return-value]  # only passed through

    plugins = Plugins()
    plugins.register(Mine())

    assert plugins.first(HookSpecs.artifact_repo, uri="here:/x") is sentinel
    with pytest.raises(PluginNotFoundError):
        plugins.first(HookSpecs.artifact_repo, uri="there:/x")


def test_every_hook_of_the_specs_is_known() -> None:
    assert hook_names() == (
        "tracking_store", "registry_store", "artifact_repo", "project_backend", "environment", "flavor", "deployer",
        "batch_engine", "sampler", "run_context", "run_monitor", "command", "web", "ui_extensions", "before_transition",
        "event",
    )  # fmt: skip


def test_discovery_reads_metadata_and_imports_no_plugin() -> None:
    code = (
        "import sys\nfrom mlcore.plugins import Plugins\nfrom mlcore.settings import Settings\n"
        "found = Plugins.discover(Settings()).installed()\n"
        "assert found, 'nothing installed'\n"
        "assert not [m for m in sys.modules if m.startswith('mlcore_')], sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_trace_has_every_import_and_call_with_its_plugin_and_outcome(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = GOOD_REPO + "@hookimpl\ndef run_context():\n    raise OSError('disk')\n"
    monkeypatch.setenv("MLCORE_TRACE", str(tmp_path / "trace"))
    plugins = Plugins([entry(site.module("plug_traced", code))])

    plugins.first(HookSpecs.artifact_repo, uri="mem://x")
    plugins.every(HookSpecs.run_context)

    lines = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()]
    shown = "demo-dist 1.2 (entry point mem = plug_traced in mlcore.artifact_repo)"
    assert [(line["hook"], line["plugin"], line["outcome"]) for line in lines] == [
        ("import", shown, "answered"),
        ("artifact_repo", shown, "answered"),
        ("run_context", shown, "raised OSError: disk"),
    ]
    assert all(line["duration_us"] > 0 and line["pid"] == os.getpid() for line in lines)


def test_a_trace_names_the_entry_point_of_the_hook_where_a_module_has_several(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCORE_TRACE", str(tmp_path / "trace"))
    module = site.module("plug_two_hooks", GOOD_REPO)
    plugins = Plugins([entry(module, hook="a_hook_before"), entry(module)])

    plugins.first(HookSpecs.artifact_repo, uri="mem://x")

    called = json.loads((tmp_path / "trace").read_text().splitlines()[-1])
    assert (called["hook"], called["plugin"]) == (
        "artifact_repo",
        "demo-dist 1.2 (entry point mem = plug_two_hooks in mlcore.artifact_repo)",
    )


def test_a_trace_that_cannot_be_written_does_not_stop_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLCORE_TRACE", str(tmp_path / "missing" / "trace"))

    assert Plugins().every(HookSpecs.run_context) == []

    assert "plugin calls are not traced: MLCORE_TRACE=" in caplog.text
