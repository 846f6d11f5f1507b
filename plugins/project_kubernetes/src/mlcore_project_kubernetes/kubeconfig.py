"""Which cluster, by what credentials: the user's kubeconfig files, or the pod that this process runs in."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from mlcore.errors import ProjectError
from mlcore.wire.yaml_text import load_yaml
from mlcore_project_kubernetes.plain import rows, table, text

IN_CLUSTER = "in-cluster"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_REFUSED = ("auth-provider", "tls-server-name", "proxy-url")


@frozen
class Command:
    """A program that prints credentials, as kubeconfig's `exec` has it."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    api_version: str = ""
    hint: str = ""


@frozen
class Cluster:
    """An API server and who asks it.

    context: its name in the kubeconfig, or `IN_CLUSTER`. server: URL. namespace: the context's, if it says one.
    authority, certificate, key: PEM. token_file: read again for each request.
    """

    context: str
    server: str
    namespace: str = ""
    authority: bytes = b""
    insecure: bool = False
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    basic: str = field(default="", repr=False)
    command: Command | None = None


def cluster_of(context: str | None, environ: Mapping[str, str] = os.environ) -> Cluster:
    """Return the cluster of a context, by default the current one, or the one that this process runs in.

    Raises ProjectError: no such context, or it says what is not supported.
    """
    documents = [_read(path) for path in _files(environ)]
    inside = "KUBERNETES_SERVICE_HOST" in environ
    if context == IN_CLUSTER or (context is None and not documents and inside):
        return _of_pod(environ)
    name = context or next(filter(None, (text(each, "current-context") for _, each in documents)), "")
    found = _named(documents, "contexts", name)
    if found is None:
        raise ProjectError(_unknown(name, documents, environ))
    described = table(found[1], "context")
    cluster = _named(documents, "clusters", text(described, "cluster"))
    user = _named(documents, "users", text(described, "user")) if text(described, "user") else (Path(), {})
    if cluster is None or user is None:
        missing = "cluster" if cluster is None else "user"
        raise ProjectError(
            f"the context {name!r} names a {missing} that the kubeconfig does not have: {text(described, missing)!r}"
        )
    return _cluster(name, described, cluster, user)


def _cluster(
    name: str,
    context: Mapping[str, object],
    cluster: tuple[Path, Mapping[str, object]],
    user: tuple[Path, Mapping[str, object]],
) -> Cluster:
    place, told = cluster[0], table(cluster[1], "cluster")
    home, who = user[0], table(user[1], "user")
    refused = [key for key in _REFUSED if key in told or key in who]
    server = text(told, "server")
    if refused or not server.startswith(("https://", "http://")):
        what = f"{refused[0]!r}, which is not supported" if refused else f"the server {server!r}: expected https://HOST"
        raise ProjectError(f"the context {name!r} of the kubeconfig has {what}")
    basic = f"{text(who, 'username')}:{text(who, 'password')}" if text(who, "username") else ""
    token_file = text(who, "tokenFile")
    return Cluster(
        name,
        server.rstrip("/"),
        text(context, "namespace"),
        _pem(told, "certificate-authority", place),
        told.get("insecure-skip-tls-verify") is True,
        _pem(who, "client-certificate", home),
        _pem(who, "client-key", home),
        text(who, "token"),
        home / token_file if token_file else None,
        base64.b64encode(basic.encode()).decode() if basic else "",
        _command(table(who, "exec")),
    )


def _command(told: Mapping[str, object]) -> Command | None:
    if not told:
        return None
    given = told.get("args")
    arguments = [str(each) for each in given] if isinstance(given, list) else []
    env = tuple((text(each, "name"), text(each, "value")) for each in rows(told, "env"))
    version = text(told, "apiVersion") or "client.authentication.k8s.io/v1"
    return Command((text(told, "command"), *arguments), env, version, text(told, "installHint"))


def _pem(told: Mapping[str, object], key: str, directory: Path) -> bytes:
    inline, path = text(told, f"{key}-data"), text(told, key)
    try:
        if inline:
            return base64.b64decode(inline, validate=True)
        return (directory / path).read_bytes() if path else b""
    except (OSError, binascii.Error) as err:
        raise ProjectError(f"cannot read {key} of the kubeconfig: {err}") from err


def _files(environ: Mapping[str, str]) -> list[Path]:
    named = [Path(each) for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return [path for path in named or [Path.home() / ".kube" / "config"] if path.is_file()]


def _read(path: Path) -> tuple[Path, object]:
    return path.parent, load_yaml(path.read_text("utf-8"), f"the kubeconfig {str(path)!r}")


def _named(documents: list[tuple[Path, object]], kind: str, name: str) -> tuple[Path, Mapping[str, object]] | None:
    """Return the first entry of this name, as kubectl merges files, with its file's directory."""
    for directory, document in documents:
        for each in rows(document, kind):
            if text(each, "name") == name:
                return directory, each
    return None


def _unknown(name: str, documents: list[tuple[Path, object]], environ: Mapping[str, str]) -> str:
    known = sorted(text(each, "name") for _, document in documents for each in rows(document, "contexts"))
    where = environ.get("KUBECONFIG") or "~/.kube/config"
    if not name:
        return (
            f"no cluster to run on: the kubeconfig {where!r} has no current context (known: {', '.join(known) or 'none'}); "
            "name one by kube-context in the backend configuration, or set KUBECONFIG"
        )
    return f"the kubeconfig {where!r} has no context {name!r} (known: {', '.join(known) or 'none'})"


def _of_pod(environ: Mapping[str, str]) -> Cluster:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        authority, namespace = (_ACCOUNT / "ca.crt").read_bytes(), (_ACCOUNT / "namespace").read_text("utf-8").strip()
    except OSError as err:
        raise ProjectError(
            f"this is no pod with a service account, so the context {IN_CLUSTER!r} is of no use: {err}"
        ) from err
    shown = f"[{host}]" if ":" in host else host
    return Cluster(IN_CLUSTER, f"https://{shown}:{port}", namespace, authority, token_file=_ACCOUNT / "token")
