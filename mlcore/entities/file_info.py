"""What is known of an artifact without reading it."""

from __future__ import annotations

from attrs import frozen


@frozen
class FileInfo:
    """A file or directory below an artifact root.

    path: relative to the root, slashes between names.
    file_size: bytes; None for directories.
    """

    path: str
    is_dir: bool
    file_size: int | None = None
