"""Import a library without one that it imports but may never use.

scikit-learn imports pandas where it is installed, to be ready for frames: a fifth of its own time and of the memory of a
server, which most models of numbers never need.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


class _Deferred(ModuleType):
    """Stands for a module that is imported when one of its attributes is asked for."""

    def __getattr__(self, attribute: str) -> object:
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        found: object = getattr(importlib.import_module(name), attribute)
        return found


@contextmanager
def deferred(name: str) -> Iterator[None]:
    """Let `import name` inside the block take effect when the module is used.

    After the block, `sys.modules` holds the module only if something used it, so that whoever asks there whether it was
    imported hears the truth. Nothing is deferred that is imported already, or not installed.
    """
    if name in sys.modules or importlib.util.find_spec(name) is None:
        yield
        return
    stand_in = sys.modules[name] = _Deferred(name)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
