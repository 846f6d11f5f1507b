"""A dashboard of Ray in small: the Jobs API as published, over real processes; `python ray_standin.py PORT DIRECTORY`.

It answers as Ray 2.60 does, output that is no text included, and fails on demand: POST /standin/faults with a list of
objects {method, path (a part of it), status, text, headers, times, after (whether the work is done all the same)}.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token"  # of the stand-in
NODE = "ab12"


class Cluster:
    """What the stand-in keeps."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.jobs: dict[str, dict[str, Any]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.faults: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.lock = threading.Lock()

    def fault(self, method: str, path: str) -> dict[str, Any] | None:
        with self.lock:
            self.requests.append(f"{method} {path}")
            for each in self.faults:
                if each["times"] and each["path"] in path and each.get("method", method) == method:
                    each["times"] -= 1
                    return each
        return None

    def submit(self, asked: dict[str, Any]) -> tuple[int, Any]:
        job_id = asked["submission_id"]
        with self.lock:
            if job_id in self.jobs:
                return 400, f"ValueError: Job with submission_id {job_id} already exists. Please use a different one."
            self.jobs[job_id] = {
                "type": "SUBMISSION", "submission_id": job_id, "entrypoint": asked["entrypoint"], "status": "PENDING",
                "message": "Job has not started yet.", "error_type": None, "driver_node_id": None, "asked": asked,
            }  # fmt: skip
        self.log(job_id).write_text("2026-01-01 00:00:00,000\tINFO job_manager.py:581 -- Runtime env is setting up.\n")
        threading.Thread(target=self.work, args=(job_id,), daemon=True).start()
        return 200, {"job_id": job_id, "submission_id": job_id}

    def work(self, job_id: str) -> None:
        job = self.jobs[job_id]
        env = job["asked"].get("runtime_env", {})
        package = env["working_dir"].removeprefix("gcs://")
        where = self.home / "dirs" / package
        if "no-such-requirement" in str(env.get("pip")):
            job.update(status="FAILED", error_type="RUNTIME_ENV_SETUP_FAILURE", message="pip says\nno such requirement")
            return
        with self.lock:
            if not where.exists():
                with zipfile.ZipFile(self.home / package) as archive:
                    for info in archive.infolist():
                        path = Path(archive.extract(info, where))
                        path.chmod(info.external_attr >> 16 & 0o777)
                where.mkdir(parents=True, exist_ok=True)
        with self.log(job_id).open("a") as log:
            log.write(f"Running entrypoint for job {job_id}: {job['entrypoint']}\n")
        variables = {name: os.path.expandvars(value) for name, value in env.get("env_vars", {}).items()}
        job["driver_node_id"] = NODE
        with self.log(job_id).open("ab") as log:
            process = self.processes[job_id] = subprocess.Popen(
                job["entrypoint"], shell=True, start_new_session=True, cwd=where, stdout=log, stderr=log,
                env={**os.environ, **variables},
            )  # fmt: skip
        job.update(status="RUNNING", message="Job is currently running.")
        code = process.wait()
        job["driver_exit_code"] = None if job.get("is_stopped") else code
        if job.pop("is_stopped", False):
            job.update(status="STOPPED", message="Job was intentionally stopped.")
        elif code:
            message = f"Job entrypoint command failed with exit code {code}, last available logs: ..."
            job.update(status="FAILED", error_type="JOB_ENTRYPOINT_COMMAND_ERROR", message=message)
        else:
            job.update(status="SUCCEEDED", message="Job finished successfully.")

    def stop(self, job_id: str) -> bool:
        process = self.processes.get(job_id)
        if process is None or process.poll() is not None:
            return False
        self.jobs[job_id]["is_stopped"] = True
        os.killpg(process.pid, signal.SIGTERM)
        return True

    def log(self, job_id: str) -> Path:
        return self.home / f"job-driver-{job_id}.log"


class Handler(BaseHTTPRequestHandler):
    cluster: Cluster
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_PUT(self) -> None:
        self.answer("PUT")

    def answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, told, headers = self.decide(method, body)
        raw = told if isinstance(told, bytes) else (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def decide(self, method: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        cluster, found = self.cluster, urlsplit(self.path)
        if found.path == "/standin/faults":
            cluster.faults[:] = json.loads(body)
            return 200, {}, {}
        if found.path == "/standin/requests":
            return 200, cluster.requests, {}
        if found.path == "/standin/forget":
            cluster.jobs.clear()
            return 200, {}, {}
        fault = cluster.fault(method, found.path)
        if fault is not None:
            if fault.get("after"):  # the work is done, and its answer gets lost
                self.serve(method, found.path, parse_qs(found.query), body)
            return fault["status"], fault.get("text", "as was asked for"), fault.get("headers", {})
        given = self.headers.get("authorization")
        if given is None:
            return 401, "Unauthorized: Missing authentication token", {}
        if given != f"Bearer {TOKEN}":
            return 403, "Forbidden: Invalid authentication token", {}
        status, told = self.serve(method, found.path, parse_qs(found.query), body)
        return status, told, {}

    def serve(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        cluster, parts = self.cluster, path.strip("/").split("/")
        if path == "/api/version":
            return 200, {"version": "4", "ray_version": "2.60.0", "ray_commit": "", "session_name": "s"}
        if parts[:3] == ["api", "packages", "gcs"]:
            package = cluster.home / parts[3]
            if method == "PUT":
                zipfile.ZipFile(io.BytesIO(body)).testzip()
                package.write_bytes(body)
            return (200, "") if package.exists() else (404, f"Package gcs://{parts[3]} does not exist")
        if path == "/api/jobs/" and method == "POST":
            return cluster.submit(json.loads(body))
        if path == "/api/v0/logs/file":
            assert query["node_id"] == [NODE]
            return 200, (cluster.home / query["filename"][0]).read_bytes()
        job = cluster.jobs.get(parts[2]) if parts[:2] == ["api", "jobs"] and len(parts) > 2 else None
        if job is None:
            return 404, f"Job {parts[-1]} does not exist"
        if parts[3:] == ["stop"]:
            return 200, {"stopped": cluster.stop(parts[2])}
        if parts[3:] == ["logs"]:
            try:
                return 200, {"logs": cluster.log(parts[2]).read_text() if job["driver_node_id"] else ""}
            except UnicodeDecodeError as err:
                return 500, f"Traceback (most recent call last):\n{err!r}"
        return 200, {key: value for key, value in job.items() if key != "is_stopped"}


if __name__ == "__main__":
    Handler.cluster = Cluster(Path(sys.argv[2]))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
