"""The bridge without MLflow: what is found, what is offered, and what stays away."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlcore_bridge_mlflow.artifacts import children
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import fitting
from mlcore_bridge_mlflow.points import installed
from mlcore_bridge_mlflow.searching import narrowing

from mlcore.errors import (
    AlreadyExistsError,
    ArtifactNotFoundError,
    InvalidParameterError,
    InvalidStateError,
    LimitExceededError,
    MissingDependencyError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
    PermissionDeniedError,
    PluginConflictError,
    PluginError,
    PluginNotFoundError,
    StoreUnavailableError,
    UnauthenticatedError,
    UnsupportedError,
)
from mlcore.hookspecs import HookSpecs
from mlcore.plugin_index import PluginEntry
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.wire.filter_parser import parse_run_filter

Install = Callable[[str, str], None]
ON = Settings(bridges=("mlflow",))
POINTS = """
[console_scripts]
acme = acme_cli:main
[mlflow.artifact_repository]
acme = acme_repo:Repo
[ mlflow.run_context_provider ]
unused = acme_context:Context
[mlflow.model_evaluator]
acme = acme_evaluator:Evaluator
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with the given entry points."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def put(dist: str, points: str) -> None:
        info = site / f"{dist.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\nSummary: All of {dist}\n")
        (info / "entry_points.txt").write_text(points)

    yield put
    for name in [n for n in sys.modules if n.partition(".")[0] in ("mlflow", "acme_repo", "acme_context")]:
        del sys.modules[name]


def bridged(plugins: Plugins, dist: str = "acme-mlflow") -> list[tuple[str, str]]:
    """Return hook and key of what a distribution offers."""
    return [(e.hook, e.key) for e in plugins.installed() if e.dist == dist]


def test_nothing_is_offered_until_the_setting_says_so(install: Install) -> None:
    install("acme-mlflow", POINTS)

    assert bridged(Plugins.discover(Settings())) == []
    assert bridged(Plugins.discover(ON)) == [("artifact_repo", "acme"), ("run_context", "unused")]


def test_what_is_offered_is_imported_when_it_is_asked_for(install: Install) -> None:
    install("acme-mlflow", POINTS)
    plugins = Plugins.discover(ON)

    assert plugins.keys("artifact_repo").count("acme") == 1
    assert not {"mlflow", "acme_repo", "acme_context"} & set(sys.modules)


def test_the_bridge_is_not_imported_when_it_is_off() -> None:
    code = (
        "import sys; from mlcore.plugins import Plugins; Plugins.discover()\n"
        "print([m for m in sys.modules if m.startswith('mlcore_bridge')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "wanted",
    ["acme-mlflow", "run_context_provider", "mlflow.run_context_provider", "run_context", "unused"],
)
def test_one_distribution_group_hook_or_key_can_be_chosen(install: Install, wanted: str) -> None:
    install("acme-mlflow", POINTS)
    install("other-mlflow", "[mlflow.artifact_repository]\nother = other:Repo\n")

    plugins = Plugins.discover(Settings(bridges=(f"mlflow:{wanted}",)))

    assert ("run_context", "unused") in bridged(plugins)
    assert bridged(plugins, "other-mlflow") == []


def test_the_switches_of_plugins_hold_for_bridged_ones(install: Install) -> None:
    install("acme-mlflow", POINTS)

    plugins = Plugins.discover(Settings(bridges=("mlflow",), disable_plugins=("acme-mlflow",)))

    with pytest.raises(PluginNotFoundError, match=r"offered by acme-mlflow 1\.2 .*switch off"):
        plugins.first(HookSpecs.artifact_repo, uri="acme://x")


def test_run_contexts_of_one_name_are_all_asked(install: Install) -> None:
    install("acme-mlflow", POINTS)
    install("other-mlflow", "[mlflow.run_context_provider]\nunused = other:Context\n")

    found = [e.key for e in installed() if e.hook == "run_context" and "unused" in e.key]

    assert found == ["unused@acme-mlflow", "unused@other-mlflow"]


def test_distributions_that_name_the_same_thing_do_not_collide(install: Install) -> None:
    for dist in ("acme-mlflow", "acme-mlflow-skinny"):
        install(dist, "[mlflow.deployments]\nacme = acme_deploy\n")

    assert [e.dist for e in installed() if e.key == "acme"] == ["acme-mlflow"]


def test_two_distributions_for_one_key_are_a_conflict_that_a_setting_solves(install: Install) -> None:
    install("acme-mlflow", POINTS)
    install("other-mlflow", "[mlflow.artifact_repository]\nacme = other:Repo\n")

    with pytest.raises(PluginConflictError, match=r"acme-mlflow 1\.2 and other-mlflow 1\.2 both offer 'acme'"):
        Plugins.discover(ON).entry("artifact_repo", "acme")

    settled = Plugins.discover(Settings(bridges=("mlflow",), prefer={"artifact_repo:acme": "other-mlflow"}))
    found = settled.entry("artifact_repo", "acme")
    assert found is not None
    assert found.dist == "other-mlflow"


def test_a_plugin_of_our_own_goes_first_unless_the_other_is_preferred(install: Install) -> None:
    install("acme-mlflow", "[mlflow.artifact_repository]\nzip = acme_repo:Repo\n")
    install("own", "[mlcore.artifact_repo]\nzip = own.plugin\n")

    first = Plugins.discover(ON).entry("artifact_repo", "zip")
    other = Plugins.discover(Settings(bridges=("mlflow",), prefer={"artifact_repo:zip": "acme-mlflow"}))

    assert first is not None
    assert first.dist == "own"
    found = other.entry("artifact_repo", "zip")
    assert found is not None
    assert found.dist == "acme-mlflow"


def test_a_plugin_without_mlflow_names_the_pip_line(install: Install) -> None:
    install("acme-mlflow", POINTS)

    with pytest.raises(
        MissingDependencyError,
        match=r"acme-mlflow 1\.2 \(entry point acme = acme_repo:Repo in mlflow\.artifact_repository, by the bridge "
        r"mlflow\) needs MLflow, which is not installed: pip install mlflow",
    ):
        Plugins.discover(ON).first(HookSpecs.artifact_repo, uri="acme://x/y")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('ACME_URL is not set')", "ValueError: ACME_URL is not set"),
        ("import sys; sys.exit(7)", "SystemExit: 7"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("", "has no attribute 'Repo'"),
        ("Repo = 3", "expected a class or function, got a int"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named_to_who_asks(
    install: Install, tmp_path: Path, code: str, said: str
) -> None:
    install("acme-mlflow", POINTS)
    (tmp_path / "site" / "mlflow.py").write_text("")
    (tmp_path / "site" / "acme_repo.py").write_text(code)
    plugins = Plugins.discover(ON)

    with pytest.raises(PluginError, match=rf"acme-mlflow 1\.2 \(entry point acme = .*{said}"):
        plugins.first(HookSpecs.artifact_repo, uri="acme://x/y")


def test_a_context_that_breaks_is_reported_once_and_the_others_are_heard(
    install: Install, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("acme-mlflow", POINTS + "[mlflow.run_context_provider]\nleaving = acme_context:Leaving\n")
    (tmp_path / "site" / "mlflow.py").write_text("")
    (tmp_path / "site" / "acme_context.py").write_text(
        "class Context:\n"
        "    def in_context(self): return True\n"
        "    def tags(self): return {'team': 'cellar', 'floor': 3, 'room': None}\n"
        "class Leaving(Context):\n"
        "    def in_context(self): raise SystemExit(7)\n"
    )
    plugins = Plugins.discover(Settings(bridges=("mlflow:acme-mlflow",)))

    with caplog.at_level(logging.WARNING):
        found = [plugins.every(HookSpecs.run_context) for _ in range(2)]

    assert [{"floor": "3", "team": "cellar"} in each for each in found] == [True, True]
    said = [r.getMessage() for r in caplog.records if "acme" in r.getMessage()]
    assert len(said) == 1
    assert "plugin acme-mlflow 1.2 (entry point leaving = acme_context:Leaving in mlflow.run_context" in said[0]


class _CodedError(Exception):
    """As MLflow's exceptions: with a code."""

    def __init__(self, text: str, error_code: str) -> None:
        super().__init__(text)
        self.error_code = error_code


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (_CodedError("gone", "RESOURCE_DOES_NOT_EXIST"), NotFoundError),
        (_CodedError("gone", "NOT_FOUND"), NotFoundError),
        (_CodedError("there", "RESOURCE_ALREADY_EXISTS"), AlreadyExistsError),
        (_CodedError("who", "CUSTOMER_UNAUTHORIZED"), UnauthenticatedError),
        (_CodedError("no", "PERMISSION_DENIED"), PermissionDeniedError),
        (_CodedError("enough", "RESOURCE_EXHAUSTED"), LimitExceededError),
        (_CodedError("odd", "INVALID_PARAMETER_VALUE"), InvalidParameterError),
        (_CodedError("must be in the 'active' state", "INVALID_PARAMETER_VALUE"), InvalidStateError),
        (_CodedError("was already logged with value='1'", "INVALID_PARAMETER_VALUE"), ParamConflictError),
        (_CodedError("strange", "INTERNAL_ERROR"), PluginError),
        (NotImplementedError("later"), UnsupportedError),
        (FileNotFoundError("gone"), NotFoundError),
        (ConnectionRefusedError("nobody"), StoreUnavailableError),
        (Exception("Error: 404 Not Found"), NotFoundError),
        (Exception("Error: 401 Unauthorized"), UnauthenticatedError),
        (Exception("status code 503"), StoreUnavailableError),
        (Exception("404 files are too many"), PluginError),
        (SystemExit(7), PluginError),
        (ArtifactNotFoundError("ours"), ArtifactNotFoundError),
    ],
    ids=lambda value: getattr(value, "error_code", type(value).__name__) if isinstance(value, BaseException) else None,
)
def test_what_a_plugin_raises_leaves_as_an_error_of_ours(raised: BaseException, expected: type[MlcoreError]) -> None:
    entry = PluginEntry("artifact_repo", "acme", "acme", "acme-mlflow", "1.2")

    with pytest.raises(expected) as caught, Guard(entry, "listing"):
        raise raised

    assert type(caught.value) is expected
    assert caught.value is raised or "acme-mlflow 1.2" in caught.value.message
    assert caught.value is raised or caught.value.__cause__ is raised


class _Info:
    """As MLflow's FileInfo."""

    def __init__(self, path: str, file_size: int | None = 1, *, is_dir: bool = False) -> None:
        self.path = path
        self.file_size = file_size
        self.is_dir = is_dir


def test_listings_of_whole_trees_become_direct_children() -> None:
    listed = [_Info("a/b/deep/x"), _Info("a/b/y", 2), _Info("a/b"), _Info("."), _Info("a/bc"), _Info("./a/b/z", None)]

    found = children("a/b", listed)

    assert [(i.path, i.is_dir, i.file_size) for i in found] == [
        ("a/b/deep", True, None),
        ("a/b/y", False, 2),
        ("a/b/z", False, None),
    ]


@pytest.mark.parametrize(
    ("text", "narrowed"),
    [
        ("metrics.a > 1 AND params.b = 'x'", "metrics.a > 1 AND params.b = 'x'"),
        ("metrics.a > 1 AND (params.b = 'x' OR params.b = 'y')", "metrics.a > 1"),
        ("metrics.a != 1 AND tags.t = 'v'", "tags.t = 'v'"),
        ("metrics.a.max > 1", ""),
        ("params.b > 5", ""),
        ("NOT params.b = 'x'", ""),
        ("params.b != 'x'", ""),
        ("tags.t IS NULL", ""),
        ("", ""),
    ],
)
def test_a_store_is_asked_for_what_every_store_of_mlflow_understands_alike(text: str, narrowed: str) -> None:
    assert narrowing(parse_run_filter(text)) == narrowed


def test_a_plugin_of_an_old_release_gets_the_arguments_that_it_knows() -> None:
    def old(uri: str) -> None: ...
    def new(uri: str, tracking_uri: str | None = None) -> None: ...
    def any_(uri: str, **kwargs: object) -> None: ...

    wanted: dict[str, object] = {"tracking_uri": None, "registry_uri": None}

    assert [sorted(fitting(each, wanted)) for each in (old, new, any_)] == [
        [],
        ["tracking_uri"],
        ["registry_uri", "tracking_uri"],
    ]
