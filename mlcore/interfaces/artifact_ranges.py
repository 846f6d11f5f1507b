"""An ability of artifact repositories: parts of files, for those who look at a large one without fetching it."""

from __future__ import annotations

from typing import BinaryIO, Protocol, runtime_checkable


@runtime_checkable
class SupportsRanges(Protocol):
    """A repository that gives a part of a file; of use where what `read` opens cannot seek."""

    def read_range(self, path: str, start: int, end: int) -> BinaryIO:
        """Open the bytes of a file from *start* to *end*, the last one exclusive: 0 <= start < end <= its size.

        Raises ArtifactNotFoundError: there is no such file. StoreUnavailableError: it has no such part any more.
        """
        ...
