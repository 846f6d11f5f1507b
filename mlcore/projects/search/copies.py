"""Code for runs that go side by side: a checkout is copied for each, a directory of the user is used where it is."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

if TYPE_CHECKING:
    from mlcore.projects.source import Source


class Copies:
    """Copies of a source."""

    def __init__(self, source: Source) -> None:
        """Copy nothing yet."""
        self._source = source

    @contextlib.contextmanager
    def one(self) -> Iterator[Source]:
        """Return a source for one run, which deletes nothing when it ends; the copy is gone after the block."""
        source = self._source
        if source.temporary is None:
            yield source
            return
        with tempfile.TemporaryDirectory(prefix="mlcore-search-", ignore_cleanup_errors=True) as folder:
            copied = Path(folder) / "code"
            shutil.copytree(source.temporary, copied, symlinks=True)
            yield evolve(source, directory=copied / source.directory.relative_to(source.temporary), temporary=None)
