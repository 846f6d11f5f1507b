"""Autologging of XGBoost: what is recorded, and that nothing of the user's program changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV

import mlcore
from mlcore.entities import Run
from mlcore.errors import InvalidParameterError

DATA, TARGET = load_breast_cancer(return_X_y=True, as_frame=True)
X, Y = DATA.iloc[:300, :5], TARGET[:300]
VALID, VALID_Y = DATA.iloc[300:, :5], TARGET[300:]
PARAMS = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.9}


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    mlcore.autolog(disable=True)


def runs() -> list[Run]:
    return mlcore.search_runs(output_format="list", order_by=["attributes.start_time ASC"])


def folder_of(run: Run) -> Path:
    return Path(mlcore.download_artifacts(f"runs:/{run.info.run_id}/"))


def test_a_training_is_recorded_with_params_curves_early_stopping_importance_data_and_model() -> None:
    mlcore.xgboost.autolog(log_input_examples=True)
    train, valid = xgboost.DMatrix(X, Y), xgboost.DMatrix(VALID, VALID_Y)

    booster = xgboost.train(
        PARAMS, train, 40, evals=[(train, "train"), (valid, "valid")], early_stopping_rounds=3, verbose_eval=False
    )

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.autologging"] == "xgboost"
    assert run.data.params == {
        "objective": "binary:logistic", "max_depth": "3", "eta": "0.9", "num_boost_round": "40", "maximize": "None",
        "early_stopping_rounds": "3", "verbose_eval": "False",
    }  # fmt: skip
    history = mlcore.Client().get_metric_history(run.info.run_id, "valid-logloss")
    stopped = booster.num_boosted_rounds()
    assert [m.step for m in history] == list(range(stopped + 1))
    assert history[-1].value == pytest.approx(booster.best_score)
    assert run.data.metrics["best_iteration"] == booster.best_iteration
    assert run.data.metrics["stopped_iteration"] == stopped - 1
    assert sorted(t.value for d in run.inputs.dataset_inputs for t in d.tags) == ["eval", "eval", "train"]
    folder = folder_of(run)
    assert json.loads((folder / "feature_importance_weight.json").read_text()) == booster.get_score()
    assert (folder / "feature_importance_weight.png").exists()
    loaded = mlcore.pyfunc.load_model(str(folder / "model"))
    assert loaded.metadata.signature is not None
    assert [spec.name for spec in loaded.metadata.signature.inputs] == list(X.columns)
    assert loaded.predict(VALID).tolist() == booster.predict(valid).tolist()
    assert loaded.input_example.equals(X.head())


def test_an_estimator_is_recorded_as_itself_with_the_curves_of_its_training() -> None:
    mlcore.autolog()

    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2).fit(X, Y, eval_set=[(VALID, VALID_Y)], verbose=False)

    (run,) = runs()
    assert run.data.tags["mlflow.autologging"] == "xgboost"
    assert run.data.tags["estimator_name"] == "XGBClassifier"
    assert (run.data.params["n_estimators"], run.data.params["num_boost_round"]) == ("4", "4")
    assert "gamma" not in run.data.params
    assert len(mlcore.Client().get_metric_history(run.info.run_id, "validation_0-logloss")) == 4
    loaded = mlcore.xgboost.load_model(f"runs:/{run.info.run_id}/model")
    assert isinstance(loaded, xgboost.XGBClassifier)
    assert loaded.predict(X).tolist() == model.predict(X).tolist()


def test_a_search_records_itself_and_not_the_estimators_that_it_fits() -> None:
    mlcore.autolog(max_tuning_runs=0)

    search = GridSearchCV(xgboost.XGBClassifier(n_estimators=2), {"max_depth": [1, 2]}, cv=2).fit(X, Y)

    (run,) = runs()
    assert run.data.tags["estimator_name"] == "GridSearchCV"
    best = mlcore.models.get_model_info(f"runs:/{run.info.run_id}/best_estimator")
    assert best.flavors["xgboost"]["model_class"] == "xgboost.sklearn.XGBClassifier"
    assert run.data.params["best_max_depth"] == str(search.best_params_["max_depth"])


def test_the_choices_of_the_flavor_are_kept() -> None:
    mlcore.xgboost.autolog(importance_types=["gain", "cover"], model_format="json", registered_model_name="trees")

    xgboost.train({"eval_metric": "ndcg@3", "objective": "rank:ndcg"}, ranked(), 2, evals=[(ranked(), "e")])

    (run,) = runs()
    folder = folder_of(run)
    assert {p.name for p in folder.glob("*.json")} == {"feature_importance_gain.json", "feature_importance_cover.json"}
    assert (folder / "model/model.json").exists()
    assert "e-ndcg_at_3" in run.data.metrics
    assert mlcore.Client().get_registered_model("trees").latest_versions[0].run_id == run.info.run_id


def ranked() -> xgboost.DMatrix:
    data = xgboost.DMatrix(X.head(20), np.arange(20) % 4)
    data.set_group([10, 10])
    return data


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 3}, "unknown option 'depth' of flavor xgboost; known are importance_types, model_format"),
        ({"importance_types": "gain"}, r"importance_types must be a list such as \['weight', 'gain'\], got 'gain'"),
    ],
)
def test_a_wrong_argument_of_autolog_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        mlcore.xgboost.autolog(**options)


def test_callbacks_and_lists_of_the_user_stay_as_they_are_and_the_model_is_the_same() -> None:
    class Counting(xgboost.callback.TrainingCallback):
        seen = 0

        def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:
            self.seen += 1
            return False

    train = xgboost.DMatrix(X, Y)
    plain = xgboost.train(PARAMS, train, 3)
    mlcore.xgboost.autolog(log_models=False)
    callbacks = [Counting()]

    recorded = xgboost.train(PARAMS, train, 3, callbacks=callbacks)

    assert callbacks[0].seen == 3
    assert len(callbacks) == 1
    assert recorded.save_raw() == plain.save_raw()


def test_a_matrix_of_before_is_recorded_without_a_signature() -> None:
    train = xgboost.DMatrix(X, Y)
    mlcore.xgboost.autolog()

    xgboost.train(PARAMS, train, 2)

    loaded = mlcore.pyfunc.load_model(f"runs:/{runs()[0].info.run_id}/model")
    assert loaded.metadata.signature is None
    with pytest.raises(InvalidParameterError, match="columns are missing"):
        loaded.predict(pd.DataFrame({"a": [1]}))


def test_a_training_that_fails_raises_its_own_error_and_marks_the_run() -> None:
    mlcore.xgboost.autolog()

    with pytest.raises(xgboost.core.XGBoostError, match="Unknown objective"):
        xgboost.train({"objective": "no such"}, xgboost.DMatrix(X, Y), 2)

    assert runs()[0].info.status == "FAILED"


def test_undoing_restores_the_library() -> None:
    before = [xgboost.train, xgboost.sklearn.train, xgboost.DMatrix.__init__, xgboost.XGBModel.fit]

    stop = mlcore.xgboost.autolog()
    assert xgboost.train is not before[0]
    stop()

    assert [xgboost.train, xgboost.sklearn.train, xgboost.DMatrix.__init__, xgboost.XGBModel.fit] == before
