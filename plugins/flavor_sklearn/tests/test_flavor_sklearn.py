"""scikit-learn models: saving, loading, trust, and the function behind `predict`."""

from __future__ import annotations

import json
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlcore_flavor_sklearn import skops_types
from mlcore_flavor_sklearn.arrays import array_twin
from mlcore_flavor_sklearn.flavor import SklearnFlavor
from mlcore_flavor_sklearn.predictor import SklearnPredictor
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler
from sklearn.svm import SVC

import mlcore
from mlcore import pyfunc
from mlcore.errors import InvalidParameterError, ModelFormatError, SignatureError, UntrustedModelError
from mlcore.interfaces import Flavor, SupportsAutolog
from mlcore.models import MLModel
from mlcore.models.flavor_files import LibraryVersionWarning
from mlcore.models.manifest import write_manifest

X, Y = load_wine(return_X_y=True, as_frame=True)

MODELS = {
    "linear": make_pipeline(StandardScaler(), LogisticRegression()),
    "forest": RandomForestClassifier(5, random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=5),
    "neighbours": KNeighborsClassifier(),
    "kernel": SVC(),
    "selection": make_pipeline(SelectKBest(f_classif, k=3), LogisticRegression(max_iter=10_000)),
    "splines": make_pipeline(SplineTransformer(), LogisticRegression(max_iter=10_000)),
    "search": GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 5]}, scoring="f1_macro", cv=2),
    "ufunc": make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=10_000)),
}


class Shifted(TransformerMixin, BaseEstimator):
    """A transformer of the user's own."""

    def fit(self, features: object, target: object = None) -> Shifted:
        self.is_fitted_ = True
        return self

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        return features + 1


def test_it_keeps_the_contract() -> None:
    flavor = SklearnFlavor()

    assert isinstance(flavor, Flavor)
    assert isinstance(flavor, SupportsAutolog)
    assert flavor.can_save(Ridge())
    assert not flavor.can_save({"a": 1})


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_scikit_learn_loads_without_trust_and_predicts_the_same(name: str) -> None:
    model = MODELS[name].fit(X, Y)
    mlcore.sklearn.save_model(model, "m", input_example=X.head(3))

    loaded = pyfunc.load_model("m")

    assert loaded.predict(X).tolist() == model.predict(X).tolist()
    assert type(mlcore.sklearn.load_model("m")) is type(model)
    assert not list(Path("m").rglob("*.pkl"))


def test_the_file_says_what_mlflow_says() -> None:
    mlcore.sklearn.save_model(sk_model=Ridge().fit(*load_diabetes(return_X_y=True)), path="m")

    model = MLModel.read(Path("m"))

    import sklearn

    assert model.flavors["sklearn"] == {
        "code": None,
        "pickled_model": "model.skops",
        "serialization_format": "skops",
        "skops_trusted_types": None,
        "sklearn_version": sklearn.__version__,
    }
    assert {k: model.pyfunc[k] for k in ("loader_module", "model_path", "predict_fn")} == {
        "loader_module": "mlflow.sklearn",
        "model_path": "model.skops",
        "predict_fn": "predict",
    }


def test_the_environment_is_scikit_learn_and_what_loads_it() -> None:
    mlcore.sklearn.save_model(MODELS["linear"].fit(X, Y), "m", input_example=X.head(3))

    names = [line.partition("==")[0] for line in Path("m/requirements.txt").read_text().split()]
    assert names == ["mlcore-kernel", "mlcore-flavor-sklearn", "pandas", "scikit-learn", "skops"]


@pytest.mark.parametrize("function", ["predict_proba", "predict_log_proba", "decision_function"])
def test_the_function_behind_predict_can_be_chosen(function: str) -> None:
    model = MODELS["linear"].fit(X, Y)
    mlcore.sklearn.save_model(model, "m", pyfunc_predict_fn=function)

    assert np.array_equal(pyfunc.load_model("m").predict(X), getattr(model, function)(X))


def test_a_function_that_the_model_does_not_have_is_named() -> None:
    mlcore.sklearn.save_model(Ridge().fit(X, Y), "m", pyfunc_predict_fn="predict_proba")

    with pytest.raises(InvalidParameterError, match="the model, a Ridge, has no function 'predict_proba'"):
        pyfunc.load_model("m")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "skops"}, "unknown option 'format' of flavor sklearn; known are serialization_format"),
        (
            {"serialization_format": "joblib"},
            "unknown serialization_format 'joblib': expected one of skops, ",
        ),
        ({"pyfunc_predict_fn": "fit"}, "unknown pyfunc_predict_fn 'fit': expected one of predict, predict_proba"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        mlcore.sklearn.save_model(Ridge(), "m", **options)

    assert not Path("m").exists()


def test_a_type_of_somebody_else_needs_trust_and_is_named() -> None:
    model = make_pipeline(Shifted(), LogisticRegression(max_iter=10_000)).fit(X, Y)
    mlcore.sklearn.save_model(model, "m")

    with pytest.raises(UntrustedModelError, match=r"model.skops holds types and functions .*\.Shifted\. If you trust"):
        pyfunc.load_model("m")

    assert pyfunc.load_model("m", trust=True).predict(X).tolist() == model.predict(X).tolist()


def test_the_list_of_trusted_types_in_the_file_is_not_believed() -> None:
    mlcore.sklearn.save_model(FunctionTransformer(os.mkdir), "m", pyfunc_predict_fn="transform")
    assert MLModel.read(Path("m")).flavors["sklearn"]["skops_trusted_types"] == ["posix.mkdir"]

    with pytest.raises(UntrustedModelError, match=r"posix\.mkdir"):
        pyfunc.load_model("m")


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "sklearn.utils._testing.TempMemmap",
        "sklearn.datasets._base.load_files",
        "sklearn.datasets.fetch_openml",
        "sklearn.utils._joblib.Parallel",
        "sklearn.base.warnings",
        "numpy.testing.runstring",
        "scipy.stats._distn_infrastructure.rv_continuous.fit",
        "sklearn_evil.Model",
        "sklearn.no_such_module.Model",
    ],
)
def test_a_name_that_could_run_something_is_foreign(name: str) -> None:
    assert skops_types.foreign([name]) == [name]


class Canary:
    """Unpickling it leaves a trace."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("canary-was-here",)


@pytest.mark.parametrize("form", ["pickle", "cloudpickle", "skops", None])
def test_no_pickle_is_read_unless_it_is_trusted(form: str | None) -> None:
    mlcore.sklearn.save_model(Ridge().fit(X, Y), "m", serialization_format="cloudpickle")
    Path("m/model.pkl").write_bytes(pickle.dumps(Canary()))
    text = Path("m/MLmodel").read_text().replace("serialization_format: cloudpickle", f"serialization_format: {form}")
    Path("m/MLmodel").write_text(text)
    write_manifest(Path("m"))

    with pytest.raises((UntrustedModelError, ModelFormatError)):
        pyfunc.load_model("m")
    with pytest.raises((UntrustedModelError, ModelFormatError)):
        mlcore.sklearn.load_model("m")

    assert not Path("canary-was-here").exists()


def test_cloudpickle_is_there_on_request_and_needs_trust() -> None:
    model = make_pipeline(FunctionTransformer(lambda frame: frame * 2), Ridge()).fit(X, Y)
    mlcore.sklearn.save_model(model, "m", serialization_format="cloudpickle")

    with pytest.raises(UntrustedModelError, match=r"model\.pkl is a pickle"):
        pyfunc.load_model("m")

    assert np.allclose(pyfunc.load_model("m", trust=True).predict(X), model.predict(X))
    assert "cloudpickle==" in Path("m/requirements.txt").read_text()


def test_what_skops_cannot_write_is_told_with_the_way_out() -> None:
    from sklearn.cluster import Birch

    with pytest.raises(
        InvalidParameterError, match=r"skops can't save this Birch: .* serialization_format='cloudpickle'"
    ):
        mlcore.sklearn.save_model(Birch().fit(X), "m")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{pickled_model: 3}", r"field `flavors.sklearn.pickled_model` of .*MLmodel must be a string, got 3"),
        ("{pickled_model: ../x.skops}", r"leads out of the model: '../x.skops'"),
        ("{pickled_model: none.skops}", r"the model file 'none.skops' is missing in"),
        ("{pickled_model: text.skops}", r"text.skops is not a skops file, or a broken one: BadZipFile"),
    ],
)
def test_a_broken_model_is_told(section: str, message: str) -> None:
    Path("m").mkdir()
    Path("m/text.skops").write_text("no archive")
    Path("m/MLmodel").write_text(
        f"flavors: {{python_function: {{loader_module: mlflow.sklearn, model_path: x}}, sklearn: {section}}}"
    )

    with pytest.raises(ModelFormatError, match=message):
        pyfunc.load_model("m")


def test_a_pickle_cut_short_is_told() -> None:
    mlcore.sklearn.save_model(Ridge().fit(X, Y), "m", serialization_format="cloudpickle")
    path = Path("m/model.pkl")
    path.write_bytes(path.read_bytes()[:-10])
    write_manifest(Path("m"))

    with pytest.raises(ModelFormatError, match=r"model.pkl can't be loaded: .*; it was saved with scikit-learn"):
        pyfunc.load_model("m", trust=True)


def test_another_version_of_scikit_learn_is_told_once() -> None:
    mlcore.sklearn.save_model(Ridge().fit(X, Y), "m")
    import sklearn

    text = Path("m/MLmodel").read_text().replace(sklearn.__version__, "0.24.2")
    Path("m/MLmodel").write_text(text)
    write_manifest(Path("m"))

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        pyfunc.load_model("m")

    assert [w.category for w in seen] == [LibraryVersionWarning]
    assert "saved with scikit-learn 0.24.2 and is loaded with" in str(seen[0].message)


def test_data_is_checked_before_the_model_sees_it() -> None:
    mlcore.sklearn.save_model(Ridge().fit(X[["alcohol", "ash"]], Y), "m", input_example=X[["alcohol", "ash"]].head(2))

    with pytest.raises(SignatureError, match=r"column 'ash' is missing \(expected double\)"):
        pyfunc.load_model("m").predict(X[["alcohol"]])


def test_a_model_fitted_on_arrays_predicts_for_frames_without_complaint() -> None:
    mlcore.sklearn.save_model(Ridge().fit(X.to_numpy(), Y), "m")

    assert pyfunc.load_model("m").predict(X).shape == (178,)


FREQUENT = [
    LogisticRegression(max_iter=10_000),
    Ridge(),
    RandomForestClassifier(5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
    KNeighborsClassifier(),
    SVC(),
    make_pipeline(StandardScaler(), PCA(3), LogisticRegression()),
    make_pipeline(StandardScaler(), "passthrough", GaussianNB()),
]


@pytest.mark.parametrize("model", FREQUENT, ids=repr)
def test_models_of_numbers_predict_for_arrays_just_as_for_frames(model: BaseEstimator) -> None:
    model.fit(X, Y)

    twin = array_twin(model)

    assert twin is not None
    assert twin.predict(X.to_numpy()).tolist() == model.predict(X).tolist()
    assert SklearnPredictor(model, "predict").predict(X, {}).tolist() == model.predict(X).tolist()
    assert list(model.feature_names_in_) == list(X.columns)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(ColumnTransformer([("a", StandardScaler(), ["alcohol"])]), Ridge()),
        make_pipeline(StandardScaler().set_output(transform="pandas"), Ridge()),
        VotingClassifier([("a", LogisticRegression(max_iter=10_000))]),
        make_pipeline(Shifted(), Ridge()),
        make_pipeline(FunctionTransformer(np.log1p), Ridge()),
    ],
    ids=repr,
)
def test_models_that_may_need_names_get_the_frame(model: BaseEstimator) -> None:
    model.fit(X, Y)

    assert array_twin(model) is None
    assert SklearnPredictor(model, "predict").predict(X, {}).tolist() == model.predict(X).tolist()


def test_categories_are_seen_by_a_model_that_learnt_them() -> None:
    frame = pd.DataFrame({"c": pd.Series(["a", "b"] * 40, dtype="category"), "n": range(80)})
    target = [0, 1] * 40
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype").fit(frame, target)

    assert array_twin(model) is None
    assert SklearnPredictor(model, "predict").predict(frame, {}).tolist() == target


def test_columns_in_another_order_are_refused_by_the_model_itself() -> None:
    model = Ridge().fit(X, Y)

    with pytest.raises(ValueError, match="feature names should match"):
        SklearnPredictor(model, "predict").predict(X[X.columns[::-1]], {})


def test_a_logged_model_is_found_by_its_run() -> None:
    with mlcore.start_run() as run:
        info = mlcore.sklearn.log_model(Ridge().fit(X, Y), "ridge", metadata={"team": "cellar"})

    assert info.model_uri == f"runs:/{run.run_id}/ridge"
    assert pyfunc.load_model(info.model_uri).metadata.metadata == {"team": "cellar"}
    history = json.loads(mlcore.get_run(run.run_id).data.tags["mlflow.log-model.history"])
    assert set(history[0]["flavors"]) == {"python_function", "sklearn"}


def test_the_flavor_is_found_without_being_named() -> None:
    with mlcore.start_run():
        info = mlcore.log_model(Ridge().fit(X, Y))

    assert info.artifact_path == "model"
    assert "sklearn" in info.flavors
