"""Who asks the API: tokens, files that hold them, and programs that get them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime

from attrs import frozen

from mlcore.errors import UnauthenticatedError
from mlcore_project_kubernetes.kubeconfig import Cluster, Command
from mlcore_project_kubernetes.plain import table, text

_EARLY_S = 30.0  # before a credential ends


@frozen
class Credential:
    """What a program has given: a token, or a certificate with its key; until when, in seconds since the epoch."""

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""
    until_s: float = float("inf")


class Credentials:
    """The credentials of a cluster's user, got again when they have ended or been refused."""

    def __init__(self, cluster: Cluster) -> None:
        """Get nothing yet."""
        self._cluster = cluster
        self._got: Credential | None = None

    def forget(self) -> bool:
        """Let go of what a program has given, as the server refused it; return whether there was anything."""
        had, self._got = self._got is not None, None
        return had

    def certificate(self) -> tuple[bytes, bytes]:
        """Return certificate and key for TLS, empty ones without."""
        if self._cluster.command:
            got = self._current(self._cluster.command)
            if got.certificate:
                return got.certificate, got.key
        return self._cluster.certificate, self._cluster.key

    def header(self) -> str:
        """Return the value of the header `Authorization`, empty without."""
        if self._cluster.command:
            token = self._current(self._cluster.command).token
            return f"Bearer {token}" if token else ""
        if self._cluster.token_file:
            try:
                return f"Bearer {self._cluster.token_file.read_text('utf-8').strip()}"
            except OSError as err:
                raise UnauthenticatedError(f"cannot read the token of the kubeconfig: {err}") from err
        if self._cluster.token:
            return f"Bearer {self._cluster.token}"
        return f"Basic {self._cluster.basic}" if self._cluster.basic else ""

    def _current(self, command: Command) -> Credential:
        if self._got is None or self._got.until_s - _EARLY_S < time.time():
            self._got = _asked(command)
        return self._got


def _asked(command: Command) -> Credential:
    info = {"apiVersion": command.api_version, "kind": "ExecCredential", "spec": {"interactive": sys.stdin.isatty()}}
    env = {**os.environ, **dict(command.env), "KUBERNETES_EXEC_INFO": json.dumps(info)}
    try:
        done = subprocess.run(command.argv, env=env, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  # the user's own kubeconfig names it
        status = table(json.loads(done.stdout), "status")
    except (OSError, subprocess.CalledProcessError, ValueError) as err:
        hint = f"; {command.hint.strip()}" if command.hint else ""
        raise UnauthenticatedError(
            f"{command.argv[0]!r}, which the kubeconfig names, gives no credentials: {err}{hint}"
        ) from err
    ends = text(status, "expirationTimestamp")
    until_s = datetime.fromisoformat(ends.replace("Z", "+00:00")).timestamp() if ends else float("inf")
    certificate, key = text(status, "clientCertificateData"), text(status, "clientKeyData")
    return Credential(text(status, "token"), certificate.encode(), key.encode(), until_s)
