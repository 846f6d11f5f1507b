"""A stand-in for the parts of AWS that a deployment uses: slow states and failures included, on a loopback port.

SageMaker, its runtime, S3, STS and automatic scaling behind one URL, for `AWS_ENDPOINT_URL`.
"""

# ruff: noqa: N802, N815  # methods have the names of the operations that they answer
from __future__ import annotations

import io
import json
import tarfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT = "123456789012"
READS = ("Describe", "List", "Get", "Head")


class Refused(Exception):  # noqa: N818  # an answer, not a fault of the stand-in
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class StandIn:
    """The state of the account; tests look at it and spoil it."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.targets: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.buckets: set[str] = {"models"}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.slow = 1  # looks at an endpoint until its state moves on
        self.forward: str | None = None  # URL of a container that answers invocations
        self.page = 100
        self._refusals: dict[str, list[Refused]] = {}
        self._spoiled: list[tuple[str, str]] = []
        self._lock = threading.RLock()

    def refuse(self, operation: str, code: str, message: str, status: int = 400, times: int = 1) -> None:
        """Let the next calls of an operation fail."""
        self._refusals.setdefault(operation, []).extend([Refused(code, message, status)] * times)

    def spoil(self, reason: str, end: str = "Failed") -> None:
        """Let the next endpoint that changes end badly: `Failed`, or `InService` with what was there before."""
        self._spoiled.append((end, reason))

    def changes(self) -> list[str]:
        """Return the operations so far that changed something."""
        return [name for name, _ in self.calls if not name.startswith((*READS, "Invoke"))]

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.calls.append((operation, arguments))
            self.refuse_if_told(operation)
            answer: dict[str, Any] = getattr(self, "_" + operation)(arguments)
            return answer

    def refuse_if_told(self, operation: str) -> None:
        if self._refusals.get(operation):
            raise self._refusals[operation].pop(0)

    # models and configurations

    def _CreateModel(self, a: dict[str, Any]) -> dict[str, Any]:
        return self._add("model", self.models, a["ModelName"], a)

    def _DescribeModel(self, a: dict[str, Any]) -> dict[str, Any]:
        return self._found("model", self.models, a["ModelName"])

    def _DeleteModel(self, a: dict[str, Any]) -> dict[str, Any]:
        self._found("model", self.models, a["ModelName"])
        del self.models[a["ModelName"]]
        return {}

    def _CreateEndpointConfig(self, a: dict[str, Any]) -> dict[str, Any]:
        for variant in a["ProductionVariants"]:
            self._found("model", self.models, variant["ModelName"])
        return self._add("endpoint configuration", self.configs, a["EndpointConfigName"], a)

    def _DescribeEndpointConfig(self, a: dict[str, Any]) -> dict[str, Any]:
        return self._found("endpoint configuration", self.configs, a["EndpointConfigName"])

    def _DeleteEndpointConfig(self, a: dict[str, Any]) -> dict[str, Any]:
        self._found("endpoint configuration", self.configs, a["EndpointConfigName"])
        del self.configs[a["EndpointConfigName"]]
        return {}

    def _ListEndpointConfigs(self, a: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in sorted(self.configs) if a.get("NameContains", "") in name]
        rows = [
            {"EndpointConfigName": name, "EndpointConfigArn": self.configs[name]["Arn"], "CreationTime": 1.7e9}
            for name in names
        ]
        return {"EndpointConfigs": rows}

    # endpoints

    def _CreateEndpoint(self, a: dict[str, Any]) -> dict[str, Any]:
        self._found("endpoint configuration", self.configs, a["EndpointConfigName"])
        self._add("endpoint", self.endpoints, a["EndpointName"], dict(a, EndpointStatus="Creating"))
        self._start(a["EndpointName"], a["EndpointConfigName"])
        return {"EndpointArn": self.endpoints[a["EndpointName"]]["Arn"]}

    def _UpdateEndpoint(self, a: dict[str, Any]) -> dict[str, Any]:
        found = self._found("endpoint", self.endpoints, a["EndpointName"])
        self._found("endpoint configuration", self.configs, a["EndpointConfigName"])
        if found["EndpointStatus"] in ("Creating", "Updating", "Deleting"):
            raise Refused("ValidationException", f"Cannot update in-progress endpoint {found['Arn']!r}.")
        found["EndpointStatus"] = "Updating"
        self._start(a["EndpointName"], a["EndpointConfigName"])
        return {"EndpointArn": found["Arn"]}

    def _start(self, name: str, config: str) -> None:
        end, reason = self._spoiled.pop(0) if self._spoiled else ("InService", "")
        self.endpoints[name]["next"] = (self.slow, end, reason, config)

    def _DeleteEndpoint(self, a: dict[str, Any]) -> dict[str, Any]:
        found = self._found("endpoint", self.endpoints, a["EndpointName"])
        if found["EndpointStatus"] in ("Creating", "Updating"):
            raise Refused("ValidationException", f"Cannot update in-progress endpoint {found['Arn']!r}.")
        if found["EndpointStatus"] != "Deleting":
            found["EndpointStatus"] = "Deleting"
            found["next"] = (self.slow, "gone", "", "")
        return {}

    def _DescribeEndpoint(self, a: dict[str, Any]) -> dict[str, Any]:
        found = self._found("endpoint", self.endpoints, a["EndpointName"])
        if "next" in found:
            left, end, reason, config = found["next"]
            if left > 0:
                found["next"] = (left - 1, end, reason, config)
            else:
                self._arrive(found, end, reason, config)
        shown = {key: value for key, value in found.items() if key not in ("next", "Tags", "Arn")}
        return {**shown, "EndpointArn": found["Arn"], "CreationTime": 1.7e9, "LastModifiedTime": 1.7e9}

    def _arrive(self, found: dict[str, Any], end: str, reason: str, config: str) -> None:
        del found["next"]
        if end == "gone":
            del self.endpoints[found["EndpointName"]]
            raise Refused("ValidationException", f'Could not find endpoint "{found["Arn"]}".')
        found["EndpointStatus"] = end
        if reason:
            found["FailureReason"] = reason
        else:
            found.pop("FailureReason", None)
            found["EndpointConfigName"] = config

    def _ListEndpoints(self, a: dict[str, Any]) -> dict[str, Any]:
        names = sorted(self.endpoints)
        start = int(a.get("NextToken", "0"))
        shown = names[start : start + self.page]
        rows = [
            {
                "EndpointName": name,
                "EndpointArn": self.endpoints[name]["Arn"],
                "EndpointStatus": self.endpoints[name]["EndpointStatus"],
                "CreationTime": 1.7e9,
                "LastModifiedTime": 1.7e9,
            }
            for name in shown
        ]
        more = start + self.page < len(names)
        return {"Endpoints": rows, **({"NextToken": str(start + self.page)} if more else {})}

    # batch transform

    def _CreateTransformJob(self, a: dict[str, Any]) -> dict[str, Any]:
        self._found("model", self.models, a["ModelName"])
        end, reason = self._spoiled.pop(0) if self._spoiled else ("Completed", "")
        job = dict(a, TransformJobStatus="InProgress", next=(self.slow, end, reason))
        return self._add("transform job", self.jobs, a["TransformJobName"], job, "ResourceInUse")

    def _DescribeTransformJob(self, a: dict[str, Any]) -> dict[str, Any]:
        found = self._found("transform job", self.jobs, a["TransformJobName"])
        left, end, reason = found["next"]
        found["next"] = (left - 1, end, reason)
        if left <= 0 and found["TransformJobStatus"] in ("InProgress", "Stopping"):
            found["TransformJobStatus"] = end
            if reason:
                found["FailureReason"] = reason
        shown = {key: value for key, value in found.items() if key not in ("next", "Tags", "Arn")}
        return {**shown, "TransformJobArn": found["Arn"], "CreationTime": 1.7e9}

    def _ListTransformJobs(self, a: dict[str, Any]) -> dict[str, Any]:
        names = sorted(self.jobs, reverse=True)  # the newest first, as far as anybody knows
        start = int(a.get("NextToken", "0"))
        shown = [self.jobs[name] for name in names[start : start + self.page]]
        rows = [
            {
                "TransformJobName": job["TransformJobName"],
                "TransformJobArn": job["Arn"],
                "TransformJobStatus": job["TransformJobStatus"],
                "CreationTime": 1.7e9,
            }
            for job in shown
        ]
        more = start + self.page < len(names)
        return {"TransformJobSummaries": rows, **({"NextToken": str(start + self.page)} if more else {})}

    def _StopTransformJob(self, a: dict[str, Any]) -> dict[str, Any]:
        found = self._found("transform job", self.jobs, a["TransformJobName"])
        if found["TransformJobStatus"] == "InProgress":
            found["TransformJobStatus"], found["next"] = "Stopping", (self.slow, "Stopped", "")
        return {}

    # automatic scaling

    def _RegisterScalableTarget(self, a: dict[str, Any]) -> dict[str, Any]:
        endpoint = a["ResourceId"].split("/")[1]
        if self.endpoints.get(endpoint, {}).get("EndpointStatus") != "InService":
            raise Refused("ValidationException", f"{a['ResourceId']} is not in service")
        self.targets[a["ResourceId"]] = a
        return {}

    def _DescribeScalableTargets(self, a: dict[str, Any]) -> dict[str, Any]:
        return {"ScalableTargets": [t for key, t in self.targets.items() if key in a.get("ResourceIds", [])]}

    def _PutScalingPolicy(self, a: dict[str, Any]) -> dict[str, Any]:
        self.policies[a["ResourceId"]] = a
        return {"PolicyARN": "arn:aws:autoscaling:::policy", "Alarms": []}

    def _DeregisterScalableTarget(self, a: dict[str, Any]) -> dict[str, Any]:
        if self.targets.pop(a["ResourceId"], None) is None:
            raise Refused("ObjectNotFoundException", "no such target")
        self.policies.pop(a["ResourceId"], None)
        return {}

    # the runtime

    def invoke(self, name: str, body: bytes, content_type: str, variant: str | None = None) -> tuple[bytes, str]:
        """Answer as the container of a variant would; of the first one when none is named."""
        found = self.endpoints.get(name)
        if found is None:
            raise Refused("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        config = self.configs[found["EndpointConfigName"]]
        if "AsyncInferenceConfig" in config:
            raise Refused("ValidationError", f"Endpoint {name} is asynchronous: use InvokeEndpointAsync.")
        return self.answer(config, body, content_type, variant)

    def answer(
        self, config: dict[str, Any], body: bytes, content_type: str, variant: str | None = None
    ) -> tuple[bytes, str]:
        if self.forward is not None:
            request = urllib.request.Request(self.forward, body, {"Content-Type": content_type})
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.read(), response.headers["content-type"]
        variants = {each["VariantName"]: each for each in config["ProductionVariants"]}
        if variant is not None and variant not in variants:
            raise Refused("ValidationError", f"Variant {variant} was not found for this request.")
        model = self.models[variants[variant or next(iter(variants))]["ModelName"]]
        bucket, _, key = model["PrimaryContainer"]["ModelDataUrl"].removeprefix("s3://").partition("/")
        with tarfile.open(fileobj=io.BytesIO(self.objects[bucket, key])) as tar:
            line = json.load(tar.extractfile("model.json") or io.BytesIO(b"{}"))
        values = [line["slope"] * x + line["intercept"] for x in json.loads(body)["inputs"]]
        return json.dumps({"predictions": values}).encode(), "application/json"

    def invoke_later(self, name: str, place: str) -> dict[str, str]:
        config = self.configs[self.endpoints[name]["EndpointConfigName"]]
        bucket, _, key = place.removeprefix("s3://").partition("/")
        body, _ = self.answer(config, self.objects[bucket, key], "application/json")
        out = config["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"].rstrip("/") + "/1.out"
        out_bucket, _, out_key = out.removeprefix("s3://").partition("/")
        threading.Timer(0.05, lambda: self.objects.__setitem__((out_bucket, out_key), body)).start()
        return {"output": out, "failure": out.replace(".out", ".error")}

    def _add(
        self, kind: str, into: dict[str, Any], name: str, value: dict[str, Any], code: str = "ValidationException"
    ) -> dict[str, Any]:
        if name in into:
            raise Refused(code, f'Cannot create already existing {kind} "{name}".')
        arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{kind.replace(' ', '-')}/{name.lower()}"
        into[name] = {**value, "Arn": arn}
        if kind == "model":
            into[name]["CreationTime"] = 1.7e9
        return {f"{''.join(word.title() for word in kind.split())}Arn".replace("Configuration", "Config"): arn}

    def _found(self, kind: str, among: dict[str, Any], name: str) -> dict[str, Any]:
        if name not in among:
            raise Refused("ValidationException", f'Could not find {kind} "{name}".')
        found: dict[str, Any] = among[name]
        return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body go in two writes: 40 ms for each answer otherwise
    standin: StandIn

    def log_message(self, *args: object) -> None:
        pass

    def _serve(self) -> None:
        body = self._body()
        path = unquote(urlsplit(self.path).path)
        target = self.headers.get("X-Amz-Target", "")
        try:
            if target:
                answer = self.standin.call(target.rpartition(".")[2], json.loads(body or b"{}"))
                self._send(200, json.dumps(answer, default=str).encode(), "application/x-amz-json-1.1")
            elif path.startswith("/endpoints/"):
                self._invoke(path.split("/"), body)
            elif path == "/" and self.command == "POST":
                self._sts(body)
            else:
                self._s3(path.lstrip("/"), body)
        except Refused as err:
            self._refuse(err, is_s3=not target and not path.startswith("/endpoints/"))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        out, rest = b"", data
        while True:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if size == 0:
                return out
            out, rest = out + rest[:size], rest[size + 2 :]

    def _invoke(self, parts: list[str], body: bytes) -> None:
        self.standin.calls.append(("InvokeEndpoint", dict(self.headers)))
        if parts[3] == "async-invocations":
            told = self.standin.invoke_later(parts[2], self.headers["X-Amzn-SageMaker-InputLocation"])
            headers = {
                "X-Amzn-SageMaker-OutputLocation": told["output"],
                "X-Amzn-SageMaker-FailureLocation": told["failure"],
            }
            self._send(202, b"{}", "application/json", headers)
            return
        answer, kind = self.standin.invoke(
            parts[2], body, self.headers.get("Content-Type", ""), self.headers.get("X-Amzn-SageMaker-Target-Variant")
        )
        self._send(200, answer, kind)

    def _sts(self, body: bytes) -> None:
        operation = parse_qs(body.decode())["Action"][0]
        self.standin.calls.append((operation, {}))
        self.standin.refuse_if_told(operation)
        text = (
            f'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
            f"<Arn>arn:aws:iam::{ACCOUNT}:user/me</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>"
            f"</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        self._send(200, text.encode(), "text/xml")

    def _s3(self, path: str, body: bytes) -> None:
        bucket, _, key = path.partition("/")
        names = {"GET": "Get", "PUT": "Put", "HEAD": "Head", "DELETE": "Delete"}
        operation = names[self.command] + ("Object" if key else "Bucket")
        self.standin.calls.append((operation, {"Bucket": bucket, "Key": key}))
        self.standin.refuse_if_told(operation)
        if operation == "PutBucket":
            self.standin.buckets.add(bucket)
        elif bucket not in self.standin.buckets:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        elif operation == "PutObject":
            self.standin.objects[bucket, key] = body
        elif operation == "DeleteObject":
            self.standin.objects.pop((bucket, key), None)
        elif key:
            if (bucket, key) not in self.standin.objects:
                raise Refused("NoSuchKey", "The specified key does not exist.", 404)
            self._send(200, self.standin.objects[bucket, key], "application/json")
            return
        self._send(200, b"", "application/xml")

    def _refuse(self, err: Refused, *, is_s3: bool) -> None:
        if is_s3:
            text = f"<Error><Code>{err.code}</Code><Message>{err.message}</Message></Error>"
            if self.path == "/":  # STS wraps it
                text = f"<ErrorResponse>{text}</ErrorResponse>"
            self._send(err.status, text.encode(), "application/xml")
            return
        told = json.dumps({"__type": err.code, "message": err.message}).encode()
        self._send(err.status, told, "application/x-amz-json-1.1", {"X-Amzn-ErrorType": err.code})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class StandInServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, standin: StandIn) -> None:
        self._handler = type("Bound", (Handler,), {"standin": standin})
        super().__init__(("127.0.0.1", 0), self._handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def renew(self) -> StandIn:
        """Start over with an empty account."""
        self._handler.standin = StandIn()  # type: ignore[attr-defined]  # made by type() above
        return self._handler.standin  # type: ignore[attr-defined,no-any-return]  # likewise

    def __enter__(self) -> StandInServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()


def until(done: Any, seconds: float = 30.0) -> None:
    """Wait until *done* returns something true."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
