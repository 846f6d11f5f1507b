"""Show how far a transfer is: a bar in a terminal for what takes long, nothing anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Protocol, TextIO

from mlcore.settings import Settings

_QUIET_S = 0.5
_EVERY_S = 0.1
_BAR_WIDTH = 24
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


class Progress(Protocol):
    """Hears of a transfer; `start` comes once, `advance` often, `done` at the end, however it ends."""

    def start(self, total_bytes: int | None, total_files: int) -> None:
        """Hear that it begins; *total_bytes* is None when a repository does not tell sizes."""
        ...

    def advance(self, size_bytes: int) -> None:
        """Hear that so many more bytes went over."""
        ...

    def done(self) -> None:
        """Hear that it ended, well or not."""
        ...


class Silent:
    """Show nothing."""

    def start(self, total_bytes: int | None, total_files: int) -> None:
        """Ignore the start."""

    def advance(self, size_bytes: int) -> None:
        """Ignore the bytes."""

    def done(self) -> None:
        """Ignore the end."""


class Bar:
    """A bar on one line, drawn only once the work has lasted longer than half a second."""

    def __init__(self, label: str, stream: TextIO, *, quiet_s: float = _QUIET_S) -> None:
        """Draw nothing yet.

        label: the verb in front, such as `uploading`.
        quiet_s: how many seconds may pass before the first drawing.
        """
        self._label = label
        self._stream = stream
        self._quiet_s = quiet_s
        self._total: int | None = None
        self._files = 0
        self._bytes = 0
        self._began = self._next = time.monotonic()
        self._drawn = False
        self._wanted: bool | None = None

    def start(self, total_bytes: int | None, total_files: int) -> None:
        """Note what there is to do."""
        self._total, self._files, self._bytes = total_bytes, total_files, 0
        self._began = time.monotonic()
        self._next = self._began + self._quiet_s

    def advance(self, size_bytes: int) -> None:
        """Count, and draw at most ten times a second."""
        self._bytes += size_bytes
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_S
            self._draw(now)

    def done(self) -> None:
        """Draw the end and leave the line, if anything was drawn at all."""
        if self._drawn:
            self._draw(time.monotonic())
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self, now: float) -> None:
        if self._wanted is None:
            # Asked only here: nine of ten transfers end before, and the settings may have to be read from files.
            self._wanted = Settings.load().progress
        if not self._wanted:
            return
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r" + self.line(now - self._began)[:width].ljust(width))
        self._stream.flush()
        self._drawn = True

    def line(self, seconds: float) -> str:
        """Return the text of the line, *seconds* after the start."""
        files = f"{self._files} file{'s' * (self._files != 1)}"
        rate = f"{shown_size(int(self._bytes / seconds))}/s" if seconds > 0 else ""
        if not self._total:
            return f"{self._label} {files}  {shown_size(self._bytes)}  {rate}"
        part = min(1.0, self._bytes / self._total)
        bar = ("#" * int(part * _BAR_WIDTH)).ljust(_BAR_WIDTH, ".")
        sizes = f"{shown_size(self._bytes)} of {shown_size(self._total)}"
        return f"{self._label} {files} [{bar}] {part:4.0%}  {sizes}  {rate}"


def auto(label: str, stream: TextIO | None = None) -> Progress:
    """Return a bar when *stream* (standard error) is a terminal, else silence.

    The setting `progress = false` silences the bar too.
    """
    # Without a console, as under pythonw, there is no standard error at all.
    target = stream if stream is not None else sys.stderr
    return Bar(label, target) if target is not None and target.isatty() else Silent()


def shown_size(size_bytes: int) -> str:
    """Return a size for people, in decimal units: `1.5 MB`."""
    value, unit = float(size_bytes), _UNITS[0]
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{int(value)} B" if unit == "B" else f"{value:.3g} {unit}"
