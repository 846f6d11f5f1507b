"""A training program that spreads its work: every job records into the run, through its handle or by fluent calls.

python spread_work.py MECHANISM handle|fluent

Prints the run's id, and the processes that worked. The main guard and the module-level functions are what spawned workers
need of any program.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import mlcore

JOBS, POINTS = 8, 25
Work = Callable[[Any], int]
Spread = Callable[[Work, Sequence[Any]], list[int]]


def work(job: tuple[Any, int]) -> int:
    """Record through the handle, or by fluent calls when there is none."""
    handle, number = job
    target: Any = handle if handle is not None else mlcore
    for i in range(POINTS):
        target.log_metric("m", float(number), step=number * POINTS + i)
    target.log_param(f"p{number}", number)
    target.set_tag(f"t{number}", number)
    return os.getpid()


def threads(do: Work, jobs: Sequence[Any]) -> list[int]:
    found: list[int] = []
    started = [threading.Thread(target=lambda job=job: found.append(do(job))) for job in jobs]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return found


def thread_pool(do: Work, jobs: Sequence[Any]) -> list[int]:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(do, jobs))


def copied_context(do: Work, jobs: Sequence[Any]) -> list[int]:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        started = [pool.submit(contextvars.copy_context().run, do, job) for job in jobs]
        return [each.result() for each in started]


def tasks(do: Work, jobs: Sequence[Any]) -> list[int]:
    async def one(job: Any) -> int:
        await asyncio.sleep(0)
        return do(job)

    async def main() -> list[int]:
        return list(await asyncio.gather(*(one(job) for job in jobs)))

    return asyncio.run(main())


def to_thread(do: Work, jobs: Sequence[Any]) -> list[int]:
    async def main() -> list[int]:
        return list(await asyncio.gather(*(asyncio.to_thread(do, job) for job in jobs)))

    return asyncio.run(main())


def joblib_with(backend: str) -> Spread:
    def spread(do: Work, jobs: Sequence[Any]) -> list[int]:
        import joblib

        return list(joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(do)(job) for job in jobs))

    return spread


def pool_of(method: str) -> Spread:
    def spread(do: Work, jobs: Sequence[Any]) -> list[int]:
        with multiprocessing.get_context(method).Pool(2) as pool:
            found = pool.map(do, jobs, chunksize=1)
            pool.close()
            pool.join()
        return found

    return spread


def executor_of(method: str) -> Spread:
    def spread(do: Work, jobs: Sequence[Any]) -> list[int]:
        with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
            return list(pool.map(do, jobs))

    return spread


def terminated_pool(do: Work, jobs: Sequence[Any]) -> list[int]:
    with multiprocessing.get_context("fork").Pool(2) as pool:  # its end sends SIGTERM to the workers
        return pool.map(do, jobs, chunksize=1)


def forks(do: Work, jobs: Sequence[Any]) -> list[int]:
    """Raw forks that leave by `os._exit`, past everything that Python would do at the end."""
    children = []
    for job in jobs:
        child = os.fork()
        if child == 0:
            do(job)
            os._exit(0)
        children.append(child)
    ends = [os.waitpid(child, 0)[1] for child in children]
    assert ends == [0] * len(jobs), ends
    return children


def dask(do: Work, jobs: Sequence[Any]) -> list[int]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        return list(client.gather(client.map(do, jobs, pure=False)))


def ray(do: Work, jobs: Sequence[Any]) -> list[int]:
    import ray as cluster

    cluster.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        object_store_memory=80_000_000,
    )
    try:
        remote = cluster.remote(do)
        return list(cluster.get([remote.remote(job) for job in jobs]))
    finally:
        cluster.shutdown()


MECHANISMS: dict[str, Spread] = {
    "threads": threads,
    "thread_pool": thread_pool,
    "copied_context": copied_context,
    "tasks": tasks,
    "to_thread": to_thread,
    "joblib_threading": joblib_with("threading"),
    "joblib_loky": joblib_with("loky"),
    "joblib_multiprocessing": joblib_with("multiprocessing"),
    "pool_fork": pool_of("fork"),
    "pool_spawn": pool_of("spawn"),
    "pool_forkserver": pool_of("forkserver"),
    "pool_terminated": terminated_pool,
    "executor_fork": executor_of("fork"),
    "executor_spawn": executor_of("spawn"),
    "forks": forks,
    "dask": dask,
    "ray": ray,
}


def main() -> None:
    """Spread the jobs over workers while a run is open."""
    mechanism, way = sys.argv[1:]
    with mlcore.start_run() as run:
        mlcore.log_metric("before", 1.0)
        mlcore.flush_async_logging()  # whatever delivers is at work when the others begin
        jobs = [(run if way == "handle" else None, number) for number in range(JOBS)]
        workers = MECHANISMS[mechanism](work, jobs)
    print(json.dumps({"run_id": run.run_id, "here": os.getpid(), "workers": sorted(set(workers))}))


if __name__ == "__main__":
    main()
