"""How single values read: short for people, exact for programs."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

_STEPS = ((60_000, 1000, "s"), (3_600_000, 60_000, "min"), (172_800_000, 3_600_000, "h"))
_DAY_MS = 86_400_000
_MONTH_MS = 31 * _DAY_MS


def number(value: float | None) -> str:
    """Return six significant digits."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) and math.isfinite(value) else exact(value)


def exact(value: object) -> str:
    """Return a value in full; nothing for None; `NaN`, `Infinity` and `-Infinity` as in the REST protocol."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    return "" if value is None else str(value)


def iso(ms: int | None) -> str:
    """Return a time in ms since the epoch as ISO 8601, UTC."""
    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(ms: int | None, now_ms: int | None = None) -> str:
    """Return how long ago a time was; a date when it is over a month."""
    if ms is None:
        return ""
    age = (int(time.time() * 1000) if now_ms is None else now_ms) - ms
    if age < -_DAY_MS or age > _MONTH_MS:
        return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d")  # people read local dates
    if age < 1000:  # clocks of two machines may differ a little
        return "just now"
    for limit, unit, name in _STEPS:
        if age < limit:
            return f"{age // unit} {name} ago"
    return f"{age // _DAY_MS} days ago"


def span(ms: int | None) -> str:
    """Return a duration in its two greatest units: `1 h 02 min`, `3.2 s`, `45 ms`."""
    if ms is None:
        return ""
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(ms // 1000, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def size(count: int | None) -> str:
    """Return a size in bytes in the unit that fits: `1.4 MB`."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
