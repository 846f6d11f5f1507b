"""The runs that both sides search: 10 params, 10 metrics and 5 tags each, from one seed."""

import random
from collections.abc import Iterator

START = 1_700_000_000_000
FILTERS = {
    "metric": "metrics.m3 > 0.5",
    "metric, param, tag": "metrics.m3 > 0.5 and params.p2 = 'v1' and tags.t1 = 'x'",
}
ORDER = ["metrics.m1 DESC"]

Row = tuple[str, int, dict[str, str], dict[str, float], dict[str, str]]


def runs(count: int) -> Iterator[Row]:
    """Yield run name, start time, params, metrics, tags."""
    rng = random.Random(7)
    for number in range(count):
        params = {f"p{i}": f"v{rng.randrange(4)}" for i in range(10)}
        metrics = {f"m{i}": rng.random() for i in range(10)}
        tags = {f"t{i}": rng.choice("xyz") for i in range(5)}
        yield f"run-{number:06d}", START + number * 1000, params, metrics, tags
