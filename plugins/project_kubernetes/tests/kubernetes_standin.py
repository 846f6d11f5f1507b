"""A stand-in for a cluster: the parts of Kubernetes' API that jobs need, whose containers are processes of this machine.

`python kubernetes_standin.py FOLDER` serves HTTPS on a free port, which it writes to FOLDER/port, with FOLDER/cert.pem and
key.pem. Manifests are judged by Kubernetes' own schemas. An image is a folder FOLDER/registry/ID, where a stand-in of
`docker push` put it. Faults are ordered by `POST /_faults`.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate

VERSION = "1.32"
TOKENS = {"Bearer good": "", "Bearer reader": "cannot create resource"}
NAMESPACES = ("default", "lab")
CODE = "/mlflow/projects/code"
FOLDER = Path()
Doc = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def expanded(word: str, env: dict[str, str]) -> str:
    """What Kubernetes makes of a word: $(NAME) is a variable, $$ is a dollar."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda m: "$" if m[0] == "$$" else env.get(m[1], m[0]), word)


class Refusal(Exception):  # noqa: N818  # what an API does is no error of ours
    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
        self.status["message"] = message


class Cluster:
    """Jobs, pods and their output; every change gets a version and wakes who watches."""

    def __init__(self) -> None:
        self.more = threading.Condition(threading.RLock())
        self.version = 100
        self.jobs: dict[str, Doc] = {}
        self.pods: dict[str, Doc] = {}
        self.output: dict[str, list[tuple[str, bytes]]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.events: list[tuple[int, str, str, Doc]] = []
        self.faults: list[Doc] = []
        self.requests: list[str] = []

    def change(self, kind: str, event: str, doc: Doc) -> None:
        with self.more:
            self.version += 1
            doc["metadata"]["resourceVersion"] = str(self.version)
            self.events.append((self.version, kind, event, copy.deepcopy(doc)))
            self.more.notify_all()

    def fault(self, kind: str, path: str) -> Doc | None:
        """The next ordered fault of a kind for a path; each is used as often as ordered."""
        with self.more:
            for each in self.faults:
                if each["kind"] == kind and re.search(each.get("path", ""), path) and each["times"] > 0:
                    each["times"] -= 1
                    return each
        return None

    # jobs

    def create(self, namespace: str, doc: Doc) -> Doc:
        if namespace not in NAMESPACES:
            raise Refusal(404, "NotFound", f'namespaces "{namespace}" not found')
        self.check(doc)
        name = doc["metadata"]["name"]
        with self.more:
            if name in self.jobs:
                raise Refusal(409, "AlreadyExists", f'jobs.batch "{name}" already exists')
            doc["metadata"].update(uid=str(uuid.uuid4()), creationTimestamp=now(), namespace=namespace)
            doc["status"] = {"startTime": now(), "active": 1, "ready": 0}
            self.jobs[name] = doc
            self.change("jobs", "ADDED", doc)
        threading.Thread(target=self.control, args=(name,), daemon=True).start()
        return doc

    def check(self, doc: Doc) -> None:
        try:
            kubernetes_validate.validate({k: v for k, v in doc.items() if k != "status"}, VERSION, strict=True)
        except kubernetes_validate.ValidationError as err:
            raise Refusal(422, "Invalid", f"Job is invalid: {'.'.join(map(str, err.path))}: {err.message}") from err
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", doc["metadata"].get("name", "")):
            raise Refusal(422, "Invalid", f"metadata.name: Invalid value: {doc['metadata'].get('name')!r}")
        if doc["spec"]["template"]["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
            raise Refusal(422, "Invalid", "spec.template.spec.restartPolicy: Required value")

    def patch(self, name: str, change: Doc) -> Doc:
        with self.more:
            job = self.job(name)
            for key, value in change.get("metadata", {}).get("annotations", {}).items():
                job["metadata"].setdefault("annotations", {})[key] = value
            job["spec"].update(change.get("spec", {}))
            self.check({**job, **{"metadata": {"name": name, **_plain(job["metadata"])}}})
            self.change("jobs", "MODIFIED", job)
            return job

    def job(self, name: str) -> Doc:
        if name not in self.jobs:
            raise Refusal(404, "NotFound", f'jobs.batch "{name}" not found')
        return self.jobs[name]

    def delete(self, name: str) -> None:
        with self.more:
            job = self.jobs.pop(name)
            self.change("jobs", "DELETED", job)
        for pod in [pod for pod in self.pods.values() if pod["metadata"]["labels"]["job-name"] == name]:
            self.stop(pod)

    # what the controllers and the kubelet do

    def control(self, name: str) -> None:
        job = self.jobs[name]
        began = time.monotonic()
        for _ in range(1 + job["spec"].get("backoffLimit", 6)):
            pod = self.pod(job)
            runner = threading.Thread(target=self.run, args=(pod,), daemon=True)
            runner.start()
            while runner.is_alive():
                with self.more:
                    self.more.wait(0.05)
                limit = job["spec"].get("activeDeadlineSeconds")
                if limit is not None and time.monotonic() - began >= min(limit, 1.0) * (0.05 if limit == 1 else 1):
                    self.stop(pod)
                    runner.join()
                    self.finish(job, "Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
                    return
            if pod["status"]["phase"] == "Succeeded":
                self.finish(job, "Complete", "", "")
                return
        self.finish(job, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")

    def finish(self, job: Doc, kind: str, reason: str, message: str) -> None:
        with self.more:
            job["status"].update(active=0, ready=0)
            found = {"type": kind, "status": "True", "reason": reason, "message": message}
            job["status"].setdefault("conditions", []).append(found)
            if job["metadata"]["name"] in self.jobs:
                self.change("jobs", "MODIFIED", job)

    def pod(self, job: Doc) -> Doc:
        name = f"{job['metadata']['name']}-{uuid.uuid4().hex[:5]}"
        labels = {"job-name": job["metadata"]["name"]}
        spec = copy.deepcopy(job["spec"]["template"]["spec"])
        waiting = self.container(spec, {"waiting": {"reason": "ContainerCreating"}})
        metadata = {"name": name, "uid": str(uuid.uuid4()), "labels": labels, "creationTimestamp": now()}
        pod = {"metadata": metadata, "spec": spec, "status": {"phase": "Pending", "containerStatuses": [waiting]}}
        with self.more:
            self.pods[name], self.output[name] = pod, []
            self.change("pods", "ADDED", pod)
        return pod

    def container(self, spec: Doc, state: Doc) -> Doc:
        return {"name": spec["containers"][0]["name"], "state": state, "restartCount": 0}

    def show(self, pod: Doc, phase: str, state: Doc, **more: str) -> None:
        with self.more:
            pod["status"] = {"phase": phase, "containerStatuses": [self.container(pod["spec"], state)], **more}
            self.change("pods", "MODIFIED", pod)

    def run(self, pod: Doc) -> None:
        name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]
        image = FOLDER / "registry" / container["image"].rpartition("sha256:")[2] / "code"
        if not image.is_dir():
            self.show(pod, "Pending", {"waiting": {"reason": "ErrImagePull", "message": "pull access denied"}})
            time.sleep(0.1)
            message = f'Back-off pulling image "{container["image"]}"'
            self.show(pod, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": message}})
            while not pod.get("stopped"):
                time.sleep(0.02)
            return
        env = {"PATH": os.environ["PATH"]}
        for each in container.get("env", []):
            env[each["name"]] = expanded(each.get("value", ""), env)
        argv = [expanded(word, env) for word in container["command"]]
        place = str(image) + container.get("workingDir", CODE).removeprefix(CODE)
        try:
            process = subprocess.Popen(
                argv,
                cwd=place,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as err:
            message = f'exec: "{argv[0]}": {err.strerror}'
            ended = {"exitCode": 128, "reason": "StartError", "message": message}
            self.show(pod, "Failed", {"terminated": ended})
            return
        with self.more:
            self.processes[name] = process
        self.show(pod, "Running", {"running": {"startedAt": now()}})
        assert process.stdout is not None
        for line in process.stdout:
            with self.more:
                # as exact as a kubelet: several lines may have one time
                moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-4] + "0000000Z"
                self.output[name].append((moment, line.rstrip(b"\n")))
                if len(self.output[name]) % 500 < 2:
                    self.more.notify_all()
        code = process.wait()
        if pod.get("stopped"):
            return
        ended = {"exitCode": code, "reason": "Error" if code else "Completed"}
        self.show(pod, "Failed" if code else "Succeeded", {"terminated": ended})

    def stop(self, pod: Doc) -> None:
        pod["stopped"] = True
        process = self.processes.get(pod["metadata"]["name"])
        if process and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        with self.more:
            if self.pods.pop(pod["metadata"]["name"], None):
                self.change("pods", "DELETED", pod)

    def evict(self, job: str) -> None:
        for pod in [pod for pod in self.pods.values() if pod["metadata"]["labels"]["job-name"] == job]:
            pod["stopped"] = True
            process = self.processes[pod["metadata"]["name"]]
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            ended = {"exitCode": 137, "reason": "Error"}
            message = "The node was low on resource: memory."
            self.show(pod, "Failed", {"terminated": ended}, reason="Evicted", message=message)


def _plain(metadata: Doc) -> Doc:
    return {key: metadata[key] for key in ("labels", "annotations", "namespace") if key in metadata}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = Cluster()

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_PATCH = do_GET  # noqa: N815  # the base class looks for these names

    def answer(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(size)) if size else None
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/_"):
            self.send(200, self.control(parts.path, body))
            return
        self.cluster.requests.append(f"{self.command} {self.path}")
        if self.cluster.fault("down", self.path):
            self.close_connection = True
            return
        status = self.cluster.fault("status", f"{self.command} {self.path}")
        try:
            self.authorize(status)
            self.route(parts.path.split("/")[1:], query, body)
        except Refusal as refusal:
            self.send(refusal.code, refusal.status)

    def authorize(self, fault: Doc | None) -> None:
        if fault:
            raise Refusal(fault["code"], fault["reason"], fault["message"])
        allowed = TOKENS.get(self.headers.get("Authorization", ""))
        if allowed is None:
            raise Refusal(401, "Unauthorized", "Unauthorized")
        if allowed and self.command != "GET":
            message = f'jobs.batch is forbidden: User "reader" {allowed} "jobs" in API group "batch"'
            raise Refusal(403, "Forbidden", message)

    def route(self, parts: list[str], query: dict[str, str], body: Doc | None) -> None:
        cluster = self.cluster
        *_, namespace, kind = parts[: parts.index("jobs" if "jobs" in parts else "pods") + 1]
        rest = parts[parts.index(kind) + 1 :]
        if query.get("watch"):
            self.watch(kind, query)
        elif kind == "jobs" and self.command == "POST" and body:
            made = cluster.create(namespace, body)
            if cluster.fault("lost_answer", self.path):
                self.close_connection = True
                return
            self.send(201, made)
        elif kind == "jobs" and self.command == "PATCH" and body:
            self.send(200, cluster.patch(rest[0], body))
        elif kind == "jobs":
            self.send(200, cluster.job(rest[0]))
        elif not rest:
            name = query["labelSelector"].removeprefix("job-name=")
            with cluster.more:
                items = [p for p in cluster.pods.values() if p["metadata"]["labels"]["job-name"] == name]
                self.send(200, {"items": items, "metadata": {"resourceVersion": str(cluster.version)}})
        elif rest[0] not in cluster.pods:
            raise Refusal(404, "NotFound", f'pods "{rest[0]}" not found')
        elif rest[1:] == ["log"]:
            self.log(cluster.pods[rest[0]], query)
        else:
            self.send(200, cluster.pods[rest[0]])

    def watch(self, kind: str, query: dict[str, str]) -> None:
        cluster, version = self.cluster, int(query["resourceVersion"])
        if cluster.fault("gone", self.path):
            raise Refusal(410, "Expired", "too old resource version")
        self.begin()
        if cluster.fault("gone_event", self.path):
            status = Refusal(410, "Expired", "too old resource version").status
            self.part(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            self.part(b"")
            return
        if cluster.fault("drop_watch", self.path):
            self.drop()
            return
        name = (query.get("fieldSelector") or query.get("labelSelector", "")).partition("=")[2]
        end = time.monotonic() + int(query["timeoutSeconds"])
        while (left := end - time.monotonic()) > 0:
            with cluster.more:
                found = [
                    (at, event, doc)
                    for at, of, event, doc in cluster.events
                    if at > version
                    and of == kind
                    and name in (doc["metadata"]["name"], doc["metadata"].get("labels", {}).get("job-name"))
                ]
                if not found:
                    cluster.more.wait(min(left, 1.0))
            for at, event, doc in found:
                version = at
                self.part(json.dumps({"type": event, "object": doc}).encode() + b"\n")
        self.part(b"")

    def log(self, pod: Doc, query: dict[str, str]) -> None:
        cluster, name = self.cluster, pod["metadata"]["name"]
        if pod["status"]["phase"] == "Pending":
            raise Refusal(400, "BadRequest", f'container in pod "{name}" is waiting to start')
        lines, since, sent = cluster.output[name], query.get("sinceTime", ""), 0
        while sent < len(lines) and since and lines[sent][0][:19] < since[:19]:
            sent += 1
        self.begin()
        fault = cluster.fault("drop_logs", self.path)
        limit = sent + fault["after"] if fault else None
        while True:
            with cluster.more:
                ended = pod["status"]["phase"] != "Running" or name not in cluster.pods
                new = lines[sent : limit if limit is not None else sent + 500]
                if not new and not ended and limit != sent:
                    cluster.more.wait(0.05)
            if new:
                self.part(b"".join(moment.encode() + b" " + line + b"\n" for moment, line in new))
                sent += len(new)
            if limit is not None and sent >= limit:
                self.drop()
                return
            if ended and not new:
                self.part(b"")
                return

    def control(self, path: str, body: Any) -> object:
        cluster = self.cluster
        if path == "/_faults":
            cluster.faults = body
        elif path == "/_evict":
            cluster.evict(body)
        elif path == "/_delete":
            cluster.delete(body)
        elif path == "/_job":
            return cluster.jobs[body]
        elif path == "/_requests":
            found, cluster.requests = cluster.requests, []
            return found
        return {}

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def part(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def drop(self) -> None:
        """End in the middle of a part."""
        self.wfile.write(b"ff\r\n2026-01-01T00:00")
        self.close_connection = True

    def send(self, code: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request: Any, client_address: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
        with contextlib.suppress(OSError):
            super().finish_request(context.wrap_socket(request, server_side=True), client_address)


def main() -> None:
    global FOLDER
    FOLDER = Path(sys.argv[1])
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}, VERSION)
    server = Server(("127.0.0.1", 0), Handler)
    half = FOLDER / "port.part"
    half.write_text(str(server.server_port))
    half.rename(FOLDER / "port")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # it ends with whoever started it
    for process in Handler.cluster.processes.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
