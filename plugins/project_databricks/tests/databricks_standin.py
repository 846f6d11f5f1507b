"""A Databricks workspace in small: Jobs API, DBFS, Files API, over real processes; `python databricks_standin.py PORT HOME`.

Runs go through the published states. The directory HOME/fs stands for what clusters mount at `/`, so that a task's file
is started after its paths below `/dbfs` and `/Volumes` are moved there. Fails on demand: POST /standin/faults with a
list of objects {method, path (a part of it), status, body, headers, times, after (whether the work is done all the same)}.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "dapi-right"
DENIED = "dapi-denied"


class FaultError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error_code": code, "message": message}


class Space:
    """What the stand-in keeps."""

    def __init__(self, home: Path) -> None:
        self.root = home / "fs"
        self.runs: dict[int, dict[str, Any]] = {}
        self.tokens: dict[str, int] = {}
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.handles: dict[int, Path] = {}
        self.faults: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.bodies: list[Any] = []
        self.lock = threading.Lock()

    def fault(self, method: str, path: str) -> dict[str, Any] | None:
        with self.lock:
            self.requests.append(f"{method} {path}")
            for each in self.faults:
                if each["times"] and each["path"] in path and each.get("method", method) == method:
                    each["times"] -= 1
                    return each
        return None

    # files

    def at(self, path: str) -> Path:
        assert ".." not in path.split("/")
        return self.root / path.removeprefix("dbfs:").lstrip("/")

    def dbfs(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        path = self.at("/dbfs" + asked["path"]) if "path" in asked else Path()
        if action in ("get-status", "read") and not path.is_file():
            raise FaultError(404, "RESOURCE_DOES_NOT_EXIST", f"No file or directory exists on path {asked['path']}.")
        if action == "get-status":
            return {"path": asked["path"], "is_dir": False, "file_size": path.stat().st_size, "modification_time": 0}
        if action == "read":
            start, length = int(asked.get("offset", 0)), int(asked.get("length", 1 << 19))
            if length > 1 << 20:
                raise FaultError(400, "MAX_READ_SIZE_EXCEEDED", "at most 1MB")
            if start > path.stat().st_size:
                raise FaultError(400, "INVALID_PARAMETER_VALUE", f"The offset {start} is greater than the file size")
            data = path.read_bytes()[start : start + length]
            return {"bytes_read": len(data), "data": b64encode(data).decode()}
        if action in ("put", "create"):
            if path.exists() and not asked.get("overwrite"):
                raise FaultError(400, "RESOURCE_ALREADY_EXISTS", "exists")
            path.parent.mkdir(parents=True, exist_ok=True)
            if len(asked.get("contents", "")) > 1 << 20:
                raise FaultError(400, "MAX_BLOCK_SIZE_EXCEEDED", "at most 1MB")
            path.write_bytes(b64decode(asked.get("contents", "")))
            if action == "put":
                return {}
            handle = len(self.handles) + 1
            self.handles[handle] = path
            return {"handle": handle}
        if action == "add-block":
            data = b64decode(asked["data"])
            if len(data) > 1 << 20:
                raise FaultError(400, "MAX_BLOCK_SIZE_EXCEEDED", "at most 1MB")
            with self.handles[asked["handle"]].open("ab") as file:
                file.write(data)
            return {}
        assert action == "close", action
        return {}

    # runs

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.bodies.append(asked)
            token = asked.get("idempotency_token", "")
            if token in self.tokens:
                return {"run_id": self.tokens[token]}
            (task,) = asked["tasks"]
            if ("new_cluster" in task) == ("existing_cluster_id" in task):
                raise FaultError(
                    400, "INVALID_PARAMETER_VALUE", "One of new_cluster or existing_cluster_id must be specified."
                )
            run_id = 1000 + 2 * len(self.runs)
            self.runs[run_id] = {
                "run_id": run_id, "run_name": asked.get("run_name", "Untitled"), "task": task, "asked": asked,
                "state": {"life_cycle_state": "PENDING", "state_message": "Waiting for cluster"}, "output": {},
            }  # fmt: skip
            if token:
                self.tokens[token] = run_id
        threading.Thread(target=self.work, args=(self.runs[run_id],), daemon=True).start()
        return {"run_id": run_id}

    def work(self, run: dict[str, Any]) -> None:
        task = run["task"]
        version = task.get("new_cluster", {}).get("spark_version", "")
        if version == "broken":
            message = "Cluster could not be launched: the cloud has no such machine"
            run["state"] = {"life_cycle_state": "INTERNAL_ERROR", "result_state": "FAILED", "state_message": message}
            return
        program, (job,) = task["spark_python_task"]["python_file"], task["spark_python_task"]["parameters"]
        program = self.at(program.replace("dbfs:/", "/dbfs/", 1))
        scratch = self.root.parent / f"run-{run['run_id']}"
        scratch.mkdir()
        described = json.loads(self.at(job).read_text())
        described.update({key: str(self.at(described[key])) for key in ("archive", "output")})
        (scratch / "job.json").write_text(json.dumps(described))
        if run.get("is_cancelled"):
            self.end(run, "CANCELED", "Run cancelled.")
            return
        with (scratch / "out").open("wb") as out:
            process = self.processes[run["run_id"]] = subprocess.Popen(
                [sys.executable, str(program), str(scratch / "job.json")], cwd=scratch, stdout=out, stderr=out,
                env={**os.environ, "TMPDIR": str(scratch)},
            )  # fmt: skip
        run["state"] = {"life_cycle_state": "RUNNING", "state_message": "In run"}
        if version == "dying":
            time.sleep(0.5)
            process.kill()
        code = process.wait()
        run["output"] = {"logs": (scratch / "out").read_text("utf-8", "replace")[-5_000_000:], "logs_truncated": False}
        if run.get("is_cancelled"):
            self.end(run, "CANCELED", "Run cancelled.")
        elif code:
            run["output"]["error"] = (
                f"SystemExit: {code}" if code > 0 else "The Python process exited with exit code 137"
            )
            self.end(run, "FAILED", "Workload failed, see run output for details")
        else:
            self.end(run, "SUCCESS", "")
        shutil.rmtree(scratch)

    def end(self, run: dict[str, Any], result: str, message: str) -> None:
        run["state"] = {"life_cycle_state": "TERMINATING", "result_state": result, "state_message": message}
        time.sleep(0.05)
        run["state"] = {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": message}

    def told(self, run: dict[str, Any]) -> dict[str, Any]:
        task = {**run["task"], "run_id": run["run_id"] + 1, "state": run["state"], "attempt_number": 0}
        return {
            "job_id": 7, "run_id": run["run_id"], "run_name": run["run_name"], "run_type": "SUBMIT_RUN", "tasks": [task],
            "state": run["state"], "run_page_url": f"https://standin/#job/7/run/{run['run_id']}", "start_time": 1,
        }  # fmt: skip

    def run_of(self, number: object) -> dict[str, Any]:
        run = self.runs.get(int(str(number)) & ~1)
        if run is None:
            raise FaultError(400, "INVALID_PARAMETER_VALUE", f"Run {number} does not exist.")
        return run

    def jobs(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        if action == "submit":
            return self.submit(asked)
        run = self.run_of(asked["run_id"])
        if action == "get":
            return self.told(run)
        if action == "get-output":
            return {"metadata": self.told(run), **run["output"]}
        assert action == "cancel", action
        run["is_cancelled"] = True
        process = self.processes.get(run["run_id"])
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
        return {}


class Handler(BaseHTTPRequestHandler):
    space: Space
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer("GET")

    def do_HEAD(self) -> None:
        self.answer("HEAD")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_PUT(self) -> None:
        self.answer("PUT")

    def answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            status, told, headers = self.decide(method, body)
        except FaultError as fault:
            status, told, headers = fault.status, fault.body, {}
        raw = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/octet-stream" if isinstance(told, bytes) else "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if method != "HEAD":
            self.wfile.write(raw)

    def decide(self, method: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        space, found = self.space, urlsplit(self.path)
        if found.path.startswith("/standin/"):
            if found.path == "/standin/faults":
                space.faults[:] = json.loads(body)
            return 200, space.bodies if found.path == "/standin/bodies" else space.requests, {}
        if found.path.startswith("/.well-known/"):
            raise FaultError(404, "NOT_FOUND", "no such document")
        fault = space.fault(method, found.path)
        if fault is not None:
            if fault.get("after"):
                self.serve(method, found.path, found.query, body)
            return (
                fault["status"],
                fault.get("body", {"error_code": "ASKED_FOR", "message": "as asked"}),
                fault.get("headers", {}),
            )
        given = self.headers.get("authorization", "")
        if given == f"Bearer {DENIED}":
            raise FaultError(403, "PERMISSION_DENIED", "User does not have permission to run jobs.")
        if given != f"Bearer {TOKEN}":
            raise FaultError(
                401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."
            )
        status, told = self.serve(method, found.path, found.query, body)
        return status, told, {}

    def serve(self, method: str, path: str, query: str, body: bytes) -> tuple[int, Any]:
        space, parts = self.space, path.strip("/").split("/")
        if parts[:2] == ["api", "2.0"] and parts[2] == "fs":
            return self.files(method, parts[3], space.at(unquote("/" + "/".join(parts[4:]))), body)
        asked = json.loads(body) if body else {key: values[0] for key, values in parse_qs(query).items()}
        if parts[2] == "dbfs":
            return 200, space.dbfs(parts[3], asked)
        if parts[1] in ("2.1", "2.2") and parts[2:4] == ["jobs", "runs"]:
            return 200, space.jobs(parts[4], asked)
        raise FaultError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")

    def files(self, method: str, kind: str, path: Path, body: bytes) -> tuple[int, Any]:
        if kind == "directories":
            path.mkdir(parents=True, exist_ok=True)
            return 204, b""
        if method == "PUT":
            if not path.parent.is_dir():
                raise FaultError(404, "NOT_FOUND", "The parent directory does not exist.")
            path.write_bytes(body)
            return 204, b""
        if not path.is_file():
            raise FaultError(404, "NOT_FOUND", "The file being accessed is not found.")
        return 200, path.read_bytes()


if __name__ == "__main__":
    Handler.space = Space(Path(sys.argv[2]))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
