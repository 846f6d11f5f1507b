"""Send a folder to S3 and fetch it back: seconds, CPU seconds, growth of memory.

usage: s3.py mlcore|mlflow WHAT FOLDER BUCKET; the endpoint and keys come from the environment, and the server's
process ids in BENCH_SERVER_PIDS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import s3_meter


def main() -> None:
    module, folder, bucket = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    send, fetch = (_ours if module == "mlcore" else _theirs)(f"s3://{bucket}/{module}/{uuid.uuid4()}")
    warm = Path.cwd() / "warm"
    warm.mkdir()
    (warm / "file").write_bytes(b"x")
    send(warm, "warm")  # imports, the client and the first connection are no part of the measurement
    before = _memory_mb()
    target = Path.cwd() / "fetched"
    target.mkdir()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    up = s3_meter.timed(lambda: send(folder, "tree"), size)
    down = s3_meter.timed(lambda: fetch("tree", target), size)
    grown = _memory_mb() - before
    files = [path for path in target.rglob("*") if path.is_file()]
    answer = {
        **s3_meter.named("up", up),
        **s3_meter.named("down", down),
        "memory_mb": grown,
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
    }
    shutil.rmtree(target)
    print(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)


def _ours(uri: str) -> tuple[Callable[[Path, str], object], Callable[[str, Path], object]]:
    from mlcore_artifacts_s3.repo import S3Repo

    from mlcore.artifacts.transfer import download_tree, upload_tree

    repo = S3Repo.open(uri)
    return lambda folder, path: upload_tree(repo, folder, path), lambda path, to: download_tree(repo, path, to)


def _theirs(uri: str) -> tuple[Callable[[Path, str], object], Callable[[str, Path], object]]:
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    repo = S3ArtifactRepository(uri)
    return lambda folder, path: repo.log_artifacts(str(folder), path), lambda path, to: repo.download_artifacts(
        path, str(to)
    )


def _memory_mb() -> float:
    # not getrusage, whose maximum is inherited from the process that started this one
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
