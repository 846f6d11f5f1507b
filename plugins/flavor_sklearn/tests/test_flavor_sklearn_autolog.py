"""Autologging of scikit-learn: what is recorded, and that nothing of the user's program changes."""

import json
import pickle
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import mlcore
from mlcore.entities import Run
from mlcore.models.training import AutologWarning


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    mlcore.autolog(disable=True)


@pytest.fixture
def wine() -> tuple[pd.DataFrame, pd.Series]:
    X, y = load_wine(return_X_y=True, as_frame=True)
    return X, y


def runs(text: str = "") -> list[Run]:
    return mlcore.search_runs(filter_string=text, output_format="list", order_by=["attributes.start_time ASC"])


def artifacts(run: Run) -> set[str]:
    return {f.path for f in mlcore.Client().list_artifacts(run.info.run_id)}


def test_a_classifier_is_recorded_with_params_metrics_pictures_data_and_model(
    wine: tuple[pd.DataFrame, pd.Series],
) -> None:
    X, y = wine
    mlcore.sklearn.autolog()

    RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.params["n_estimators"] == "5"
    assert {k for k in run.data.metrics if k.startswith("training_")} == {
        "training_precision_score", "training_recall_score", "training_f1_score", "training_accuracy_score",
        "training_log_loss", "training_roc_auc", "training_score",
    }  # fmt: skip
    assert run.data.tags["estimator_name"] == "RandomForestClassifier"
    assert run.data.tags["mlflow.autologging"] == "sklearn"
    assert artifacts(run) == {"estimator.html", "model", "training_confusion_matrix.png"}
    assert [t.value for t in run.inputs.dataset_inputs[0].tags] == ["train"]
    loaded = mlcore.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert np.mean(np.asarray(loaded.predict(X)) == y) == pytest.approx(run.data.metrics["training_accuracy_score"])


def test_two_classes_get_their_curves() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    mlcore.sklearn.autolog(log_models=False)

    DecisionTreeClassifier(max_depth=2).fit(X, y)

    assert {"training_roc_curve.png", "training_precision_recall_curve.png"} <= artifacts(runs()[0])


def test_a_regressor_is_recorded_with_its_metrics() -> None:
    X, y = load_diabetes(return_X_y=True)
    mlcore.sklearn.autolog(log_models=False)

    model = Ridge().fit(X, y)

    (run,) = runs()
    assert run.data.metrics["training_score"] == pytest.approx(model.score(X, y))
    assert run.data.metrics["training_root_mean_squared_error"] == pytest.approx(
        run.data.metrics["training_mean_squared_error"] ** 0.5
    )


def test_a_pipeline_is_one_training(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog()

    make_pipeline(StandardScaler(), LogisticRegression()).fit(*wine)

    (run,) = runs()
    assert run.data.tags["estimator_name"] == "Pipeline"


def test_preparing_data_is_no_training(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog()

    StandardScaler().fit_transform(wine[0])

    assert runs() == []


def test_a_clustering_is_recorded_without_a_target(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)

    KMeans(2, random_state=0).fit_predict(wine[0])

    (run,) = runs()
    assert run.data.params["n_clusters"] == "2"


def test_a_grid_search_becomes_nested_runs_for_the_best_candidates(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog()

    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 4, 5, 6, 7]}, cv=3).fit(*wine)

    parent, *children = runs()
    assert parent.data.params["best_max_depth"] == str(search.best_params_["max_depth"])
    assert parent.data.metrics["best_cv_score"] == pytest.approx(search.best_score_)
    assert {"best_estimator", "cv_results.csv", "model"} <= artifacts(parent)
    assert len(children) == 5
    assert {c.data.tags["mlflow.parentRunId"] for c in children} == {parent.info.run_id}
    # the candidates are recorded within one millisecond: their order in the store tells nothing
    best = sorted(search.cv_results_["mean_test_score"], reverse=True)[:5]
    assert sorted((c.data.metrics["mean_test_score"] for c in children), reverse=True) == pytest.approx(best)
    assert {"max_depth": str(search.best_params_["max_depth"])} in [c.data.params for c in children]


def test_max_tuning_runs_bounds_the_candidates(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(max_tuning_runs=2, log_models=False)

    RandomizedSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2, 3, 4]}, n_iter=4, cv=2, random_state=0).fit(*wine)

    assert len(runs()) == 1 + 2


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_parallel_inner_fits_are_not_recorded(wine: tuple[pd.DataFrame, pd.Series], backend: str) -> None:
    import joblib

    mlcore.sklearn.autolog(log_models=False)

    with joblib.parallel_backend(backend, n_jobs=2):
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=4, random_state=0).fit(*wine)

    assert [r.data.tags["estimator_name"] for r in runs()] == ["BaggingClassifier"]


def test_an_active_run_is_used_and_left_open(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)

    with mlcore.start_run() as mine:
        LogisticRegression(max_iter=5000).fit(*wine)
        assert mlcore.active_run() is mine

    (run,) = runs()
    assert run.info.run_id == mine.run_id
    assert "training_score" in run.data.metrics


def test_a_second_training_in_one_run_says_which_params_it_leaves(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)

    with mlcore.start_run():
        DecisionTreeClassifier(max_depth=1).fit(*wine)
        with pytest.warns(UserWarning, match=r"already has other values of the params \['max_depth'\]"):
            DecisionTreeClassifier(max_depth=2).fit(*wine)

    assert runs()[0].data.params["max_depth"] == "1"


def test_exclusive_leaves_the_users_run_alone(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(exclusive=True, log_models=False)

    with mlcore.start_run():
        DecisionTreeClassifier().fit(*wine)

    assert runs()[0].data.params == {}


def test_a_training_that_fails_raises_its_own_error_and_marks_the_run(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog()

    with pytest.raises(ValueError, match="does not match number of samples"):
        DecisionTreeClassifier().fit(wine[0], wine[1][:5])

    assert runs()[0].info.status == "FAILED"


def test_a_store_that_refuses_does_not_disturb_the_training(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog()
    mlcore.set_tracking_uri("nowhere://x")

    with pytest.warns(AutologWarning, match="training goes on: PluginNotFoundError"):
        model = DecisionTreeClassifier().fit(*wine)

    assert model.score(*wine) == 1.0


def test_results_pickles_and_randomness_are_the_same_with_and_without(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    def work() -> tuple[object, bytes, float, object]:
        np.random.seed(3)
        made = DecisionTreeClassifier(max_features=2)
        fitted = made.fit(*wine)
        return fitted is made, pickle.dumps(fitted), np.random.rand(), clone(fitted).get_params()

    plain = work()
    mlcore.sklearn.autolog()
    recorded = work()

    assert recorded == plain


def test_undoing_restores_the_classes() -> None:
    before = LogisticRegression.fit

    stop = mlcore.sklearn.autolog()
    assert LogisticRegression.fit is not before
    assert LogisticRegression.fit.__name__ == "fit"
    stop()

    assert LogisticRegression.fit is before
    assert (
        "__init_subclass__" not in BaseEstimator.__dict__ or BaseEstimator.__init_subclass__.__name__ != "patch_later"
    )


def test_turning_it_on_twice_records_once(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)
    mlcore.autolog(log_models=False)

    DecisionTreeClassifier().fit(*wine)

    assert len(runs()) == 1


def test_an_estimator_defined_later_is_recorded_too(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)

    class Majority(ClassifierMixin, BaseEstimator):
        def fit(self, X: object, y: pd.Series) -> "Majority":
            self.classes_ = np.unique(y)
            self.winner_ = y.mode()[0]
            return self

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return np.full(len(X), self.winner_)

    Majority().fit(*wine)

    assert [r.data.tags["estimator_name"] for r in runs()] == ["Majority"]


def test_cross_validation_helpers_work_under_autolog(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)

    scores = cross_val_score(DecisionTreeClassifier(random_state=0), *wine, cv=3)

    assert len(scores) == 3


def test_two_threads_record_two_trainings(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_models=False)
    alive, inside = threading.Barrier(2), threading.Barrier(2)

    class Slow(DecisionTreeClassifier):
        def fit(self, X: object, y: object) -> "Slow":
            inside.wait(20)
            return super().fit(X, y)  # type: ignore[no-any-return]  # scikit-learn is untyped

    def work(depth: int) -> None:
        alive.wait(20)
        Slow(max_depth=depth).fit(*wine)

    threads = [threading.Thread(target=work, args=(d,)) for d in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(r.data.params["max_depth"] for r in runs()) == ["1", "2"]
    assert {r.info.status for r in runs()} == {"FINISHED"}


def test_the_data_sets_digest_and_the_signature_are_kept(wine: tuple[pd.DataFrame, pd.Series]) -> None:
    mlcore.sklearn.autolog(log_input_examples=True)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DecisionTreeClassifier().fit(*wine)

    (run,) = runs()
    assert run.inputs.dataset_inputs[0].dataset.digest == mlcore.data.from_pandas(wine[0]).digest
    folder = Path(mlcore.download_artifacts(f"runs:/{run.info.run_id}/model"))
    assert json.loads((folder / "input_example.json").read_text())["columns"] == list(wine[0].columns)
    assert mlcore.pyfunc.load_model(str(folder)).metadata.signature is not None
