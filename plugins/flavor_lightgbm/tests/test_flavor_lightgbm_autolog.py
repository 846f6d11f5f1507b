"""Autologging of LightGBM: what is recorded, and that nothing of the user's program changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import lightgbm
import pytest
from sklearn.datasets import load_breast_cancer

import mlcore
from mlcore.entities import Run

DATA, TARGET = load_breast_cancer(return_X_y=True, as_frame=True)
X, Y = DATA.iloc[:300, :5].rename(columns=lambda name: name.replace(" ", "_")), TARGET[:300]
VALID, VALID_Y = DATA.iloc[300:, :5].rename(columns=lambda name: name.replace(" ", "_")), TARGET[300:]
PARAMS = {"objective": "binary", "num_leaves": 7, "learning_rate": 0.9, "verbose": -1}


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    mlcore.autolog(disable=True)


def runs() -> list[Run]:
    return mlcore.search_runs(output_format="list", order_by=["attributes.start_time ASC"])


def test_a_training_is_recorded_with_params_curves_early_stopping_importance_data_and_model() -> None:
    mlcore.lightgbm.autolog(log_input_examples=True)
    train = lightgbm.Dataset(X, Y)
    valid = lightgbm.Dataset(VALID, VALID_Y, reference=train)
    stopping = lightgbm.early_stopping(3, verbose=False)

    booster = lightgbm.train(
        PARAMS, train, 40, valid_sets=[train, valid], valid_names=["train", "valid"], callbacks=[stopping]
    )

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.autologging"] == "lightgbm"
    assert run.data.params == {
        "objective": "binary", "num_leaves": "7", "learning_rate": "0.9", "verbose": "-1", "num_boost_round": "40",
        "keep_training_booster": "False",
    }  # fmt: skip
    history = mlcore.Client().get_metric_history(run.info.run_id, "valid-binary_logloss")
    stopped = booster.best_iteration + 3
    assert len(history) == stopped + 1
    assert history[-1].value == pytest.approx(booster.best_score["valid"]["binary_logloss"])
    assert run.data.metrics["best_iteration"] == booster.best_iteration
    assert run.data.metrics["stopped_iteration"] == stopped
    assert sorted(t.value for d in run.inputs.dataset_inputs for t in d.tags) == ["eval", "train"]
    assert {d.dataset.name for d in run.inputs.dataset_inputs} == {"dataset", "valid"}
    folder = Path(mlcore.download_artifacts(f"runs:/{run.info.run_id}/"))
    for kind in ("split", "gain"):
        values = booster.feature_importance(importance_type=kind).tolist()
        stored = json.loads((folder / f"feature_importance_{kind}.json").read_text())
        assert stored == dict(zip(booster.feature_name(), values, strict=True))
        assert (folder / f"feature_importance_{kind}.png").exists()
    loaded = mlcore.pyfunc.load_model(str(folder / "model"))
    assert loaded.predict(VALID).tolist() == booster.predict(VALID).tolist()
    assert loaded.input_example.equals(X.head())


def test_an_estimator_is_recorded_as_itself_with_the_curves_of_its_training() -> None:
    mlcore.autolog()

    model = lightgbm.LGBMClassifier(n_estimators=4, num_leaves=7, verbose=-1).fit(
        X, Y, eval_X=(VALID,), eval_y=(VALID_Y,)
    )

    (run,) = runs()
    assert run.data.tags["mlflow.autologging"] == "lightgbm"
    assert run.data.tags["estimator_name"] == "LGBMClassifier"
    assert (run.data.params["n_estimators"], run.data.params["num_boost_round"]) == ("4", "4")
    assert len(mlcore.Client().get_metric_history(run.info.run_id, "valid_0-binary_logloss")) == 4
    loaded = mlcore.lightgbm.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.predict(X).tolist() == model.predict(X).tolist()


def test_data_that_lightgbm_has_freed_is_recorded_without_a_signature() -> None:
    train = lightgbm.Dataset(X, Y).construct()
    mlcore.lightgbm.autolog()

    lightgbm.train(PARAMS, train, 2)

    assert mlcore.pyfunc.load_model(f"runs:/{runs()[0].info.run_id}/model").metadata.signature is None


def test_the_model_is_the_same_with_and_without_and_everything_is_put_back() -> None:
    before = [lightgbm.train, lightgbm.sklearn.train, lightgbm.LGBMModel.fit, lightgbm.LGBMRanker.fit]
    plain = lightgbm.train(PARAMS, lightgbm.Dataset(X, Y), 3)

    stop = mlcore.lightgbm.autolog(log_models=False)
    recorded = lightgbm.train(PARAMS, lightgbm.Dataset(X, Y), 3)
    stop()

    assert recorded.model_to_string() == plain.model_to_string()
    assert [lightgbm.train, lightgbm.sklearn.train, lightgbm.LGBMModel.fit, lightgbm.LGBMRanker.fit] == before


def test_a_training_that_fails_raises_its_own_error_and_marks_the_run() -> None:
    mlcore.lightgbm.autolog()

    with pytest.raises(lightgbm.basic.LightGBMError):
        lightgbm.train({"objective": "no such", "verbose": -1}, lightgbm.Dataset(X, Y), 2)

    assert runs()[0].info.status == "FAILED"
