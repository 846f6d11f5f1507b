"""Notice with which code a program asks to be left: the interpreter tells nobody before it is gone."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from types import CodeType
from typing import NoReturn

_NAME = "mlcore"
_TOOLS = (4, 3)  # the ids of `sys.monitoring` that no kind of tool claims


class ExitCodes:
    """Notice exits of the main thread, as long as it is watched.

    Since Python 3.12 every SystemExit is seen on its way through the program's functions. Before, calls of `sys.exit`,
    `exit` and `quit` are; a SystemExit that is raised by hand is not.
    """

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._code: object = None
        self._is_known = False
        self._tool: int | None = None
        self._replaced: list[tuple[object, str, object, object]] = []

    @property
    def is_exact(self) -> bool:
        """Whether an exit that was raised by hand is noticed, too."""
        return self._tool is not None

    def last(self) -> tuple[bool, object]:
        """Return whether an exit was noticed, and the code of the last one."""
        return self._is_known, self._code

    def start(self) -> None:
        """Begin to watch; a second call does nothing."""
        if self._tool is None and not self._replaced:
            self._is_known = False
            if not self._monitor():
                self._wrap()

    def stop(self) -> None:
        """Leave everything as it was; what others have replaced since stays theirs."""
        if sys.version_info >= (3, 12) and self._tool is not None:
            sys.monitoring.set_events(self._tool, 0)
            sys.monitoring.register_callback(self._tool, sys.monitoring.events.PY_UNWIND, None)
            sys.monitoring.free_tool_id(self._tool)
        self._tool = None
        for place, name, ours, theirs in self._replaced:
            if getattr(place, name) is ours:
                setattr(place, name, theirs)
        self._replaced.clear()

    def _note(self, code: object) -> None:
        if threading.current_thread() is threading.main_thread():
            self._is_known, self._code = True, code

    def _monitor(self) -> bool:
        if sys.version_info >= (3, 12):
            free = [tool for tool in _TOOLS if sys.monitoring.get_tool(tool) is None]
            if free:
                event = sys.monitoring.events.PY_UNWIND
                sys.monitoring.use_tool_id(free[0], _NAME)
                sys.monitoring.register_callback(free[0], event, self._unwound)
                sys.monitoring.set_events(free[0], event)
                self._tool = free[0]
        return self._tool is not None

    def _unwound(self, _code: CodeType, _offset: int, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            self._note(error.code)

    def _wrap(self) -> None:
        self._replace(sys, "exit", self._noticing(sys.exit))
        quitter = type(getattr(sys.modules["builtins"], "exit", None))
        if quitter.__name__ == "Quitter":
            theirs: Callable[..., NoReturn] = quitter.__call__

            @functools.wraps(theirs)
            def called(quit_: object, code: object = None) -> NoReturn:
                self._note(code)
                theirs(quit_, code)

            self._replace(quitter, "__call__", called)

    def _noticing(self, theirs: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
        @functools.wraps(theirs)
        def noticed(*given: object, **more: object) -> NoReturn:  # somebody else's stand-in may take anything
            self._note(given[0] if given else None)
            theirs(*given, **more)

        return noticed

    def _replace(self, place: object, name: str, ours: object) -> None:
        self._replaced.append((place, name, ours, getattr(place, name)))
        setattr(place, name, ours)
