"""Trainings that are recorded without a change of the user's code: what the autologging of every flavor stands on.

A flavor makes a `Recorder`, replaces the functions of its library that train by ones that ask it for a `Training`, and
returns `Recorder.undo`. Of nested trainings, of one library or of several, the one that the user called is recorded.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from attrs import frozen

from mlcore.errors import MlcoreError
from mlcore.interfaces.flavor import AutologOptions
from mlcore.models.flavors import nearest_library
from mlcore.tracking import fluent, tags
from mlcore.tracking.endings import ending_of
from mlcore.tracking.run_handle import ActiveRun

T = TypeVar("T")
Function = Callable[..., object]

_MARK = "_mlcore_recorders"
# What recording may raise. Training goes on and the user is told; anything else is a fault of ours to be seen.
_RECORDING_FAULTS = (
    MlcoreError,
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class AutologWarning(UserWarning):
    """Training went on, but a part of it is not recorded."""


@frozen(eq=False)
class Training:
    """A training that is being recorded.

    owned: whether autologging started the run, and so ends it.
    """

    run: ActiveRun
    owned: bool
    options: AutologOptions

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log the params; in a run of the user's, those that it already has with other values are left as they are."""
        texts = {key: str(value) for key, value in params.items()}
        if not self.owned:
            known = self.run.as_known().data.params
            clash = [k for k, v in texts.items() if k in known and known[k] != v[: len(known[k]) or None]]
            if clash:
                warnings.warn(
                    f"run {self.run.run_id} already has other values of the params {clash[:5]}: the new ones are not logged",
                    stacklevel=2,
                )
            texts = {k: v for k, v in texts.items() if k not in known}
        self.run.log_params(texts)


class _Process:
    """The trainings of this process, of all flavors: which is outermost, and which runs autologging started.

    Inner calls happen on the same thread, or on threads that the outer call started (joblib's pools).
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: dict[int, frozenset[int]] = {}
        self.trainings: dict[int, tuple[Recorder, Training]] = {}
        self.own_runs: set[str] = set()
        self.recorders: list[Recorder] = []

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """Yield whether this call is an outermost one."""
        me = threading.get_ident()
        with self.lock:
            inner = me in self.running or any(me not in before for before in self.running.values())
            if not inner:
                self.running[me] = frozenset(t.ident for t in threading.enumerate() if t.ident is not None)
        try:
            yield not inner
        finally:
            if not inner:
                with self.lock:
                    del self.running[me]
                    self.trainings.pop(me, None)


_process = _Process()


class Recorder:
    """Replaces functions of one flavor's library by ones that record, and puts them back."""

    def __init__(self, flavor: str, options: AutologOptions, library: str | None = None) -> None:
        """Record for *flavor*.

        library: its top-level module; the flavor's name when not given.
        """
        self.flavor: str = flavor
        self.options: AutologOptions = options
        self.library: str = library or flavor
        self._restores: list[Callable[[], None]] = []
        _process.recorders.append(self)

    def patch(self, owner: type | object, name: str, make: Callable[[Function], Function]) -> None:
        """Replace the function *name* of the class or module *owner* by what *make* makes of it; once for each flavor."""
        original = vars(owner)[name]
        marks: frozenset[str] = getattr(original, _MARK, frozenset())
        if self.flavor in marks:
            return
        made = make(original)

        @functools.wraps(original)
        def recorded(*args: object, **kwargs: object) -> object:
            # somebody may have replaced the function in turn, so that it stays in use after undo
            return (made if self in _process.recorders else original)(*args, **kwargs)

        setattr(recorded, _MARK, marks | {self.flavor})
        setattr(owner, name, recorded)

        def restore() -> None:
            if vars(owner).get(name) is recorded:
                setattr(owner, name, original)

        self._restores.append(restore)

    def undo(self) -> None:
        """Put everything back; again and again changes nothing."""
        if self in _process.recorders:
            _process.recorders.remove(self)
        while self._restores:
            self._restores.pop()()

    def answers_for(self, cls: type) -> bool:
        """Whether trainings of *cls* are this flavor's: of all that record now, its library is the nearest to the class."""
        return nearest_library(cls, [r.library for r in _process.recorders]) in (self.library, None)

    def current(self) -> Training | None:
        """Return the training that this recorder records on this thread; None when there is none."""
        recorder, training = _process.trainings.get(threading.get_ident(), (None, None))
        return training if recorder is self else None

    @contextmanager
    def training(self) -> Iterator[Training | None]:
        """Enter a training.

        Yields None when there is nothing to record: another training goes on around it, the active run is the user's and
        is to be left alone, or the run can't be had. A run that is started here ends with the training.
        """
        with _process.entered() as is_outermost:
            training = self.attempt(self._begin) if is_outermost else None
            if training is None:
                yield None
                return
            _process.trainings[threading.get_ident()] = (self, training)
            try:
                yield training
            except BaseException as err:
                self._end(training, err)
                raise
            self._end(training, None)

    def attempt(self, action: Callable[[], T]) -> T | None:
        """Do what records something; return None, with a warning unless that is switched off, when it fails."""
        try:
            return action()
        except _RECORDING_FAULTS as err:
            if not self.options.silent:
                warnings.warn(
                    f"autologging of {self.flavor} left something out, training goes on: {type(err).__name__}: {err}",
                    AutologWarning,
                    stacklevel=3,
                )
            return None

    def _begin(self) -> Training | None:
        # A thread without a run of its own sees the one open run of the process, which must not be that of a training in
        # another thread.
        active = fluent.active_run()
        if active is not None and active.run_id in _process.own_runs:
            active = None
        if active is not None and self.options.exclusive:
            return None
        run = active
        if run is None:
            run = fluent.start_run(tags=self.options.extra_tags)
            _process.own_runs.add(run.run_id)
        run.set_tag(tags.AUTOLOGGING, self.flavor)
        return Training(run, active is None, self.options)

    def _end(self, training: Training, error: BaseException | None) -> None:
        if training.owned:
            self.attempt(lambda: training.run.end_as(ending_of(error)))
            _process.own_runs.discard(training.run.run_id)
