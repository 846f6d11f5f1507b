"""The output of a job, which its runner writes into numbered files."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator

from mlcore_project_databricks.storage import Storage


class OutputReader:
    """Reads on where it was, line by line."""

    def __init__(self, storage: Storage, folder: str) -> None:
        """Begin at the beginning. folder: relative to the storage."""
        self._storage = storage
        self._folder = folder
        self._number = 0
        self._offset = 0
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self.has_any: bool = False

    def lines(self) -> Iterator[str]:
        """Yield the lines that have come since the last time."""
        while True:
            data = self._storage.read(f"{self._folder}/{self._number:06d}.log", self._offset)
            if data:
                self.has_any = True
                self._offset += len(data)
                yield from self._split(self._text.decode(data))
            elif not self._offset:
                return  # not there yet, or empty yet
            else:  # read to its end: files are written once, so that the next one follows if there is more
                following = self._storage.read(f"{self._folder}/{self._number + 1:06d}.log", 0)
                if following is None:
                    return
                self._number, self._offset = self._number + 1, 0

    def rest(self) -> Iterator[str]:
        """Yield the last line when nothing ends it."""
        yield from self._split(self._text.decode(b"", final=True))
        if self._line:
            yield self._line
            self._line = ""

    def exit_code(self) -> int | None:
        """Return how the command ended; None when the runner could not tell."""
        found = self._storage.read(f"{self._folder}/end.json")
        try:
            code = json.loads(found)["code"] if found else None
        except (ValueError, KeyError, TypeError):
            return None
        return code if isinstance(code, int) else None

    def _split(self, text: str) -> Iterator[str]:
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            yield line.removesuffix("\r")
