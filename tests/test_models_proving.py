"""Models that are tried with their recorded requirements alone, in environments made for that."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

import mlcore
from mlcore.errors import ProofError, UntrustedModelError
from mlcore.models import pyfunc
from mlcore.models.proving import prove

# the tests have homes of their own, and shall not fetch everything anew
_CACHE = os.environ.get("UV_CACHE_DIR") or str(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uv")
KERNEL = f"mlcore-kernel=={version('mlcore-kernel')}"


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", _CACHE)
    monkeypatch.setenv("UV_LINK_MODE", "symlink")


def functions() -> dict[str, Callable[..., object]]:
    """Functions that are pickled as they are, and not by the name of this module."""

    def twice(model_input: list[float]) -> list[float]:
        return [2 * value for value in model_input]

    def by_numpy(model_input: list[float]) -> list[float]:
        import numpy as np

        return list(np.array(model_input) * 2)

    def by_a_neighbour(model_input: list[float]) -> list[float]:
        import neighbour  # type: ignore[import-not-found]  # the test makes it

        return [neighbour.double(value) for value in model_input]

    def by_the_process(model_input: list[float]) -> list[float]:
        import os

        return [*model_input, os.getpid()]

    return {f.__name__: f for f in (twice, by_numpy, by_a_neighbour, by_the_process)}


def save(path: Path, model: str, *requirements: str, prove: bool = True) -> None:
    example = [1.0, 2.5]
    given = [KERNEL, *requirements]
    pyfunc.save_model(
        path,
        python_model=functions()[model],
        input_example=example,
        signature=False,
        pip_requirements=given,
        prove=prove,
    )


def test_a_model_that_works_with_its_requirements_is_logged() -> None:
    with mlcore.start_run():
        info = mlcore.log_model(functions()["twice"], input_example=[1.0, 2.5], signature=False, prove=True)

    assert pyfunc.load_model(info.model_uri, trust=True).predict([3.0]) == [6.0]


def test_a_missing_requirement_is_named_and_nothing_is_saved(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match=r"module 'numpy' is missing.*extra_pip_requirements=\['numpy==\d"):
        save(tmp_path / "m", "by_numpy")

    assert not (tmp_path / "m").exists()


def test_a_module_of_ones_own_has_to_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "neighbour.py").write_text("def double(value):\n    return 2 * value\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ProofError, match=rf"code_paths=\['{tmp_path}/neighbour\.py'\]"):
        save(tmp_path / "m", "by_a_neighbour")


def test_other_predictions_than_here_are_no_proof(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match=r"predictions\[2\] is \d+ here and \d+ there"):
        save(tmp_path / "m", "by_the_process")


def test_a_requirement_that_cannot_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_OFFLINE", "UV_NO_INDEX", "PIP_NO_INDEX"):
        monkeypatch.setenv(name, "1")

    with pytest.raises(ProofError, match=r"can't be installed \(named: no-such-thing==1\.0\)"):
        save(tmp_path / "m", "twice", "no-such-thing==1.0")


def test_a_saved_model_is_proven_when_it_is_trusted(tmp_path: Path) -> None:
    save(tmp_path / "m", "twice", prove=False)

    with pytest.raises(UntrustedModelError):
        prove(tmp_path / "m")
    found = prove(tmp_path / "m", trust=True)

    assert (found.requirements, found.predicted) == ((KERNEL,), True)


def test_a_model_without_requirements_has_nothing_to_prove(tmp_path: Path) -> None:
    save(tmp_path / "m", "twice", prove=False)
    for name in ("requirements.txt", "conda.yaml", "mlcore_manifest.json"):
        (tmp_path / "m" / name).unlink()

    with pytest.raises(ProofError, match=r"has no requirements\.txt"):
        prove(tmp_path / "m", trust=True)


def test_a_model_without_code_is_proven_only_when_it_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: mlflow.sklearn}, sklearn: {}}\n"
    )
    (tmp_path / "m" / "requirements.txt").write_text("evil @ http://127.0.0.1:1/evil.whl\n")

    with pytest.raises(UntrustedModelError, match="its requirements are installed"):
        prove(tmp_path / "m")
