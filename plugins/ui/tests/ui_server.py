"""A real server with pages, in a process of its own."""

from __future__ import annotations

from mlcore.testing.live_server import LiveServer as UiServer
from mlcore.testing.live_server import running_server as running

__all__ = ["UiServer", "running"]
