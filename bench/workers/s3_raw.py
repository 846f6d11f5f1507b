"""Move the same bytes to S3 and back with curl alone, by presigned URLs: what the server allows a client in C.

usage: s3_raw.py mlcore FOLDER BUCKET; the endpoint and keys come from the environment. Nothing is hashed, listed, noted
or checked; large files go in parts of 8 MiB, eight at a time, as those of mlcore.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import boto3
import s3_meter
from botocore.config import Config

PART_BYTES, RANGE_BYTES, AT_ONCE = 8 << 20, 16 << 20, 8


def main() -> None:
    folder, bucket = Path(sys.argv[2]), sys.argv[3]
    client = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    (Path.cwd() / "down").mkdir()
    measure = _large if len(files) == 1 else _small
    print(json.dumps(measure(client, bucket, files)))


def _small(client: object, bucket: str, files: Sequence[Path]) -> dict[str, float]:
    prefix = uuid.uuid4()
    keys = [f"{prefix}/{number}" for number in range(len(files))]
    put = [_presigned(client, "put_object", Bucket=bucket, Key=key) for key in keys]
    got = [_presigned(client, "get_object", Bucket=bucket, Key=key) for key in keys]
    up = _config("up", [[("upload-file", str(f)), ("url", url)] for f, url in zip(files, put, strict=True)])
    down = _config("down", [[("output", f"down/{n}"), ("url", url)] for n, url in enumerate(got)])
    size = sum(path.stat().st_size for path in files)
    sent = s3_meter.timed(lambda: _curl(up), size)
    fetched = s3_meter.timed(lambda: _curl(down), size)
    return {**s3_meter.named("up", sent), **s3_meter.named("down", fetched), **_fetched()}


def _large(client: object, bucket: str, files: Sequence[Path]) -> dict[str, float]:
    size, key = files[0].stat().st_size, str(uuid.uuid4())
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    named = {"Bucket": bucket, "Key": key, "UploadId": upload}
    parts = _split(files[0])
    put = [_presigned(client, "upload_part", **named, PartNumber=n) for n in range(1, len(parts) + 1)]
    up = _config("up", [[("upload-file", str(f)), ("url", url)] for f, url in zip(parts, put, strict=True)])

    def send() -> None:
        _curl(up)
        listed = [part for page in client.get_paginator("list_parts").paginate(**named) for part in page["Parts"]]
        done = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
        client.complete_multipart_upload(**named, MultipartUpload={"Parts": done})

    sent = s3_meter.timed(send, size)
    for part in parts:
        part.unlink()
    url = _presigned(client, "get_object", Bucket=bucket, Key=key)
    spans = [(start, min(size, start + RANGE_BYTES)) for start in range(0, size, RANGE_BYTES)]
    wanted = [
        [("range", f"{start}-{end - 1}"), ("output", f"down/{n}"), ("url", url)] for n, (start, end) in enumerate(spans)
    ]
    fetched = s3_meter.timed(lambda: _curl(_config("down", wanted)), size)
    return {**s3_meter.named("up", sent), **s3_meter.named("down", fetched), **_fetched()}


def _presigned(client: object, operation: str, **parameters: object) -> str:
    return client.generate_presigned_url(operation, Params=parameters, ExpiresIn=3600)


def _split(file: Path) -> list[Path]:
    parts: list[Path] = []
    with file.open("rb") as source:
        while data := source.read(PART_BYTES):
            parts.append(Path.cwd() / f"part{len(parts):05}")
            parts[-1].write_bytes(data)
    return parts


def _config(name: str, requests: Sequence[Sequence[tuple[str, str]]]) -> Path:
    common = ["silent", "show-error", "fail", 'header = "Expect:"']
    texts = ["\n".join([*common, *(f'{option} = "{value}"' for option, value in request)]) for request in requests]
    path = Path.cwd() / f"{name}.curl"
    path.write_text("\nnext\n".join(texts), "utf-8")
    return path


def _curl(config: Path) -> None:
    command = [shutil.which("curl") or "curl", "--parallel", "--parallel-max", str(AT_ONCE), "--config", str(config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _fetched() -> dict[str, float]:
    files = [path for path in (Path.cwd() / "down").iterdir() if path.is_file()]
    return {"bytes": sum(path.stat().st_size for path in files)}


if __name__ == "__main__":
    main()
