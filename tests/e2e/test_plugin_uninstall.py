"""Every first-party plugin, installed from its wheel and really uninstalled: who needs it is told, nobody else notices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sourcecode
from attrs import frozen

Run = Callable[..., subprocess.CompletedProcess[str]]

LAB = """
from pathlib import Path

import mlcore
import numpy as np
from sklearn.linear_model import LinearRegression

with mlcore.start_run(run_name="first"):
    mlcore.log_metric("loss", 0.5)
    mlcore.log_text("sunny", "weather.txt")
Path("train.sh").write_text("exit 0")
model = LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([1.0, 3.0]))
mlcore.sklearn.save_model(model, "model")
for flavor in ("pytorch", "onnx"):  # what tells of the flavor is enough
    Path(flavor).mkdir()
    sections = f"{flavor}: {{data: data}}, python_function: {{loader_module: mlflow.{flavor}}}"
    Path(flavor, "MLmodel").write_text(f"flavors: {{{sections}}}\\n")
"""
OPEN = """
from mlcore.hookspecs import HookSpecs
from mlcore.plugins import current
print(type(current().first(HookSpecs.{hook}, {arguments})).__name__)
"""
BRIDGED = """
import os
os.environ["MLCORE_BRIDGES"] = "mlflow"
from mlcore.plugins import current
current().installed()
assert not current().failures(), current().failures()
"""


@frozen
class Use:
    """What a user does with a plugin.

    works: arguments of a Python that end well while it is installed. command: what names it by configuration only.
    """

    works: tuple[str, ...]
    command: tuple[str, ...] = ()


CLI = ("-m", "mlcore.cli")
USES = {
    "store_sql": Use((*CLI, "runs", "search", "--json"), ("runs", "search")),
    "store_file": Use(
        ("-c", "from mlcore.plugins import current; current().load('tracking_store', 'file')"),
        ("--tracking-uri", "file:///nowhere", "runs", "search"),
    ),
    "artifacts_local": Use(
        ("-c", OPEN.format(hook="artifact_repo", arguments="uri='file:///tmp'")),
        ("artifacts", "list", "-r", "first"),
    ),
    "project_local": Use(
        ("-c", OPEN.format(hook="project_backend", arguments="name='local'")),
        ("run", ".", "-e", "train.sh"),
    ),
    "artifacts_s3": Use(
        ("-c", OPEN.format(hook="artifact_repo", arguments="uri='s3://bucket/x'")),
        ("artifacts", "download", "-u", "s3://bucket/x"),
    ),
    "context_default": Use((*CLI, "plugins", "show", "mlcore-context-default")),
    "flavor_sklearn": Use(
        ("-c", OPEN.format(hook="flavor", arguments="name='sklearn'")), ("models", "predict", "-m", "model")
    ),
    "flavor_xgboost": Use(("-c", OPEN.format(hook="flavor", arguments="name='xgboost'"))),
    "flavor_lightgbm": Use(("-c", OPEN.format(hook="flavor", arguments="name='lightgbm'"))),
    "flavor_statsmodels": Use(("-c", OPEN.format(hook="flavor", arguments="name='statsmodels'"))),
    "flavor_pytorch": Use(
        ("-c", OPEN.format(hook="flavor", arguments="name='pytorch'")),
        ("models", "predict", "-m", "pytorch"),
    ),
    "flavor_onnx": Use(
        ("-c", OPEN.format(hook="flavor", arguments="name='onnx'")),
        ("models", "predict", "-m", "onnx"),
    ),
    "deploy_sagemaker": Use(
        ("-c", OPEN.format(hook="deployer", arguments="name='sagemaker', target_uri='sagemaker:/eu-west-1'")),
        ("deployments", "list", "-t", "sagemaker:/eu-west-1"),
    ),
    "project_ray": Use(("-c", OPEN.format(hook="project_backend", arguments="name='ray'"))),
    "project_databricks": Use(("-c", OPEN.format(hook="project_backend", arguments="name='databricks'"))),
    "env_conda": Use(("-c", OPEN.format(hook="environment", arguments="name='conda'"))),
    "env_uv": Use(("-c", OPEN.format(hook="environment", arguments="name='uv'"))),
    "env_virtualenv": Use(("-c", OPEN.format(hook="environment", arguments="name='virtualenv'"))),
    "env_docker": Use(("-c", OPEN.format(hook="environment", arguments="name='docker'"))),
    "project_kubernetes": Use(("-c", OPEN.format(hook="project_backend", arguments="name='kubernetes'"))),
    "store_rest": Use(
        ("-c", "from mlcore.plugins import current; current().load('tracking_store', 'http')"),
        ("--tracking-uri", "http://127.0.0.1:9", "runs", "search"),
    ),
    "artifacts_http": Use(
        ("-c", OPEN.format(hook="artifact_repo", arguments="uri='http://127.0.0.1:9/x'")),
        ("artifacts", "download", "-u", "http://127.0.0.1:9/x"),
    ),
    "server": Use((*CLI, "server", "--help"), ("server",)),
    "ui": Use((*CLI, "ui", "--help"), ("ui",)),
    "auth_basic": Use((*CLI, "auth", "--help"), ("auth",)),
    "bridge_mlflow": Use(("-c", BRIDGED)),
    "events_webhook": Use((*CLI, "webhooks", "--help"), ("webhooks", "list")),
    "system_metrics": Use(
        ("-c", "from mlcore.plugins import current; current().load('run_monitor', 'system_metrics')")
    ),
}
ALWAYS = [
    (*CLI, "--version"),
    (*CLI, "--help"),
    (*CLI, "plugins", "list"),
    (*CLI, "plugins", "check"),
    (*CLI, "config", "show"),
    (*CLI, "models", "show", "model"),
    ("-c", "import mlcore"),
]


def _install(python: Path, *arguments: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", *map(str, arguments)],
        check=True,
        capture_output=True,
        timeout=300,
    )


def _lend_libraries(site: Path, home: Path) -> None:
    """Let an environment see the libraries of this one, and no distribution of ours."""
    home.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "mlcore" not in path.name and path.suffix != ".pth":
            (home / path.name).symlink_to(path)
    (site / "libraries.pth").write_text(f"{home}\n")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels by the folder of their plugin; the kernel's under the empty name."""
    found = {}
    for folder in (sourcecode.ROOT, *sourcecode.plugin_folders()):
        target = tmp_path_factory.mktemp("dist")
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
            cwd=folder,
            env={**os.environ, "HATCH_QUIET": "2"},
            check=True,
            capture_output=True,
            timeout=120,
        )
        (found["" if folder == sourcecode.ROOT else folder.name],) = target.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> Path:
    """The interpreter of an environment in which an installer has put the kernel and all plugins."""
    home = tmp_path_factory.mktemp("env")
    venv.create(home / "venv", with_pip=False, symlinks=True)
    (site,) = (home / "venv").glob("lib/python*/site-packages")
    _lend_libraries(site, home / "libraries")
    made = home / "venv" / "bin" / "python"
    _install(made, "install", "--no-index", "--no-deps", *wheels.values())
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Run:
    """Run the environment's Python where a lab was recorded with all plugins."""
    lab = tmp_path_factory.mktemp("lab")
    (lab / "mlcore.toml").write_text('tracking_uri = "sqlite:///lab.db"\n')

    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MLCORE_", "MLFLOW_"))}
        return subprocess.run(
            [str(python), "-P", *arguments],
            cwd=lab,
            env={**kept, "HOME": str(lab), "AWS_DEFAULT_REGION": "eu-west-1"},
            input='{"inputs": [[2.0]]}',
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    recorded = go("-c", LAB)
    assert recorded.returncode == 0, recorded.stderr
    return go


@pytest.fixture(params=sorted(USES))
def gone(request: pytest.FixtureRequest, python: Path, run: Run, wheels: dict[str, Path]) -> Iterator[str]:
    """A plugin's folder; it is uninstalled for the test and installed again after it."""
    name: str = request.param
    _install(python, "uninstall", "--yes", f"mlcore-{name.replace('_', '-')}")
    yield name
    _install(python, "install", "--no-index", "--no-deps", wheels[name])


def test_with_everything_installed_everything_works(run: Run) -> None:
    ends = {arguments: run(*arguments) for arguments in [*ALWAYS, *(use.works for use in USES.values())]}
    predicted = run(*CLI, "models", "predict", "-m", "model")

    assert [(a, done.stderr) for a, done in ends.items() if done.returncode] == []
    assert json.loads(predicted.stdout)["predictions"] == pytest.approx([5.0]), predicted.stderr


def test_who_needs_an_uninstalled_plugin_is_told_in_one_line_and_nobody_else_notices(gone: str, run: Run) -> None:
    others = _in_few_processes([use.works for name, use in USES.items() if name != gone])

    told = run(*CLI, *USES[gone].command) if USES[gone].command else None
    ends = {arguments: run(*arguments) for arguments in [*ALWAYS, *others]}

    assert [(a, done.stderr) for a, done in ends.items() if done.returncode] == []
    if told is not None:
        assert told.returncode == 1
        assert len(told.stderr.splitlines()) == 1, told.stderr
        line = told.stderr.strip()
        assert line.startswith("error: no installed plugin answers ")
        assert line.endswith(f"pip install mlcore-{gone.replace('_', '-')}")


def _in_few_processes(uses: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the same uses with pieces of Python joined, but for the one that sets what is read at the start."""
    codes = [code for first, code, *_ in uses if first == "-c" and code != BRIDGED]
    return [*(use for use in uses if use[0] != "-c" or use[1] == BRIDGED), ("-c", "\n".join(codes))]


def test_there_is_a_use_of_every_plugin() -> None:
    assert sorted(USES) == [folder.name for folder in sourcecode.plugin_folders()]


def test_without_the_context_plugin_runs_are_recorded_and_say_less(
    python: Path, run: Run, wheels: dict[str, Path]
) -> None:
    code = (
        "import mlcore\nwith mlcore.start_run() as run: pass\nprint(sorted(mlcore.get_run(run.info.run_id).data.tags))"
    )
    _install(python, "uninstall", "--yes", "mlcore-context-default")

    done = run("-c", code)

    _install(python, "install", "--no-index", "--no-deps", wheels["context_default"])
    assert (done.returncode, done.stdout) == (0, "['mlflow.runName']\n"), done.stderr
