"""Real servers for the tests, started once: moto, rclone and Ceph's gateway."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import s3_servers
from mlcore_artifacts_s3.connection import Connection
from mlcore_artifacts_s3.repo import S3Repo
from mlcore_artifacts_s3.settings import S3Settings
from s3_servers import S3Server

BUCKET = "mlcore-test"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_servers.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_servers.SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ".state"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "http_proxy", "HTTP_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)


@pytest.fixture(scope="session")
def moto(require) -> Iterator[S3Server]:
    require("moto", s3_servers.program("moto_server") is not None, s3_servers.PIP_INSTALL)
    with s3_servers.moto() as server:
        make_bucket(server)
        yield server


@pytest.fixture(scope="session")
def rclone(require) -> Iterator[S3Server]:
    require("rclone", s3_servers.program("rclone") is not None, s3_servers.PIP_INSTALL)
    with s3_servers.rclone(BUCKET) as server:
        yield server


@pytest.fixture(scope="session")
def ceph(require) -> Iterator[S3Server]:
    present = all(shutil.which(name) for name in s3_servers.CEPH_PROGRAMS)
    require("ceph", present, s3_servers.CEPH_INSTALL)
    with s3_servers.ceph() as server:
        make_bucket(server)
        yield server


@pytest.fixture(scope="session")
def connections() -> dict[S3Server, Connection]:
    """Connections that tests share: a new one costs a quarter of a second."""
    return {}


@pytest.fixture
def shared(connections: dict[S3Server, Connection]) -> Iterator[Callable[[S3Server], S3Repo]]:
    """Return a maker of repositories at new prefixes on shared connections."""
    made: list[S3Repo] = []

    def make(server: S3Server) -> S3Repo:
        settings = S3Settings(endpoint_url=server.endpoint, max_attempts=2)
        connection = connections.setdefault(server, Connection(BUCKET, settings))
        prefix = str(uuid.uuid4())
        made.append(S3Repo(f"s3://{BUCKET}/{prefix}", prefix, connection))
        return made[-1]

    yield make
    for repo in made:
        repo._wire.close()


@pytest.fixture(scope="session", autouse=True)
def _closed(connections: dict[S3Server, Connection]) -> Iterator[None]:
    yield
    for connection in connections.values():
        connection.close()


@pytest.fixture
def repo(moto: S3Server) -> Iterator[S3Repo]:
    """A new repository at moto, for logic."""
    opened = open_repo(moto)
    yield opened
    opened.close()


def make_bucket(server: S3Server, name: str = BUCKET) -> None:
    boto_client(server).create_bucket(Bucket=name)


def boto_client(server: S3Server):
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )


def open_repo(server: S3Server, prefix: str | None = None, **settings: object) -> S3Repo:
    """Open a repository at a new prefix, or the one given."""
    chosen = S3Settings(**{"endpoint_url": server.endpoint, "max_attempts": 2, **settings})
    return S3Repo.open(f"s3://{BUCKET}/{prefix or uuid.uuid4()}", chosen)


@pytest.fixture(scope="session")
def s3():
    """The helpers of this module, for tests: `s3.open_repo(server)`, `s3.boto_client(server)`."""
    from types import SimpleNamespace

    return SimpleNamespace(open_repo=open_repo, boto_client=boto_client, make_bucket=make_bucket, bucket=BUCKET)


@pytest.fixture(scope="session")
def s3_cable():
    """The module beside this one; test modules cannot import each other."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("s3_cable", Path(__file__).with_name("s3_cable.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
