"""What operators see: an access log of one line per request, and counters for Prometheus."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Mapping
from typing import TextIO

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

from mlcore_server.asgi import Scope

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FLUSH_S = 0.2
_MULTIPROC = "PROMETHEUS_MULTIPROC_DIR"


class AccessLog:
    """Lines of JSON for programs, or of text for a person at a terminal; written some at a time."""

    def __init__(self, out: TextIO | None) -> None:
        """Write to *out*; nowhere if None."""
        self._out = out
        self._is_tty = bool(out and out.isatty())
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def write(self, entry: Mapping[str, object]) -> None:
        """Take one line."""
        if self._out is None:
            return
        line = _text(entry) if self._is_tty else orjson.dumps(entry).decode()
        with self._lock:
            self._lines.append(line)
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what has been taken."""
        with self._lock:
            lines, self._lines, self._timer = self._lines, [], None
        if lines and self._out is not None:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()


class Observer:
    """Notes every request."""

    def __init__(self, *, access_log: bool) -> None:
        """Count from zero; write lines to standard error if *access_log*."""
        self._log = AccessLog(sys.stderr if access_log else None)
        self._registry = CollectorRegistry()
        registry = None if _MULTIPROC in os.environ else self._registry
        self._requests = Counter(
            "mlcore_requests",
            "Requests by endpoint, method and status.",
            ("endpoint", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "mlcore_request_seconds", "Seconds until the answer.", ("endpoint",), buckets=_BUCKETS, registry=registry
        )
        # the labelled counters are looked up once: prometheus checks labels at every look-up
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def saw(
        self,
        scope: Scope,
        headers: Mapping[str, str],
        endpoint: str,
        status: int,
        seconds: float,
        request_id: str,
        principal: str,
    ) -> None:
        """Note one request; queries and tickets stay out of the log, they may hold what is private."""
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        name = endpoint or "none"
        counter = self._counters.get((name, method, status))
        if counter is None:
            counter = self._counters[name, method, status] = self._requests.labels(name, method, str(status))
        counter.inc()
        histogram = self._histograms.get(name)
        if histogram is None:
            histogram = self._histograms[name] = self._seconds.labels(name)
        histogram.observe(seconds)
        if self._log._out is not None:
            client = scope.get("client")
            entry = {
                "time": time.time(),
                "client": client[0] if client else "",
                "user": principal,
                "method": scope["method"],
                "path": _TICKET.sub("/raw/***", scope["path"]),
                "endpoint": endpoint,
                "status": status,
                "ms": round(seconds * 1000, 3),
                "agent": headers.get("user-agent", ""),
                "request_id": request_id,
            }
            self._log.write(entry)

    def page(self) -> bytes:
        """Return the page that Prometheus reads; of all workers, when there are several."""
        if _MULTIPROC in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
            return generate_latest(registry)
        return generate_latest(self._registry)

    def close(self) -> None:
        """Write the last lines."""
        self._log.flush()


_TICKET = re.compile(r"/raw/[^/]{20,}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _text(entry: Mapping[str, object]) -> str:
    shown = time.strftime("%H:%M:%S")
    path = str(entry["path"]).encode("unicode_escape").decode()
    return f"{shown} {entry['status']} {entry['method']} {path} {entry['ms']} ms {entry['user']}".rstrip()
