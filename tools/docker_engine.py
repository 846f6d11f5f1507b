"""A Docker Engine for tests: the one that answers, or a private one of which nothing is left.

The private one needs root. Its containers cannot reach other machines, so that images are made of what is at hand:
Debian's packages, which mmdebstrap gathers, and a folder of wheels.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("docker", "dockerd", "ip", "mmdebstrap", "setpriv")
INSTALL = "as root: apt-get install -y --no-install-recommends docker.io docker-compose mmdebstrap iproute2"
PYTHON = "3.11"  # of the images
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_PACKAGES = "python3-pip,python3-venv,python-is-python3,ca-certificates"
# The machine's own limit of open files is below Docker's default, with which no container would start.
_DAEMON = {"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 20000}}}


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    host: its address for DOCKER_HOST, None for the client's default. private: nobody else uses it.
    """

    host: str | None
    private: bool

    @property
    def environ(self) -> dict[str, str]:
        """The environment for programs that talk to it."""
        # the packages of Debian bring the builder that is part of the engine, and no other
        return {**os.environ, "DOCKER_BUILDKIT": "0", **({"DOCKER_HOST": self.host} if self.host else {})}

    def docker(self, *arguments: str | Path, check: bool = True) -> str:
        """Run the client; return what it prints.

        Raises RuntimeError: with its last words, when it fails and *check* is set.
        """
        return _run(["docker", *arguments], self.environ, check=check)


def present() -> bool:
    """Whether an engine answers, or a private one can be started."""
    return answering() or (os.geteuid() == 0 and all(shutil.which(name) for name in PROGRAMS))


def answering() -> bool:
    """Whether the engine answers that DOCKER_HOST names, or the machine's own."""
    return _answers(None)


@contextmanager
def turn(cache: Path) -> Iterator[None]:
    """Wait until no other process makes or uses what is in *cache*."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def engine(cache: Path) -> Iterator[Engine]:
    """Yield an engine.

    cache: a folder that processes share; they take turns, so that two do not make the same things side by side.
    """
    with turn(cache):
        if answering():
            found = Engine(None, private=False)
            before = _networks(found)
            try:
                yield found
            finally:
                for network in _networks(found) - before:
                    found.docker("network", "rm", network, check=False)
            return
        with _private() as started:
            yield started


@contextmanager
def python_image(on: Engine, cache: Path, wheels: Sequence[Path]) -> Iterator[str]:
    """Yield the name of an image with Python and pip, which knows *wheels* and no index; remove it afterwards.

    wheels: folders with wheels.
    """
    tag = f"mlcore-test-python-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="mlcore-image-") as temporary:
        context = Path(temporary)
        for folder in wheels:
            for wheel in folder.glob("*.whl"):
                (context / "wheels").mkdir(exist_ok=True)
                shutil.copy(wheel, context / "wheels")
        base = _base(on, cache)
        # compiling everything would take longer than compiling what is used
        settings = "PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_NO_COMPILE=1 PIP_BREAK_SYSTEM_PACKAGES=1"
        (context / "Dockerfile").write_text(f"FROM {base}\nCOPY wheels /wheels\nENV {settings}\n", "utf-8")
        on.docker("build", "-q", "-t", tag, context)
    try:
        yield tag
    finally:
        for image in (tag, "mlcore-test-debian"):
            forget(on, image)


@contextmanager
def plain_image(on: Engine, cache: Path) -> Iterator[str]:
    """Yield the name of an image with Python and pip; remove it afterwards."""
    try:
        yield _base(on, cache)
    finally:
        forget(on, "mlcore-test-debian")


def forget(on: Engine, tag: str) -> None:
    """Remove an image and its containers from an engine that others use; a private one goes as a whole, quicker."""
    if on.private:
        return
    for container in on.docker("ps", "-aq", "--filter", f"ancestor={tag}", check=False).split():
        on.docker("rm", "-fv", container, check=False)
    on.docker("rmi", "-f", tag, check=False)


def _base(on: Engine, cache: Path) -> str:
    """Return the name of an image with Python: the usual one where it can be had, else one made of Debian's packages."""
    if not on.private:
        usual = f"python:{PYTHON}-slim"
        if on.docker("images", "-q", usual) or on.docker("pull", "-q", usual, check=False):
            return usual
    on.docker("import", debian(cache), "mlcore-test-debian")
    return "mlcore-test-debian"


def debian(cache: Path) -> Path:
    """Return the file system of a small Debian with Python and pip, made at the first need: 250 MB, a minute."""
    tar = cache / "debian-bookworm.tar"
    if not tar.exists():
        half = cache / "debian-bookworm.part"
        unwanted = [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "man", "locale")]
        options = ["--quiet", "--format=tar", "--variant=minbase", f"--include={_PACKAGES}", *unwanted]
        _run(["mmdebstrap", *options, "bookworm", half])
        half.rename(tar)
    return tar


@contextmanager
def _private() -> Iterator[Engine]:
    """Start an engine with a folder and a bridge of its own, which leaves the machine's firewall as it is."""
    folder = Path(tempfile.mkdtemp(prefix="mlcore-docker-"))
    with ExitStack() as stack:
        stack.callback(_discard, folder)
        bridge = f"mlcore{os.getpid() % 1_000_000}"
        _run(["ip", "link", "add", bridge, "type", "bridge"])
        stack.callback(_run, ["ip", "link", "del", bridge], check=False)
        _run(["ip", "address", "add", f"172.30.{os.getpid() % 256}.1/24", "dev", bridge])
        _run(["ip", "link", "set", bridge, "up"])
        started = Engine(f"unix://{folder}/docker.sock", private=True)
        process = _start(folder, bridge)
        stack.callback(_stop, process)
        _await(started, process, folder / "log")
        stack.callback(_clear, started)
        yield started


def _start(folder: Path, bridge: str) -> subprocess.Popen[bytes]:
    (folder / "daemon.json").write_text(json.dumps(_DAEMON), "utf-8")
    options = [
        "--config-file",
        f"{folder}/daemon.json",
        "--data-root",
        f"{folder}/root",
        "--exec-root",
        f"{folder}/run",
    ]
    options += ["--host", f"unix://{folder}/docker.sock", "--pidfile", f"{folder}/pid", f"--bridge={bridge}"]
    options += ["--iptables=false", "--ip6tables=false"]  # ports are published by a process instead
    with (folder / "log").open("wb") as log:
        # it ends with this process, also when that has no time to say so
        command = ["setpriv", "--pdeathsig", "TERM", "dockerd", *options]
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _await(started: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(started.host):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"dockerd does not answer; its log ends with: {log.read_text('utf-8')[-2000:]}")
        time.sleep(0.1)


def _clear(started: Engine) -> None:
    """Remove containers, and networks with the bridges that would stay behind."""
    containers = started.docker("ps", "-aq", check=False).split()
    if containers:
        started.docker("rm", "-fv", *containers, check=False)
    for network in _networks(started):
        started.docker("network", "rm", network, check=False)


def _networks(on: Engine) -> set[str]:
    return set(on.docker("network", "ls", "-q", "--filter", "type=custom", check=False).split())


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _discard(folder: Path) -> None:
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    for place in reversed([place for place in mounted if place.startswith(f"{folder}/")]):
        _run(["umount", "-l", place], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _answers(host: str | None) -> bool:
    if shutil.which("docker") is None:
        return False
    environ = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(command, env=environ, capture_output=True, timeout=30, check=False).returncode == 0


def _run(command: Sequence[str | Path], environ: Mapping[str, str] | None = None, *, check: bool = True) -> str:
    done = subprocess.run([str(part) for part in command], env=environ, capture_output=True, text=True, check=False)
    if check and done.returncode:
        said = (done.stdout + done.stderr)[-3000:]
        raise RuntimeError(f"exit code {done.returncode} of {' '.join(str(part) for part in command)}:\n{said}")
    return done.stdout


def main() -> None:
    """Start an engine and stop it again; end with 1 and the reason where it does not start."""
    if not present():
        sys.exit(f"no Docker Engine: {INSTALL}")
    try:
        with engine(Path(__file__).resolve().parent.parent / ".cache" / "docker") as found:
            print(f"a Docker Engine answers{' at its own socket' if found.private else ''}")
    except RuntimeError as err:
        sys.exit(f"no Docker Engine starts here: {err}")


if __name__ == "__main__":
    main()
