"""Microseconds that the check of a frame of 10,000 x 10 by a model's signature takes: it fits, and it has to be cast."""

import importlib
import json
import statistics
import sys
import time

import numpy as np
import pandas as pd

names = [f"c{i}" for i in range(10)]
doubles = pd.DataFrame(np.random.default_rng(0).normal(size=(10_000, 10)), columns=names)
integers = pd.DataFrame(np.arange(100_000, dtype=np.int32).reshape(10_000, 10), columns=names)
signature = importlib.import_module(f"{sys.argv[1]}.models").infer_signature(doubles)
if sys.argv[1] == "mlflow":
    from mlflow.models.utils import _enforce_schema

    def check(frame):
        return _enforce_schema(frame, signature.inputs)
else:
    check = importlib.import_module("mlcore.models.enforce").compile_signature(signature).enforce


def microseconds(frame):
    times = []
    for _ in range(201):
        started = time.perf_counter()
        checked = check(frame)
        times.append(time.perf_counter() - started)
    assert list(checked.dtypes) == [np.dtype("float64")] * 10
    return statistics.median(times[1:]) * 1e6


print(json.dumps({"same_us": microseconds(doubles), "cast_us": microseconds(integers)}))
