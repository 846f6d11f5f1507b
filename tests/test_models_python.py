"""Python models: saving, loading, trust, checksums, environment; through the public API."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import cloudpickle
import pytest

import mlcore
from mlcore import pyfunc
from mlcore.errors import (
    AlreadyExistsError,
    ChecksumError,
    InvalidParameterError,
    MissingDependencyError,
    ModelFormatError,
    PluginNotFoundError,
    SignatureError,
    UnsupportedError,
    UntrustedModelError,
)
from mlcore.models import MLModel, infer_signature, load_model, save_model
from mlcore.models.manifest import write_manifest
from mlcore.models.python_model import PythonModel, PythonModelContext

pd = pytest.importorskip("pandas")
np = pytest.importorskip("numpy")

FRAME = pd.DataFrame({"a": [1.0, 2.0]})


def make_doubler() -> PythonModel:
    class Doubler(PythonModel):
        def predict(self, context: PythonModelContext, model_input: object, params: Mapping[str, object] | None = None):
            return model_input["a"] * (params or {}).get("k", 2)

    return Doubler()


def make_reader() -> PythonModel:
    class Reader(PythonModel):
        def load_context(self, context: PythonModelContext) -> None:
            self.words = Path(context.artifacts["words"]).read_text().split()
            self.limit = context.model_config.get("limit")

        def predict(self, model_input: object) -> object:
            return self.words[: self.limit]

    return Reader()


def add_one(model_input: object) -> object:
    return model_input + 1


def test_a_python_model_predicts_as_before_it_was_saved() -> None:
    pyfunc.save_model("m", python_model=make_doubler(), signature=infer_signature(FRAME, params={"k": 2.0}))

    model = pyfunc.load_model("m", trust=True)

    assert model.predict(FRAME).tolist() == [2.0, 4.0]
    assert model.predict({"a": [5]}, params={"k": 3}).tolist() == [15.0]
    assert type(model.unwrap_python_model()).__name__ == "Doubler"


def test_a_function_is_a_model() -> None:
    save_model(lambda model_input: model_input.sum(axis=1), "m", input_example=FRAME)

    model = load_model("m", trust=True)

    assert model.predict(FRAME).tolist() == [1.0, 2.0]
    assert str(model.metadata.signature) == "inputs: ['a': double (required)]\noutputs: [double (required)]"


def test_a_function_may_take_params() -> None:
    def scaled(model_input: object, params: Mapping[str, float]) -> object:
        return model_input * params["k"]

    pyfunc.save_model("m", python_model=scaled, signature=infer_signature(np.zeros(2), params={"k": 2.0}))

    assert pyfunc.load_model("m", trust=True).predict([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_artifacts_and_model_config_reach_the_model() -> None:
    Path("words.txt").write_text("to be or not")
    Path("more").mkdir()
    Path("more/words.txt").write_text("else")
    artifacts = {"words": "words.txt", "other": "more/words.txt"}
    pyfunc.save_model("m", python_model=make_reader(), artifacts=artifacts, model_config={"limit": 2})
    Path("words.txt").unlink()

    saved = pyfunc.load_model("m", trust=True)
    overridden = pyfunc.load_model("m", trust=True, model_config={"limit": 3})

    assert saved.predict(None) == ["to", "be"]
    assert overridden.predict(None) == ["to", "be", "or"]
    assert Path("m/artifacts/other/words.txt").read_text() == "else"


def test_data_that_does_not_fit_never_reaches_the_model() -> None:
    pyfunc.save_model("m", python_model=make_doubler(), signature=infer_signature(FRAME))

    with pytest.raises(SignatureError, match=r"column 'a' is missing \(expected double\)"):
        pyfunc.load_model("m", trust=True).predict({"b": [1.0]})


class Canary:
    """Unpickling it leaves a trace."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("canary-was-here",)


def test_no_code_of_a_model_runs_unless_it_is_trusted() -> None:
    pyfunc.save_model("m", python_model=add_one)
    Path("m/python_model.pkl").write_bytes(cloudpickle.dumps(Canary()))
    write_manifest(Path("m"))

    with pytest.raises(UntrustedModelError) as raised:
        pyfunc.load_model("m")

    assert not Path("canary-was-here").exists()
    assert str(raised.value) == (
        "loading the model at 'm' would run code that it brings: python_model.pkl is a pickle of a Python model. If you "
        "trust whoever wrote it, pass trust=True, or --trust on the command line, or list the place in the setting "
        "trust_models: MLCORE_TRUST_MODELS=m"
    )
    with pytest.raises(ModelFormatError, match="has no predict"):
        pyfunc.load_model("m", trust=True)
    assert Path("canary-was-here").exists()


def test_a_loader_module_of_any_name_needs_trust() -> None:
    Path("m").mkdir()
    Path("m/MLmodel").write_text("flavors: {python_function: {loader_module: antigravity}}")

    with pytest.raises(UntrustedModelError, match="its loader module 'antigravity' is imported and run"):
        pyfunc.load_model("m")

    assert "antigravity" not in sys.modules


def test_code_that_comes_with_a_model_needs_trust_and_is_importable_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("src/shipped_words").mkdir(parents=True)
    Path("src/shipped_words/__init__.py").write_text("WORD = 'hello'")
    Path("src/shipped_loader.py").write_text(
        textwrap.dedent("""
            import shipped_words

            class Model:
                def predict(self, data):
                    return shipped_words.WORD

            def _load_pyfunc(path):
                return Model()
        """)
    )
    pyfunc.save_model("m", python_model=add_one, code_paths=["src/shipped_words", "src/shipped_loader.py"])
    text = Path("m/MLmodel").read_text().replace("mlflow.pyfunc.model", "shipped_loader")
    Path("m/MLmodel").write_text(text.replace("    python_model: python_model.pkl\n", ""))
    write_manifest(Path("m"))

    with pytest.raises(UntrustedModelError, match=r"the directory 'code' is put on sys.path; its loader module"):
        pyfunc.load_model("m")

    assert pyfunc.load_model("m", trust=True).predict(None) == "hello"


def test_a_place_can_be_trusted_by_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_TRUST_MODELS", str(Path("ours").absolute()))
    pyfunc.save_model("ours/m", python_model=add_one)
    pyfunc.save_model("ours-not/m", python_model=add_one)

    assert pyfunc.load_model("ours/m").predict(1) == 2
    with pytest.raises(UntrustedModelError):
        pyfunc.load_model("ours-not/m")


def test_a_changed_file_is_found() -> None:
    pyfunc.save_model("m", python_model=add_one)
    with Path("m/python_model.pkl").open("ab") as file:
        file.write(b"x")

    with pytest.raises(
        ChecksumError, match=r"file 'python_model.pkl' of the model at 'm' was changed after it was saved"
    ):
        pyfunc.load_model("m", trust=True)


def test_a_missing_file_is_found() -> None:
    pyfunc.save_model("m", python_model=add_one)
    Path("m/requirements.txt").unlink()

    with pytest.raises(ChecksumError, match=r"'requirements.txt' is listed in mlcore_manifest.json but missing"):
        pyfunc.load_model("m", trust=True)


@pytest.mark.parametrize("text", ["{", '{"files": []}', '{"files": {"../x": {"sha256": ""}}}'])
def test_a_broken_manifest_is_told(text: str) -> None:
    pyfunc.save_model("m", python_model=add_one)
    Path("m/mlcore_manifest.json").write_text(text)

    with pytest.raises(ChecksumError, match=r"mlcore_manifest.json' is not a manifest of checksums"):
        pyfunc.load_model("m", trust=True)


def test_a_model_without_a_manifest_loads() -> None:
    pyfunc.save_model("m", python_model=add_one)
    Path("m/mlcore_manifest.json").unlink()

    assert pyfunc.load_model("m", trust=True).predict(1) == 2


def test_saving_never_overwrites() -> None:
    pyfunc.save_model("m", python_model=add_one)

    with pytest.raises(AlreadyExistsError, match="'m' is there already: save to a new directory, or remove it first"):
        pyfunc.save_model("m", python_model=add_one)


def test_a_save_that_fails_leaves_nothing() -> None:
    Path("models").mkdir()

    with pytest.raises(InvalidParameterError, match=r"can't pickle the model 'function': .*open them in load_context"):
        save_model(lambda x, out=sys.stdout: x, "models/m")

    assert list(Path("models").iterdir()) == []


def test_a_missing_artifact_is_named() -> None:
    with pytest.raises(
        InvalidParameterError, match=r"artifact 'words': there is no local file or directory 'nothing.txt'"
    ):
        pyfunc.save_model("m", python_model=make_reader(), artifacts={"words": "nothing.txt"})


def test_an_object_that_no_flavor_saves_is_named_with_what_to_do() -> None:
    with pytest.raises(InvalidParameterError) as raised:
        save_model({"a": 1}, "m")

    assert "no installed flavor saves an object of type builtins.dict (asked: " in str(raised.value)
    assert "wrap it in a mlcore.pyfunc.PythonModel" in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signature": "long"}, r"signature must be a ModelSignature, .*, or False; got 'long'"),
        ({"metadata": "mine"}, "metadata must be a mapping of names to plain values, got 'mine'"),
        ({"conda_env": "none.yaml"}, "there is no file 'none.yaml': expected a conda environment"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_saved(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        pyfunc.save_model("m", python_model=make_doubler(), **options)

    assert not Path("m").exists()


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(InvalidParameterError, match=r"unknown options \['artefacts'\] for a Python model: known are"):
        save_model(add_one, "m", artefacts={})


def test_two_names_for_one_place_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="takes either artifact_path or name, got 'a' and 'b'"):
        mlcore.log_model(add_one, "a", name="b")


def test_a_model_of_another_library_has_no_python_model_inside() -> None:
    pyfunc.save_model("m", python_model=add_one)
    text = Path("m/MLmodel").read_text().replace("mlflow.pyfunc.model", "tests_own_loader")
    Path("m/MLmodel").write_text(text.replace("    python_model: python_model.pkl\n", ""))
    Path("m/mlcore_manifest.json").unlink()

    with pytest.raises(
        MissingDependencyError, match="is loaded by the module 'tests_own_loader', which can't be imported"
    ):
        pyfunc.load_model("m", trust=True)


def test_a_loader_that_gives_no_python_model_is_told_when_it_is_unwrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own_loader_b.py").write_text(
        "class M:\n    def predict(self, data): return data\ndef _load_pyfunc(path): return M()\n"
    )
    monkeypatch.syspath_prepend(str(Path.cwd()))
    Path("m").mkdir()
    Path("m/MLmodel").write_text("flavors: {python_function: {loader_module: own_loader_b}}")

    with pytest.raises(UnsupportedError, match="holds no PythonModel but 'M': use raw for it"):
        pyfunc.load_model("m", trust=True).unwrap_python_model()


def test_a_flavor_that_is_not_installed_is_named_with_its_plugin() -> None:
    Path("m").mkdir()
    Path("m/MLmodel").write_text(
        "flavors: {python_function: {loader_module: mlflow.spark, data: sparkml}, spark: {model_data: sparkml}}"
    )

    with pytest.raises(PluginNotFoundError, match="pip install mlcore-flavor-spark"):
        pyfunc.load_model("m")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flavors: {sklearn: {}}", "field `flavors.python_function` of .* is missing, so the model can't predict"),
        (
            "flavors: {python_function: {data: x}}",
            "field `flavors.python_function.loader_module` of .* must be a string",
        ),
        (
            "flavors: {python_function: {loader_module: mlflow.pyfunc.model, python_model: ../m.pkl}}",
            "invalid artifact path '../m.pkl'",
        ),
        (
            "flavors: {python_function: {loader_module: mlflow.pyfunc.model, python_model: m.pkl}}",
            "field `flavors.python_function.python_model` of .* names 'm.pkl', which is missing",
        ),
        (
            "flavors: {python_function: {loader_module: mlflow.pyfunc.model, model_code_path: m.py}}",
            r"is a program \('m.py'\), which can't be loaded",
        ),
    ],
)
def test_a_broken_model_is_told_with_the_path_into_its_file(text: str, message: str) -> None:
    Path("m").mkdir()
    Path("m/MLmodel").write_text(text)

    with pytest.raises((ModelFormatError, InvalidParameterError), match=message):
        pyfunc.load_model("m", trust=True)


def test_a_pickle_cut_short_is_told() -> None:
    pyfunc.save_model("m", python_model=add_one)
    path = Path("m/python_model.pkl")
    path.write_bytes(path.read_bytes()[:-20])
    write_manifest(Path("m"))

    with pytest.raises(ModelFormatError, match=r"the pickle 'python_model\.pkl' of the model at 'm' can't be read"):
        pyfunc.load_model("m", trust=True)


def test_what_a_model_says_of_itself_is_read_without_its_libraries() -> None:
    pyfunc.save_model("m", python_model=add_one, signature=infer_signature(FRAME))
    code = (
        "import sys; sys.modules.update(numpy=None, pandas=None, sklearn=None); from mlcore.models import get_model_info; "
        "print(get_model_info('m').signature)"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "inputs: ['a': double (required)]\n"


def test_python_env_names_the_python_that_saved() -> None:
    pyfunc.save_model("m", python_model=add_one)

    assert MLModel.read(Path("m")).pyfunc["python_version"] == ".".join(map(str, sys.version_info[:3]))
    assert Path(pyfunc.get_model_dependencies("m")).read_text() == Path("m/requirements.txt").read_text()


def test_fetched_files_go_when_the_model_goes(tmp_path: Path) -> None:
    from mlcore.models.loading import Opened
    from mlcore.models.places import LocalModel
    from mlcore.plugins import Plugins

    pyfunc.save_model("m", python_model=add_one)
    fetched = tmp_path / "fetched"
    shutil.copytree("m", fetched / "m")
    local = LocalModel(fetched / "m", fetched)
    opened = Opened(MLModel.read(local.path), local, "s3://b/m", True, Plugins())
    model = pyfunc.PyFuncModel(opened, opened.predictor())

    assert model.predict(1) == 2
    del model, opened

    assert not fetched.exists()
