"""Start S3-compatible servers for tests and benchmarks: on loopback, without privileges, stopped by their process ids
at the end, or by a guard when this process is killed.

moto is the judge of logic, `rclone serve s3` of signatures, Ceph's RADOS Gateway is the strict one.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Made anew in each process, so that there is nothing to keep secret.
ACCESS_KEY = secrets.token_hex(10)
SECRET_KEY = secrets.token_hex(20)
KMS_KEY = "mlcore-test-key"  # that Ceph's gateway encrypts with
CEPH_PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool")
CEPH_INSTALL = "apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
PIP_INSTALL = "make dev"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_NOBODY = 65534


@dataclass(frozen=True)
class S3Server:
    """A running server: where it listens, the one key pair that it accepts, and its processes."""

    name: str
    endpoint: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    pids: tuple[int, ...] = ()


def program(name: str) -> str | None:
    """Return the path of a program beside this Python or on the search path; None when it is absent."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def moto() -> Iterator[S3Server]:
    """Start moto's server."""
    with _folder("moto") as (folder, stack):
        port = free_port()
        command = [program("moto_server") or "moto_server", "-H", "127.0.0.1", "-p", str(port)]
        pid = stack.serve(command, port, folder / "log")
        yield S3Server("moto", f"http://127.0.0.1:{port}", pids=(pid,))


@contextmanager
def rclone(bucket: str, tls: tuple[Path, Path] | None = None) -> Iterator[S3Server]:
    """Start `rclone serve s3` with one bucket.

    tls: the files of a certificate and its key; plain HTTP without.
    """
    with _folder("rclone") as (folder, stack):
        (folder / "data" / bucket).mkdir(parents=True)
        port = free_port()
        command = [program("rclone") or "rclone", "serve", "s3", "--addr", f"127.0.0.1:{port}"]
        command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--config", str(folder / "none")]
        for option, file in zip(("--cert", "--key"), tls or (), strict=False):
            command += [option, str(shutil.copy(file, folder))]
        _hand_over(folder)
        pid = stack.serve([*command, str(folder / "data")], port, folder / "log")
        yield S3Server("rclone", f"{'https' if tls else 'http'}://127.0.0.1:{port}", pids=(pid,))


@contextmanager
def ceph(memory_bytes: int = 2 << 30) -> Iterator[S3Server]:
    """Start a monitor, a storage daemon in memory and a RADOS Gateway; takes about eight seconds."""
    with _folder("ceph") as (folder, stack):
        conf, port = _ceph_files(folder, memory_bytes)
        monitor_port = int(conf.read_text("utf-8").partition("v2:127.0.0.1:")[2].partition(",")[0])
        base = ["-c", str(conf)]
        _run(["ceph-mon", *base, "--mkfs", "-i", "a", "--monmap", f"{folder}/monmap", "--keyring", f"{folder}/keyring"])
        monitor = stack.serve(["ceph-mon", *base, "-i", "a", "-f"], monitor_port, folder / "log" / "mon.out")
        osd_id = "21111111-2222-3333-4444-555555555555"
        _run(["ceph", *base, "osd", "new", osd_id])
        _run(["ceph-osd", *base, "-i", "0", "--mkfs", "--osd-uuid", osd_id])
        storage = stack.serve(["ceph-osd", *base, "-i", "0", "-f"], None, folder / "log" / "osd.out")
        gateway = stack.serve(["radosgw", *base, "-n", "client.rgw.a", "-f"], port, folder / "log" / "rgw.out")
        user = ["radosgw-admin", *base, "user", "create", "--uid=tester", "--display-name=tester"]
        _run([*user, f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"])
        yield S3Server("ceph", f"http://127.0.0.1:{port}", pids=(monitor, storage, gateway))


def _ceph_files(folder: Path, memory_bytes: int) -> tuple[Path, int]:
    """Write configuration, keys and the map of monitors; return the configuration and the gateway's port."""
    for name in ("mon", "osd", "run", "log"):
        (folder / name).mkdir()
    port, v2, v1 = free_port(), free_port(), free_port()
    fsid, conf, keys = "11111111-2222-3333-4444-555555555555", folder / "ceph.conf", f"{folder}/keyring"
    kms = f"{KMS_KEY}={base64.b64encode(secrets.token_bytes(32)).decode()}"
    conf.write_text(
        _CEPH_CONF.format(kms=kms, d=folder, fsid=fsid, port=port, v1=v1, v2=v2, memory=memory_bytes), "utf-8"
    )
    _hand_over(folder)
    everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
    # Authentication stays on: with none, the gateway hangs at its start.
    _run(["ceph-authtool", "--create-keyring", keys, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"])
    _run(["ceph-authtool", keys, "--gen-key", "-n", "client.admin", *everything, "--cap", "mgr", "allow *"])
    profile = ("--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")
    _run(["ceph-authtool", keys, "--gen-key", "-n", "osd.0", *profile])
    _run(
        [
            "ceph-authtool",
            keys,
            "--gen-key",
            "-n",
            "client.rgw.a",
            "--cap",
            "mon",
            "allow rwx",
            "--cap",
            "osd",
            "allow rwx",
        ]
    )
    address = f"[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]"
    _run(["monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", address, f"{folder}/monmap"])
    return conf, port


@contextmanager
def _folder(name: str) -> Iterator[tuple[Path, _Processes]]:
    """Make a folder and what runs in it; both are gone at the end, and also when this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix=f"mlcore-{name}-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder, stack.enter_context(_Processes(folder))


class _Processes:
    """Servers that are stopped at the end; a guard outside of this process does it when this one cannot."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        guard = [sys.executable, "-I", str(Path(__file__).with_name("guard.py")), str(folder)]
        # A session of its own: what is sent to this process's whole group must not end the guard first.
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True)

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._tell("done")
        self._guard.communicate()

    def serve(self, command: Sequence[str], port: int | None, log: Path) -> int:
        """Start a process, wait until it listens, and return its id."""
        lowered = _lowered(command)
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, env=_environ(), stdout=out, stderr=out, stdin=subprocess.DEVNULL, **lowered
            )
        self._stack.callback(_stop, process)
        self._tell(str(process.pid))
        deadline = time.monotonic() + _START_SECONDS
        while port is not None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen: {log.read_text('utf-8', 'replace')[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        return process.pid

    def _tell(self, word: str) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.write(f"{word}\n".encode())
            self._guard.stdin.flush()


def _hand_over(folder: Path) -> None:
    """Give what the server needs to the user that it runs as."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)


def _lowered(command: Sequence[str]) -> dict[str, Any]:
    """Return what makes a process of root one of nobody, where nobody may run the program."""
    if os.geteuid() != 0:
        return {}
    path = Path(program(command[0]) or command[0]).resolve()
    lowered: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    reachable = all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
    script = path.read_bytes()[:2] == b"#!"  # its interpreter may lie where nobody may look
    return lowered if reachable and not script else {}


def _environ() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_", "CEPH_"))}
    # The allocator's cache is what Ceph's own packages set for its daemons.
    return {**kept, "HOME": tempfile.gettempdir(), "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES": "134217728"}


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command,
        env=_environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=_START_SECONDS,
        **_lowered(command),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # Ceph's daemons need seconds to say goodbye, and nobody wants their data.
    process.terminate()
    try:
        process.wait(_STOP_SECONDS if "ceph" not in str(process.args) else 0.2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_CEPH_CONF = """
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public_addr = 127.0.0.1
keyring = {d}/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = {memory}
run_dir = {d}/run
debug_none = 0/0
debug_ms = 0/0
debug_osd = 0/0
debug_rgw = 0/0
debug_objecter = 0/0
debug_objclass = 0/0
admin_socket = {d}/run/$name.asok
log_file = {d}/log/$name.log
pid_file = {d}/run/$name.pid
[mon.a]
mon_data = {d}/mon
[osd.0]
osd_data = {d}/osd
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_usage_max_shards = 1
rgw_lc_max_objs = 1
rgw_data_log_num_shards = 1
rgw_num_control_oids = 1
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = {kms}
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 5
"""
