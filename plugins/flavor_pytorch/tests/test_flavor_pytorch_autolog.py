"""Autologging of PyTorch: what Lightning trains, epoch by epoch."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlcore_flavor_pytorch.autolog import WhenImported

import mlcore
from mlcore import pyfunc
from mlcore.errors import MissingDependencyError
from mlcore.models.training import AutologWarning

HAS_LIGHTNING = importlib.util.find_spec("pytorch_lightning") is not None
Require = Callable[[str, bool, str], None]
Train = Callable[..., object]


@pytest.fixture
def train(require: Require) -> Train:
    """Return a function that trains a small module for two epochs with a real trainer."""
    require("torch", HAS_LIGHTNING, "make torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pytorch_lightning as lightning
        import torch

    class Net(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.layer(rows)

        def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
            loss = torch.nn.functional.mse_loss(self(batch[0]), batch[1])
            self.log("loss", loss, on_epoch=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    class Branching(Net):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.layer(rows) if float(rows.sum()) > 0 else -self.layer(rows)

    def run(*, branching: bool = False) -> object:
        torch.manual_seed(0)
        rows = torch.randn(16, 3)
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows, rows.sum(1, keepdim=True)), 8)
        net = Branching() if branching else Net()
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning and PyTorch warn of each other
            warnings.simplefilter("always", AutologWarning)
            lightning.Trainer(max_epochs=2, accelerator="cpu", enable_checkpointing=False, **quiet).fit(net, loader)
        return net

    return run


@pytest.fixture
def recording(train: Train) -> Iterator[Callable[[], None]]:
    """Record, and stop in the end."""
    stop = mlcore.pytorch.autolog()
    yield stop
    stop()


@pytest.mark.usefixtures("recording")
def test_a_training_is_a_run_with_params_the_metrics_of_each_epoch_and_the_model(train: Train) -> None:
    net = train()

    run = mlcore.last_active_run()
    history = mlcore.MlflowClient().get_metric_history(run.info.run_id, "loss_epoch")
    import torch

    rows = torch.ones(3, 3)
    predicted = pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(rows.numpy())
    assert run.info.status == "FINISHED"
    assert {k: run.data.params[k] for k in ("epochs", "optimizer_name", "lr")} == {
        "epochs": "2", "optimizer_name": "SGD", "lr": "0.05",
    }  # fmt: skip
    assert [m.step for m in history] == [0, 1]
    assert history[1].value < history[0].value
    assert run.data.tags["mlflow.autologging"] == "pytorch"
    assert predicted.tolist() == net(rows).tolist()  # type: ignore[operator]  # a module
    assert net.training  # type: ignore[attr-defined]  # as Lightning left it


@pytest.mark.usefixtures("recording")
def test_a_module_that_cannot_be_exported_keeps_its_weights_and_the_user_is_told(train: Train) -> None:
    with pytest.warns(AutologWarning, match="only the weights of the module are logged: can't export this Branching"):
        net = train(branching=True)

    run = mlcore.last_active_run()
    weights = mlcore.pytorch.load_model(f"runs:/{run.info.run_id}/model")
    assert run.info.status == "FINISHED"
    assert weights["layer.bias"].tolist() == net.layer.bias.tolist()  # type: ignore[attr-defined]  # a module


def test_after_the_end_nothing_is_recorded(train: Train, recording: Callable[[], None]) -> None:
    recording()

    train()

    assert mlcore.search_runs(output_format="list") == []


def test_a_run_of_the_users_is_used_and_left_open(train: Train, recording: Callable[[], None]) -> None:
    with mlcore.start_run() as run:
        train()

        assert mlcore.active_run().info.run_id == run.info.run_id
    assert len(mlcore.search_runs(output_format="list")) == 1


def test_autologging_imports_neither_lightning_nor_pytorch(require: Require) -> None:
    require("torch", HAS_LIGHTNING, "make torch")
    code = "import sys, mlcore; mlcore.pytorch.autolog(); print({'torch', 'pytorch_lightning'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_what_is_imported_later_is_patched_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_later.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[object] = []
    waiting = WhenImported(["imported_later"], lambda module: seen.append(module.value))
    monkeypatch.setattr(sys, "meta_path", [waiting, *sys.meta_path])

    importlib.import_module("imported_later")

    assert seen == [1]


@pytest.mark.skipif(HAS_LIGHTNING, reason="is seen where Lightning is absent")
def test_without_lightning_the_pip_line_is_named() -> None:
    with pytest.raises(MissingDependencyError, match="pip install pytorch-lightning"):
        mlcore.pytorch.autolog()
