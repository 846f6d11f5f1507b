"""One object: its key, the bucket's connection, and the fast lane there."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from mlcore_artifacts_s3.connection import Connection
from mlcore_artifacts_s3.faults import Doing
from mlcore_artifacts_s3.wire import Wire

# The object's own metadata, by which a download is compared with what was stored.
SHA256_NAME = "mlcore-sha256"


@frozen
class Place:
    """An object to write or read.

    verb: what is being done with it, for errors.
    """

    connection: Connection
    wire: Wire
    key: str
    verb: str = "write"

    def doing(self) -> Doing:
        """Return the operation, for errors."""
        return Doing(self.verb, self.connection.bucket, self.key)

    def call(self, operation: str, **parameters: object) -> Mapping[str, object]:
        """Do one operation on the object through boto3. Raises the errors of `faults.told`."""
        return self.connection.call(operation, self.verb, self.key, Key=self.key, **parameters)
