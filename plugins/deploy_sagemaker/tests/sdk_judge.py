"""Let the SageMaker SDK's local mode serve a model and transform a file; runs in the SDK's own environment.

Reads a JSON object from standard input (`container`, a definition as CreateModel takes it; `requests`, pairs of content
type and body; `input` and `output`, folders; `port`) and writes one to the file that is its argument.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import boto3
from sagemaker.local import LocalSession


def main() -> None:
    given = json.load(sys.stdin)
    session = LocalSession(boto3.Session(region_name="eu-west-1"), disable_local_code=True)
    session.config = {"local": {"serving_port": given["port"]}}
    client = session.sagemaker_client
    client.create_model(ModelName="sums", PrimaryContainer=given["container"])
    told = {**serve(session, given), **transform(client, given)}
    Path(sys.argv[1]).write_text(json.dumps(told), "utf-8")


def serve(session: LocalSession, given: dict) -> dict:
    client, runtime = session.sagemaker_client, session.sagemaker_runtime_client
    variant = {"VariantName": "main", "ModelName": "sums", "InitialInstanceCount": 1, "InstanceType": "local"}
    client.create_endpoint_config("sums", [variant])
    client.create_endpoint("sums", "sums")
    try:
        status = client.describe_endpoint(EndpointName="sums")["EndpointStatus"]
        with urllib.request.urlopen(f"http://127.0.0.1:{given['port']}/ping", timeout=10) as pinged:
            ping = pinged.status
        answers = [
            runtime.invoke_endpoint(Body=body, EndpointName="sums", ContentType=kind, Accept="application/json")["Body"]
            .read()
            .decode()
            for kind, body in given["requests"]
        ]
    finally:
        client.delete_endpoint(EndpointName="sums")
    return {"status": status, "ping": ping, "answers": answers}


def transform(client: object, given: dict) -> dict:
    client.create_transform_job("sums", "sums", **given["transform"])
    return {"job": client.describe_transform_job("sums")["TransformJobStatus"]}


if __name__ == "__main__":
    main()
