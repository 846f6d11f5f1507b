"""A fresh process, a fresh SQLite store, one metric: CPU seconds from the interpreter's start until it is recorded."""

import importlib
import json
import resource
import sys
import time

started = time.perf_counter()
mlflow = importlib.import_module(sys.argv[1])
mlflow.set_tracking_uri("sqlite:///fresh.db")
with mlflow.start_run():
    mlflow.log_metric("loss", 1.0)
    wall = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(u.ru_utime + u.ru_stime for u in used)
print(json.dumps({"cpu": cpu, "wall": wall}))
