"""A server whose artifacts are in a bucket, played by moto; for the tests beside this module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import s3_servers

from mlcore.testing.live_server import LiveServer, running_server


@contextmanager
def server_in_bucket(require: Callable[[str, bool, str], None], directory: Path, bucket: str) -> Iterator[LiveServer]:
    """Run a server that keeps its artifacts below `root` in a new bucket. require: the fixture of that name."""
    require("moto", s3_servers.program("moto_server") is not None, s3_servers.PIP_INSTALL)
    boto3 = pytest.importorskip("boto3", exc_type=ImportError)
    with s3_servers.moto() as s3:
        keys = {"aws_access_key_id": s3.access_key, "aws_secret_access_key": s3.secret_key}
        client = boto3.client("s3", endpoint_url=s3.endpoint, region_name="us-east-1", **keys)
        client.create_bucket(Bucket=bucket)
        client.close()
        env = {
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": s3.endpoint,
        }
        with running_server(directory, "--artifacts-destination", f"s3://{bucket}/root", env=env) as made:
            yield made
