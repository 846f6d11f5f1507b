"""What is saved along with a model, its environment and its example, and models that are logged to runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pytest

import mlcore
from mlcore import pyfunc
from mlcore.artifacts.upload import upload_tree
from mlcore.errors import ArtifactNotFoundError, InvalidParameterError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.models import MLModel, get_model_info
from mlcore.models.example import load_example, serving_request
from mlcore.models.python_model import PythonModel, PythonModelContext
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import MemoryRepo
from mlcore.tracking.session import Session, using

pd = pytest.importorskip("pandas")
np = pytest.importorskip("numpy")

FRAME = pd.DataFrame({"a": [1.0, 2.0]})


def make_doubler() -> PythonModel:
    class Doubler(PythonModel):
        def predict(self, context: PythonModelContext, model_input: object, params: Mapping[str, object] | None = None):
            return model_input["a"] * (params or {}).get("k", 2)

    return Doubler()


def add_one(model_input: object) -> object:
    return model_input + 1


def test_the_environment_is_what_the_model_imports_and_no_more() -> None:
    def uses_numpy_inside(model_input: object) -> object:
        import numpy

        return numpy.mean(model_input)

    pyfunc.save_model("m", python_model=uses_numpy_inside)

    names = [line.partition("==")[0] for line in Path("m/requirements.txt").read_text().split()]
    assert names == ["mlcore-kernel", "cloudpickle", "numpy"]
    assert f"numpy=={np.__version__}" in Path("m/requirements.txt").read_text()


def test_requirements_can_be_given_or_added() -> None:
    Path("reqs.txt").write_text("# ours\na==1\n\nb\n")
    pyfunc.save_model("m", python_model=add_one, pip_requirements="reqs.txt")
    pyfunc.save_model("n", python_model=add_one, extra_pip_requirements=["cloudpickle>=3", "c"])

    assert Path("m/requirements.txt").read_text().split() == ["a==1", "b"]
    assert Path("n/requirements.txt").read_text().split()[1:] == ["cloudpickle>=3", "c"]
    with pytest.raises(InvalidParameterError, match=r"there is no requirements file 'none.txt'"):
        pyfunc.save_model("o", python_model=add_one, pip_requirements="none.txt")


def test_a_conda_environment_can_be_given() -> None:
    conda = {"channels": ["x"], "dependencies": ["python=3.10.1", {"pip": ["a==1"]}]}

    pyfunc.save_model("m", python_model=add_one, conda_env=conda)

    assert Path("m/requirements.txt").read_text() == "a==1\n"
    assert "python: 3.10.1" in Path("m/python_env.yaml").read_text()


def test_an_example_is_kept_with_the_request_that_sends_it() -> None:
    pyfunc.save_model("m", python_model=make_doubler(), input_example=(FRAME, {"k": 3.0}))

    model = pyfunc.load_model("m", trust=True)

    assert json.loads(Path("m/serving_input_example.json").read_text()) == {
        "dataframe_split": {"columns": ["a"], "data": [[1.0], [2.0]]},
        "params": {"k": 3.0},
    }
    pd.testing.assert_frame_equal(model.input_example, FRAME)
    assert model.input_example_params == {"k": 3.0}
    model.predict(model.input_example, model.input_example_params)


@pytest.mark.parametrize("place", ["../secret.json", "/etc/hostname"])
def test_an_example_never_leads_out_of_its_model(place: str) -> None:
    Path("secret.json").write_text("1")
    Path("m").mkdir()
    Path("m/MLmodel").write_text(
        f"flavors: {{python_function: {{loader_module: m}}}}\nsaved_input_example_info: {{artifact_path: {place}}}"
    )
    info = MLModel.read(Path("m")).saved_input_example_info

    with pytest.raises(InvalidParameterError, match=f"invalid artifact path '{place}'"):
        load_example(Path("m"), info)
    with pytest.raises(InvalidParameterError, match=f"invalid artifact path '{place}'"):
        serving_request(Path("m"), {"serving_input_path": place})


def test_a_model_without_an_example_has_none() -> None:
    pyfunc.save_model("m", python_model=make_doubler())

    model = pyfunc.load_model("m", trust=True)

    assert model.input_example is None
    assert model.input_example_params is None


@pytest.mark.parametrize(
    ("example", "stored"),
    [
        (np.array([[1, 2]]), [[1, 2]]),
        ({"a": np.array([1.0, 2.0])}, {"a": [1.0, 2.0]}),
        (["x", "y"], ["x", "y"]),
        (pd.DataFrame(np.array([[1.0, np.nan]])), {"data": [[1.0, None]]}),
        (pd.DataFrame({"t": pd.to_datetime(["2020-01-01"])}), {"columns": ["t"], "data": [["2020-01-01T00:00:00"]]}),
    ],
)
def test_examples_of_every_kind_are_strict_json(example: object, stored: object) -> None:
    pyfunc.save_model("m", python_model=lambda model_input: None, input_example=example)

    assert json.loads(Path("m/input_example.json").read_text()) == stored
    loaded = pyfunc.load_model("m", trust=True)
    assert loaded.input_example is not None
    loaded.predict(loaded.input_example)


def test_a_model_that_fails_on_its_own_example_is_not_saved() -> None:
    def fails(model_input: object) -> object:
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError) as raised:
        pyfunc.save_model("m", python_model=fails, input_example=FRAME)

    assert raised.value.__notes__ == ["while the model that was just saved predicted its own input example"]
    assert not Path("m").exists()


def test_a_model_is_logged_to_a_run_and_loaded_by_its_uri() -> None:
    with mlcore.start_run() as run:
        info = pyfunc.log_model(
            name="doubler", python_model=make_doubler(), input_example=FRAME, metadata={"team": "x"}
        )

    assert info.model_uri == f"runs:/{run.run_id}/doubler"
    assert pyfunc.load_model(info.model_uri, trust=True).predict(FRAME).tolist() == [2.0, 4.0]
    read = get_model_info(info.model_uri)
    assert (read.run_id, read.artifact_path, read.metadata) == (run.run_id, "doubler", {"team": "x"})
    assert read.signature == info.signature
    history = json.loads(mlcore.get_run(run.run_id).data.tags["mlflow.log-model.history"])
    assert [(h["artifact_path"], h["run_id"], h["model_uuid"]) for h in history] == [
        ("doubler", run.run_id, info.model_uuid)
    ]


def test_the_list_of_logged_models_stays_readable_however_many_there_are() -> None:
    with mlcore.start_run() as run:
        for i in range(30):
            pyfunc.log_model(name=f"m{i}", python_model=add_one, pip_requirements=[])

    history = json.loads(mlcore.get_run(run.run_id).data.tags["mlflow.log-model.history"])
    assert history[-1]["artifact_path"] == "m29"


def test_a_model_can_be_logged_to_a_run_that_has_ended() -> None:
    with mlcore.start_run() as run:
        pass

    info = mlcore.log_model(add_one, "m", run_id=run.run_id)

    assert info.run_id == run.run_id
    assert mlcore.active_run() is None


def test_what_a_model_in_a_remote_place_says_of_itself_is_read_without_its_other_files() -> None:
    pyfunc.save_model("m", python_model=add_one, pip_requirements=["left-pad==1.0"])
    remote, fetched = MemoryRepo(), []
    upload_tree(remote, "m")

    class Watched(MemoryRepo):
        stat, list = remote.stat, remote.list

        def read(self, path: str) -> BinaryIO:
            fetched.append(path)
            return remote.read(path)

    class Remote:
        @hookimpl
        def artifact_repo(self, uri: str) -> ArtifactRepo | None:
            return Watched() if uri == "memory://place/m" else None

    plugins = Plugins.discover()
    plugins.register(Remote())
    with using(Session(Settings.load({}), plugins)):
        assert set(get_model_info("memory://place/m").flavors) == {"python_function"}
        assert "left-pad==1.0" in Path(pyfunc.get_model_dependencies("memory://place/m")).read_text()
        remote.delete("requirements.txt")
        with pytest.raises(ArtifactNotFoundError, match=r"no artifact 'requirements\.txt'"):
            pyfunc.get_model_dependencies("memory://place/m")

    assert fetched == ["MLmodel", "requirements.txt"]
