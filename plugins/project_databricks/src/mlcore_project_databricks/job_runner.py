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

_FILE_BYTES = 256 << 10
_FIRST_S = 1.0  # output is held for so long at most,
_LONGEST_S = 10.0  # and for so long when the job is old, as it would make too many files
_GRACE_S = 5.0
_NO_PROGRAM = 127


class Output:
    """The command's output in numbered files, and on this program's own output."""

    def __init__(self, folder: str) -> None:
        """Make the folder."""
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
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
        with open(os.path.join(self._folder, "end.json"), "w") as file:  # noqa: PTH118,PTH123  # as all here
            json.dump({"code": code}, file)

    def _write(self) -> None:
        with open(os.path.join(self._folder, "%06d.log" % self._number), "wb") as file:  # noqa: PTH118,PTH123,UP031
            file.write(self._pending[:_FILE_BYTES])
        self._pending = self._pending[_FILE_BYTES:]
        self._number += 1
        self._since = time.monotonic()


def main(path: str) -> int:
    """Run the job; return its exit code."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        job = json.load(file)
    output = Output(job["output"])
    place = tempfile.mkdtemp(prefix="mlcore-project-")
    code = 1
    try:
        code = _run(job, place, output)
    finally:
        output.end(code)
        shutil.rmtree(place, ignore_errors=True)
    return code


def _run(job: dict[str, object], place: str, output: Output) -> int:
    here = "%d.%d" % sys.version_info[:2]
    if job["python"] not in (None, here):
        output.say(
            "the project asks for Python {}, and the cluster has {}; change the project's, take another spark_version, or "
            "set any_python in the backend configuration".format(job["python"], here)
        )
        return 1
    project = os.path.join(place, "project")  # noqa: PTH118
    os.mkdir(project)  # noqa: PTH102
    with tarfile.open(str(job["archive"])) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(project, **safe)  # type: ignore[arg-type]  # noqa: S202  # made by the caller, without links
    env = dict(os.environ)
    env.update(job["env"])  # type: ignore[call-overload]
    path = [os.path.dirname(sys.executable)]  # noqa: PTH120  # so that `python` is the cluster's own
    if job["requirements"]:
        made = os.path.join(place, "environment")  # noqa: PTH118
        code = _prepared(made, job["requirements"], project, env, output)
        if code:
            return code
        path.insert(0, os.path.join(made, "bin"))  # noqa: PTH118
        env["VIRTUAL_ENV"] = made
    env["PATH"] = os.pathsep.join([*path, env.get("PATH", os.defpath)])
    return _call(list(job["argv"]), project, env, output)  # type: ignore[call-overload]


def _prepared(made: str, requirements: object, project: str, env: dict[str, str], output: Output) -> int:
    """Make an environment above the cluster's libraries; return an exit code."""
    listed = made + ".txt"
    with open(listed, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.writelines("%s\n" % line for line in requirements)  # type: ignore[attr-defined]  # noqa: UP031
    code = _call([sys.executable, "-m", "venv", "--system-site-packages", made], project, env, output)
    pip = [os.path.join(made, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]  # noqa: PTH118
    return code or _call([*pip, "-r", listed], project, env, output)


def _call(argv: list[str], directory: str, env: dict[str, str], output: Output) -> int:
    """Run a command to its end, as a group of processes that ends with this one."""
    try:
        process = subprocess.Popen(  # noqa: S603  # what the job is for
            argv, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=_end_with_parent,
        )  # fmt: skip
    except OSError as err:
        output.say("cannot start %r: %s" % (argv[0], err))  # noqa: UP031
        return _NO_PROGRAM
    with contextlib.suppress(ValueError):  # only the main thread may have handlers
        signal.signal(signal.SIGTERM, lambda *_: _stop(process))
    assert process.stdout is not None  # noqa: S101
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
    exit_code = main(sys.argv[1])
    if exit_code:  # Databricks takes any SystemExit for a failure
        sys.exit(exit_code)
