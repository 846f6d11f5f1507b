"""What runs on the cluster: unpack the project, run its command, and write its output where it can be read meanwhile.

A program of its own, which needs nothing but Python 3.8: `job_runner.py JOB`, the path of a JSON object with
{argv, env, archive, output, requirements, python}. Output goes into numbered files, each written once and whole, as
the file systems that clusters mount do not all take additions; `end.json` tells how the command ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

_FILE_BYTES = 256 << 10
_FIRST_S = 1.0  # output is held for so long at most,
_LONGEST_S = 10.0  # and for so long when the job is old, as it would make too many files
_GRACE_S = 5.0
_NO_PROGRAM = 127


class Output:
    """The command's output in numbered files, and on this program's own output."""

    def __init__(self, folder: str) -> None:
        """Make the folder."""
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._number = 0
        self._pending = b""
        self._begun = self._since = time.monotonic()

    def add(self, data: bytes) -> None:
        """Take output."""
        if not self._pending:
            self._since = time.monotonic()
        self._pending += data
        with contextlib.suppress(ValueError, OSError):  # nobody may listen
            sys.stdout.write(data.decode("utf-8", "replace"))
            sys.stdout.flush()
        while len(self._pending) >= _FILE_BYTES:
            self._write()

    def say(self, text: str) -> None:
        """Take a line of our own."""
        self.add((text + "\n").encode())

    def tick(self) -> None:
        """Write what was held long enough."""
        now = time.monotonic()
        if self._pending and now - self._since >= min(_LONGEST_S, _FIRST_S + (now - self._begun) / 60):
            self._write()

    def end(self, code: int) -> None:
        """Write all, and how the command ended."""
        while self._pending:
            self._write()
        (self._folder / "end.json").write_text(json.dumps({"code": code}))

    def _write(self) -> None:
        (self._folder / f"{self._number:06d}.log").write_bytes(self._pending[:_FILE_BYTES])
        self._pending = self._pending[_FILE_BYTES:]
        self._number += 1
        self._since = time.monotonic()


def main(path: str) -> int:
    """Run the job; return its exit code."""
    job = json.loads(Path(path).read_text("utf-8"))
    output = Output(job["output"])
    place = Path(tempfile.mkdtemp(prefix="mlcore-project-"))
    code = 1
    try:
        code = _run(job, place, output)
    finally:
        output.end(code)
        shutil.rmtree(place, ignore_errors=True)
    return code


def _run(job: dict[str, object], place: Path, output: Output) -> int:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if job["python"] not in (None, here):
        output.say(
            f"the project asks for Python {job['python']}, and the cluster has {here}; change the project's, take another "
            "spark_version, or set any_python in the backend configuration"
        )
        return 1
    project = place / "project"
    project.mkdir()
    with tarfile.open(str(job["archive"])) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(project, **safe)  # type: ignore[arg-type]  # noqa: S202  # made by the caller, without links
    env = dict(os.environ)
    env.update(job["env"])  # type: ignore[call-overload]  # texts by name, as the backend wrote them
    path = [str(Path(sys.executable).parent)]  # so that `python` is the cluster's own
    if job["requirements"]:
        made = place / "environment"
        code = _prepared(made, job["requirements"], project, env, output)
        if code:
            return code
        path.insert(0, str(made / "bin"))
        env["VIRTUAL_ENV"] = str(made)
    env["PATH"] = os.pathsep.join([*path, env.get("PATH", os.defpath)])
    return _call(list(job["argv"]), project, env, output)  # type: ignore[call-overload]  # texts, likewise


def _prepared(made: Path, requirements: object, project: Path, env: dict[str, str], output: Output) -> int:
    """Make an environment above the cluster's libraries; return an exit code."""
    listed = made.with_suffix(".txt")
    listed.write_text("".join(f"{line}\n" for line in requirements), "utf-8")  # type: ignore[attr-defined]  # a list
    code = _call([sys.executable, "-m", "venv", "--system-site-packages", str(made)], project, env, output)
    pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return code or _call([*pip, "-r", str(listed)], project, env, output)


def _call(argv: list[str], directory: Path, env: dict[str, str], output: Output) -> int:
    """Run a command to its end, as a group of processes that ends with this one."""
    try:
        process = subprocess.Popen(  # noqa: S603  # what the job is for
            argv, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=_end_with_parent,
        )  # fmt: skip
    except OSError as err:
        output.say(f"cannot start {argv[0]!r}: {err}")
        return _NO_PROGRAM
    with contextlib.suppress(ValueError):  # only the main thread may have handlers
        signal.signal(signal.SIGTERM, lambda *_: _stop(process))
    assert process.stdout is not None  # noqa: S101  # as Popen was asked for a pipe
    source = process.stdout.fileno()
    while True:
        if select.select([source], [], [], 0.2)[0]:
            data = os.read(source, 1 << 16)
            if not data:
                break
            output.add(data)
        elif process.poll() is not None:
            break  # a child that was left behind holds the pipe
        output.tick()
    code = process.wait()
    return 128 - code if code < 0 else code


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _end_with_parent() -> None:
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    exit_code: int = main(sys.argv[1])
    if exit_code:  # Databricks takes any SystemExit for a failure
        sys.exit(exit_code)
