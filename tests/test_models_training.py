"""What autologging of all flavors stands on: who records a training, and that functions are put back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mlcore
from mlcore.entities import Run
from mlcore.interfaces import AutologOptions
from mlcore.models.trained import Curves, log_importance
from mlcore.models.training import AutologWarning, Recorder


class Base:
    """An estimator of the library `base`."""

    def fit(self) -> str:
        return "fitted"


class Boosted(Base):
    """An estimator of the library `boosted`, which trains by fitting another one."""

    def fit(self) -> str:
        Base().fit()
        return super().fit()


Base.__module__, Boosted.__module__ = "base.models", "boosted.models"


def recorder(flavor: str, *classes: type, **options: bool) -> Recorder:
    made = Recorder(flavor, AutologOptions(**options))  # type: ignore[arg-type]  # switches alone are given

    def recorded(original: Callable[..., object]) -> Callable[..., object]:
        def fit(self: object) -> object:
            if not made.answers_for(type(self)):
                return original(self)
            with made.training() as training:
                if training is not None:
                    training.log_params({"class": type(self).__name__})
                return original(self)

        return fit

    for cls in classes:
        made.patch(cls, "fit", recorded)
    return made


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = Base.__dict__["fit"], Boosted.__dict__["fit"]
    yield
    assert (Base.__dict__["fit"], Boosted.__dict__["fit"]) == before


def runs() -> list[Run]:
    return mlcore.search_runs(output_format="list", order_by=["attributes.start_time ASC"])


@pytest.mark.parametrize("order", [("base", "boosted"), ("boosted", "base")])
def test_of_two_flavors_the_one_nearest_to_the_class_records(order: tuple[str, str]) -> None:
    classes = {"base": (Base, Boosted), "boosted": (Boosted,)}
    made = [recorder(name, *classes[name]) for name in order]

    assert Boosted().fit() == "fitted"
    for each in reversed(made):
        each.undo()

    (run,) = runs()
    assert (run.data.tags["mlflow.autologging"], run.data.params) == ("boosted", {"class": "Boosted"})
    assert run.info.status == "FINISHED"


def test_a_flavor_records_the_classes_of_another_that_does_not_record() -> None:
    made = recorder("base", Base, Boosted)

    Boosted().fit()
    made.undo()

    assert [r.data.tags["mlflow.autologging"] for r in runs()] == ["base"]


def test_what_one_flavor_puts_back_leaves_the_other_one_at_work() -> None:
    first, second = recorder("base", Base), recorder("other", Base)

    first.undo()
    Base().fit()
    second.undo()
    # the first one's function was wrapped by the second, and is put back by it
    Base.fit = Base.__dict__["fit"].__wrapped__

    assert [r.data.tags["mlflow.autologging"] for r in runs()] == ["other"]


def test_patching_twice_records_once() -> None:
    made = recorder("base", Base)
    made.patch(Base, "fit", lambda original: original)

    made.undo()
    made.undo()


def test_curves_end_at_the_first_failure_and_say_so_once() -> None:
    made = recorder("base")
    with made.training() as training:
        assert training is not None
        curves = Curves(made, training)
        curves.add({"eval-ndcg@3": 0.5}, 0)
        with pytest.warns(AutologWarning, match="training goes on: ValueError"):
            curves.add({"eval": "?"}, 1)  # type: ignore[dict-item]  # what a library should not do
        curves.add({"eval": 1.0}, 2)
    made.undo()

    assert runs()[0].data.metrics == {"eval-ndcg_at_3": 0.5}


def test_early_stopping_repeats_the_best_iteration() -> None:
    made = recorder("base")
    with made.training() as training:
        assert training is not None
        curves = Curves(made, training)
        for step, loss in enumerate((3.0, 1.0, 2.0)):
            curves.add({"loss": loss}, step)
        curves.finish(1, first=1)
    made.undo()

    (run,) = runs()
    assert run.data.metrics == {"loss": 1.0, "stopped_iteration": 3, "best_iteration": 2}
    history = mlcore.Client().get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(0, 3.0), (1, 1.0), (2, 2.0), (3, 1.0)]


def test_importance_is_stored_as_numbers_and_as_a_picture() -> None:
    made = recorder("base")
    with made.training() as training:
        assert training is not None
        log_importance(training, "gain", {f"f{n}": float(n) for n in range(60)})
    made.undo()

    folder = Path(mlcore.download_artifacts(f"runs:/{runs()[0].info.run_id}/"))
    assert len(json.loads((folder / "feature_importance_gain.json").read_text())) == 60
    assert (folder / "feature_importance_gain.png").read_bytes().startswith(b"\x89PNG")
