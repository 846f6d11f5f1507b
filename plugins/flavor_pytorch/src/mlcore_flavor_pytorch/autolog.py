"""Autologging: what Lightning's `Trainer.fit` trains is recorded epoch by epoch, by a callback that it is given."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, cast

from mlcore.errors import InvalidParameterError, MissingDependencyError
from mlcore.interfaces import AutologOptions
from mlcore.models.flavor_files import known_options
from mlcore.models.trained import EXAMPLE_ROWS, Curves, log_trained
from mlcore.models.training import Recorder, Training

if TYPE_CHECKING:
    from typing import Protocol

    import torch

    class Trainer(Protocol):
        """What is used of Lightning's trainer, which is imported late."""

        callbacks: list[object]
        callback_metrics: Mapping[str, torch.Tensor]
        current_epoch: int
        max_epochs: int | None
        optimizers: Sequence[torch.optim.Optimizer]
        sanity_checking: bool
        is_global_zero: bool
        lightning_module: torch.nn.Module


# the class is one, the distributions that bring it are two
_TRAINERS = ("pytorch_lightning.trainer.trainer", "lightning.pytorch.trainer.trainer")
_STOPPING = ("monitor", "mode", "patience", "min_delta")


def start(options: AutologOptions) -> Callable[[], None]:
    """Record every `Trainer.fit` from now on; return what undoes it. Lightning is not imported for that."""
    known_options(options.flavor_options, (), "pytorch")
    if not any(importlib.util.find_spec(name.partition(".")[0]) for name in _TRAINERS):
        raise MissingDependencyError(
            "autologging of pytorch records what Lightning trains: pip install pytorch-lightning; in a training loop of "
            "your own, call mlcore.log_metrics(..., step=epoch)"
        )
    recorder = Recorder("pytorch", options, library="torch")

    def patch(module: ModuleType) -> None:
        recorder.patch(module.Trainer, "fit", lambda original: _recorded(original, recorder))

    waiting = WhenImported(_TRAINERS, patch)
    for name in _TRAINERS:
        if name in sys.modules:
            patch(sys.modules[name])
    sys.meta_path.insert(0, waiting)

    def undo() -> None:
        if waiting in sys.meta_path:
            sys.meta_path.remove(waiting)
        recorder.undo()

    return undo


class WhenImported(MetaPathFinder):
    """Does something with modules as soon as somebody imports them."""

    def __init__(self, names: Sequence[str], act: Callable[[ModuleType], None]) -> None:
        """Call *act* with each module that is called one of *names*, once it is loaded."""
        self._names = names
        self._act = act

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find, with a loader that acts."""
        if fullname not in self._names:
            return None
        others = (each for each in sys.meta_path if each is not self)
        spec = next(filter(None, (each.find_spec(fullname, path, target) for each in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                self._act(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one module's own loader
        return spec


def _recorded(original: Callable[..., object], recorder: Recorder) -> Callable[..., object]:
    def fit(trainer: Trainer, *args: object, **kwargs: object) -> object:
        with recorder.training() as training:
            if training is None or not trainer.is_global_zero:
                return original(trainer, *args, **kwargs)
            epochs = _Epochs(recorder, training)
            callback = epochs.as_callback(trainer)
            trainer.callbacks.append(callback)
            try:
                result = original(trainer, *args, **kwargs)
            finally:
                trainer.callbacks.remove(callback)
            recorder.attempt(lambda: epochs.finish(trainer))
            return result

    return fit


class _Epochs:
    """What is recorded of one `fit`."""

    def __init__(self, recorder: Recorder, training: Training) -> None:
        self._recorder = recorder
        self._training = training
        self._curves = Curves(recorder, training)
        self._example: object = None

    def as_callback(self, trainer: Trainer) -> object:
        """Return a callback of the Lightning that *trainer* is of."""
        homes = {cls.__module__ for cls in type(trainer).__mro__}  # the user's class may be one derived from it
        package = next(name for name in _TRAINERS if name in homes).removesuffix(".trainer.trainer")
        callback = importlib.import_module(package).Callback()
        callback.on_train_start = self._begin
        callback.on_train_batch_start = self._see
        callback.on_train_epoch_end = self._epoch
        return callback

    def _begin(self, trainer: Trainer, _: object) -> None:
        self._recorder.attempt(lambda: self._training.log_params(_params(trainer)))
        self._recorder.attempt(lambda: self._training.run.set_tag("Mode", "training"))

    def _see(self, _trainer: object, _module: object, batch: object, *_: object) -> None:
        if self._example is None:
            rows = batch[0] if isinstance(batch, (list, tuple)) and batch else batch
            if hasattr(rows, "detach"):
                self._example = cast("torch.Tensor", rows)[:EXAMPLE_ROWS].detach().cpu().clone().numpy()

    def _epoch(self, trainer: Trainer, _: object) -> None:
        if not trainer.sanity_checking:
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self._curves.add(found, trainer.current_epoch)

    def finish(self, trainer: Trainer) -> None:
        """Record where early stopping ended, and the module."""
        for callback in trainer.callbacks:
            if hasattr(callback, "stopped_epoch") and hasattr(callback, "patience"):
                self._training.run.log_metric("stopped_epoch", float(callback.stopped_epoch))
        module = trainer.lightning_module
        self._training.run.log_text(str(module), "model_summary.txt")
        try:
            self._log(module)
        except InvalidParameterError as err:
            # what can't be exported keeps its weights at least
            log_trained(self._training, module.state_dict(), "pytorch")
            raise InvalidParameterError(f"only the weights of the module are logged: {err}") from err

    def _log(self, module: torch.nn.Module) -> None:
        from mlcore_flavor_pytorch.predictor import ModulePredictor

        was_training = module.training
        try:
            predict = ModulePredictor(module).predict
            example = self._example
            log_trained(
                self._training, module, "pytorch", example, lambda rows: predict(rows, {}), export_example=example
            )
        finally:
            module.train(was_training)


def _params(trainer: Trainer) -> dict[str, object]:
    params: dict[str, object] = {"epochs": trainer.max_epochs}
    for optimizer in trainer.optimizers[:1]:
        inner = getattr(optimizer, "_optimizer", optimizer)
        params["optimizer_name"] = type(inner).__name__
        params |= {name: value for name, value in inner.defaults.items() if value is not None}
    for callback in trainer.callbacks:
        if hasattr(callback, "stopped_epoch") and hasattr(callback, "patience"):
            params |= {name: getattr(callback, name) for name in _STOPPING}
    return params
