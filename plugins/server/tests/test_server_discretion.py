"""What messages tell of the server's own places."""

from __future__ import annotations

import pytest
from mlcore_server.config import ServerConfig
from mlcore_server.discretion import Discretion


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("the database '/srv/ml/core.db' is locked", "the database '...' is locked"),
        ("cannot open sqlite:////srv/ml/core.db-wal", "cannot open ...-wal"),
        ("no space at /srv/ml/files/1/x", "no space at .../1/x"),
        ("no space at file:///srv/ml/files", "no space at ..."),
        ("/srv/ml/core.db.state/auth.db is broken", ".../auth.db is broken"),
        ("experiment '/srv' is missing", "experiment '/srv' is missing"),
    ],
)
def test_the_servers_own_places_are_left_out(message: str, told: str) -> None:
    config = ServerConfig(
        tracking_uri="sqlite:////srv/ml/core.db",
        registry_uri="sqlite:////srv/ml/core.db?timeout=5",
        artifacts_destination="file:///srv/ml/files",
        state_dir="/srv/ml/core.db.state",
    )

    assert Discretion(config).told(message) == told


def test_a_database_server_and_a_bucket_are_left_out_too() -> None:
    config = ServerConfig(
        tracking_uri="postgresql://ann:secret@db/ml",
        registry_uri="sqlite://",
        artifacts_destination="s3://bucket/ml",
        state_dir="/srv",
    )

    told = Discretion(config).told("postgresql://ann:secret@db/ml does not answer, s3://bucket/ml/1/x does")

    assert told == "... does not answer, .../1/x does"
