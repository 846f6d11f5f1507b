"""Results of statsmodels: saving, trust, what they predict for, and what autologging records of a fit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf

import mlcore
from mlcore import pyfunc
from mlcore.entities import Run
from mlcore.errors import InvalidParameterError, MissingDependencyError, SignatureError, UntrustedModelError
from mlcore.models import MLModel

X = pd.DataFrame({"const": 1.0, "size": np.arange(40.0)})
Y = X["size"] * 2 + np.sin(X["size"])


@pytest.fixture(scope="module")
def line() -> object:
    return sm.OLS(Y, X).fit()


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    mlcore.autolog(disable=True)


def runs() -> list[Run]:
    return mlcore.search_runs(output_format="list", order_by=["attributes.start_time ASC"])


def test_the_flavor_is_found_without_being_named_and_its_file_says_what_mlflow_says(line: object) -> None:
    with mlcore.start_run():
        info = mlcore.log_model(line)

    model = MLModel.read(Path(mlcore.download_artifacts(info.model_uri)))
    assert model.flavors["statsmodels"] == {
        "code": None,
        "data": "model.statsmodels",
        "statsmodels_version": statsmodels.__version__,
    }
    assert {k: model.pyfunc[k] for k in ("loader_module", "data")} == {
        "loader_module": "mlflow.statsmodels",
        "data": "model.statsmodels",
    }


def test_a_result_is_a_pickle_and_needs_trust(line: object) -> None:
    mlcore.statsmodels.save_model(statsmodels_model=line, path="m", input_example=X.head(2))

    with pytest.raises(UntrustedModelError, match=r"model\.statsmodels is a pickle\. If you trust"):
        pyfunc.load_model("m")

    loaded = pyfunc.load_model("m", trust=True)
    assert np.allclose(loaded.predict(X), line.predict(X))
    names = [row.partition("==")[0] for row in Path("m/requirements.txt").read_text().split()]
    assert {"statsmodels", "pandas", "numpy"} < set(names)


def test_columns_are_found_by_their_names_where_statsmodels_counts_them(line: object) -> None:
    mlcore.statsmodels.save_model(line, "m")

    loaded = pyfunc.load_model("m", trust=True)

    assert np.allclose(loaded.predict(X[["size", "const"]]), line.predict(X))
    with pytest.raises(SignatureError, match="columns are missing: 'const'; the model was trained on 2 columns"):
        loaded.predict(X[["size"]])


def test_a_formula_finds_its_columns_itself() -> None:
    frame = X.assign(y=Y, kind=["a", "b"] * 20)
    model = smf.ols("y ~ size + C(kind)", data=frame).fit()
    mlcore.statsmodels.save_model(model, "m")

    found = pyfunc.load_model("m", trust=True).predict(frame[["kind", "size"]])

    assert np.allclose(found, model.predict(frame))


def test_a_model_of_arrays_predicts_for_frames() -> None:
    model = sm.GLM(Y.to_numpy(), X.to_numpy()).fit()
    mlcore.statsmodels.save_model(model, "m")

    assert np.allclose(pyfunc.load_model("m", trust=True).predict(X), model.predict(X.to_numpy()))


def test_a_series_predicts_for_a_span_of_time() -> None:
    model = sm.tsa.AutoReg(Y.to_numpy(), lags=2).fit()
    mlcore.statsmodels.save_model(model, "m")
    loaded = pyfunc.load_model("m", trust=True)

    found = loaded.predict(pd.DataFrame({"start": [40], "end": [42]}))

    assert np.allclose(found, model.predict(start=40, end=42))
    with pytest.raises(
        SignatureError, match=r"for one row with the columns 'start' and 'end', got a DataFrame of 40 rows"
    ):
        loaded.predict(X)


def test_the_data_of_the_training_can_be_left_out(line: object) -> None:
    mlcore.statsmodels.save_model(line, "whole")
    mlcore.statsmodels.save_model(sm.OLS(Y, X).fit(), "small", remove_data=True)

    sizes = [Path(name, "model.statsmodels").stat().st_size for name in ("whole", "small")]

    assert sizes[1] < sizes[0] / 1.2
    assert np.allclose(pyfunc.load_model("small", trust=True).predict(X), line.predict(X))


def test_a_wrong_option_is_told(line: object) -> None:
    with pytest.raises(
        InvalidParameterError, match="unknown option 'format' of flavor statsmodels; known are remove_data"
    ):
        mlcore.statsmodels.save_model(line, "m", format="json")


def test_without_the_library_the_line_for_pip_is_named(line: object, monkeypatch: pytest.MonkeyPatch) -> None:
    mlcore.statsmodels.save_model(line, "m")
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    monkeypatch.delitem(sys.modules, "mlcore_flavor_statsmodels.predictor", raising=False)  # as in a new process

    with pytest.raises(MissingDependencyError, match="flavor statsmodels need statsmodels: pip install statsmodels"):
        pyfunc.load_model("m", trust=True)


def test_a_fit_is_recorded_with_params_metrics_summary_data_and_model() -> None:
    mlcore.statsmodels.autolog()

    result = sm.OLS(Y, X).fit(cov_type="HC1")

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.autologging"] == "statsmodels"
    assert run.data.tags["estimator_name"] == "OLS"
    assert run.data.params["cov_type"] == "HC1"
    assert run.data.metrics["rsquared"] == pytest.approx(result.rsquared)
    assert run.data.metrics["aic"] == pytest.approx(result.aic)
    assert [t.value for t in run.inputs.dataset_inputs[0].tags] == ["train"]
    folder = Path(mlcore.download_artifacts(f"runs:/{run.info.run_id}/"))
    assert "OLS Regression Results" in (folder / "model_summary.txt").read_text()
    loaded = pyfunc.load_model(str(folder / "model"), trust=True)
    assert [spec.name for spec in loaded.metadata.signature.inputs] == ["const", "size"]


def test_fits_inside_of_a_fit_are_not_recorded_and_everything_is_put_back() -> None:
    before = [sm.OLS.fit, sm.RLM.fit, sm.GLM.fit]

    stop = mlcore.statsmodels.autolog(log_models=False)
    sm.RLM(Y, X).fit()
    stop()
    sm.OLS(Y, X).fit()

    assert [r.data.tags["estimator_name"] for r in runs()] == ["RLM"]
    assert [sm.OLS.fit, sm.RLM.fit, sm.GLM.fit] == before
