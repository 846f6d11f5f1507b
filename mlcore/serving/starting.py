"""The time before a server answers, in which much is made and nothing is thrown away."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting() -> Iterator[None]:
    """Import and load inside the block without collecting garbage, and leave what is there then out of later collections.

    A library that is imported makes objects by the hundred thousand and no garbage: looking through them took a tenth of
    the start, and later, each time, longer than a hundred answers.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
