from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import os
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mlcore_project_kubernetes.backend import KubernetesBackend

# `docker`, as far as images are made and pushed: an image is a folder, named by the checksum of what it is built from
DOCKER = """#!/bin/sh
set -e
home={home}; mkdir -p $home/registry $home/names
name() {{ echo "$home/names/$(echo "$1" | tr '/:@' '___')"; }}
case "$1" in
build)
    while [ $# -gt 0 ]; do case "$1" in --iidfile) told=$2; shift ;; IMAGE=*) base=$1 ;; esac; shift; done
    tar=$home/context.$$; cat > $tar; id=$(sha256sum < $tar | cut -d' ' -f1)
    [ -d $home/registry/$id ] || {{ mkdir $home/registry/$id.$$; tar -xf $tar -C $home/registry/$id.$$; mv -T $home/registry/$id.$$ $home/registry/$id; }} 2>/dev/null || true
    rm -rf $tar $home/registry/$id.$$
    printf 'sha256:%s' $id > "$told" ;;
tag) echo "$2" > "$(name "$3").$$"; mv "$(name "$3").$$" "$(name "$3")" ;;
push) case "$3" in *forbidden*) echo "denied: requested access to the resource is denied" >&2; exit 1 ;; esac; [ -f "$(name "$3")" ] ;;
image)
    case "$4" in
    *RepoDigests*) echo "${{5%:*}}@$(cat "$(name "$5")")"; cat "$(name "$5")" ;;
    *) case "$5" in *missing*) echo "Error: No such image: $5" >&2; exit 1 ;; esac; echo sha256:{zeros} ;;
    esac ;;
*) echo "manifest for $3 not found" >&2; exit 1 ;;
esac
"""


class StandIn:
    """A cluster that tests can disturb; `kubeconfig` leads to it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.kubeconfig = folder / "config"
        self._context = ssl.create_default_context(cafile=str(folder / "cert.pem"))

    def order(self, path: str, body: object = None) -> object:
        request = urllib.request.Request(f"{self.url}/_{path}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30, context=self._context) as response:
            return json.load(response)

    def faults(self, *faults: dict[str, object]) -> None:
        self.order("faults", [{"times": 1, **each} for each in faults])

    def manifest(self, job_id: str) -> dict[str, dict[str, dict[str, dict[str, list[dict[str, object]]]]]]:
        found = self.order("job", job_id.partition("/")[2].partition("@")[0])
        assert isinstance(found, dict)
        return found

    def write_kubeconfig(self, token: str = "good", **user: object) -> None:
        ca = base64.b64encode((self.folder / "cert.pem").read_bytes()).decode()
        document = {
            "current-context": "lab",
            "contexts": [
                {"name": "lab", "context": {"cluster": "here", "user": "me"}},
                {"name": "dead", "context": {"cluster": "nowhere", "user": "me"}},
            ],
            "clusters": [
                {"name": "here", "cluster": {"server": self.url, "certificate-authority-data": ca}},
                {"name": "nowhere", "cluster": {"server": "https://127.0.0.1:9"}},
            ],
            "users": [{"name": "me", "user": user or {"token": token}}],
        }
        self.kubeconfig.write_text(json.dumps(document))


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    today = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(today - datetime.timedelta(days=2))
    builder = builder.not_valid_after(today + datetime.timedelta(days=2))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = builder.sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    folder = tmp_path_factory.mktemp("cluster")
    write_certificate(folder)
    (folder / "bin").mkdir()
    docker = folder / "bin" / "docker"
    docker.write_text(DOCKER.format(home=folder, zeros="0" * 64))
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    command = [sys.executable, str(Path(__file__).with_name("kubernetes_standin.py")), str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    end = time.monotonic() + 60
    while not (folder / "port").exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    yield StandIn(folder, f"https://127.0.0.1:{(folder / 'port').read_text()}")
    process.communicate()


@pytest.fixture
def cluster(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    server.write_kubeconfig()
    server.faults()
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))
    monkeypatch.setenv("PATH", str(server.folder / "bin"), prepend=os.pathsep)
    return server


@pytest.fixture
def backend(cluster: StandIn) -> KubernetesBackend:
    return KubernetesBackend({"repository-uri": "registry.example.com/team/project"}, patience_s=30.0)
