"""What pages see of models: their description, read from YAML on the server."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest
from server_views import PROXY, UI, Json, listing, new_run, post, put, ticket

MLMODEL = """
artifact_path: model
run_id: abc
model_id: m-1
utc_time_created: '2024-01-02 03:04:05.678'
model_size_bytes: 10
flavors:
  python_function: {loader_module: mlcore.sklearn, python_version: 3.11.7, when: 2024-01-01}
  sklearn: {pickled_model: model.pkl, big: 123456789012345678901234567890}
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
saved_input_example_info: {artifact_path: input_example.json, type: ndarray}
metadata: {team: "<b>"}
"""


@pytest.fixture
def run_id(http: httpx.Client) -> str:
    return new_run(http)


class TestModels:
    def test_a_model_says_what_it_is(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "m/MLmodel", MLMODEL.encode())
        put(http, run_id, "m/requirements.txt", b"# for x\nnumpy==2\n\nscipy\n")
        put(http, run_id, "m/input_example.json", b"[1, 2]")
        put(http, run_id, "m/model.sig")

        answer = http.get(f"{UI}/models:describe", params={"run_id": run_id, "path": "m"})

        assert answer.json() == {
            "flavors": [
                {
                    "name": "python_function",
                    "config": {
                        "loader_module": "mlcore.sklearn",
                        "python_version": "3.11.7",
                        "when": "2024-01-01",
                    },
                },
                {"name": "sklearn", "config": {"pickled_model": "model.pkl", "big": "123456789012345678901234567890"}},
            ],
            "signature": {
                "inputs": [{"type": "double", "name": "x", "required": True}],
                "outputs": [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}],
                "params": None,
            },
            "requirements": ["numpy==2", "scipy"],
            "python_version": "3.11.7",
            "size_bytes": len(MLMODEL) + 24 + 6 + 1,
            "run_id": "abc",
            "model_id": "m-1",
            "created": "2024-01-02 03:04:05.678",
            "input_example": "[1, 2]",
            "metadata": {"team": "<b>"},
            "loader": "mlcore.sklearn",
            "files": 4,
            "manifest": False,
            "signed": True,
            "problems": [],
        }

    def test_files_are_compared_with_the_manifest(self, http: httpx.Client, run_id: str) -> None:
        told = {"MLmodel": {"size_bytes": 3}, "gone": {"size_bytes": 1}, "same": {"size_bytes": 1}}
        for name, content in {"MLmodel": b"flavors: {}", "same": b"x", "more": b"x"}.items():
            put(http, run_id, name, content)
        put(http, run_id, "mlcore_manifest.json", json.dumps({"version": 1, "files": told}).encode())

        found = http.get(f"{UI}/models:describe", params={"run_id": run_id}).json()

        assert (found["manifest"], found["problems"]) == (
            True,
            [
                "'gone' is listed in the manifest and missing",
                "'more' is not listed in the manifest",
                "'MLmodel' has 11 bytes, the manifest says 3",
            ],
        )

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"flavors: [", "not valid YAML"),
            (b"!!python/object/apply:os.system ['touch /tmp/x']", "could not determine a constructor"),
            (b"just text", "must hold a mapping"),
            (b"[" * 5000, "nested more than"),
            (b"\xff\xfe\x00", "not valid YAML"),
            (b"flavors: {a: 1}", "field `flavors.a`"),
            (b"x: " + b"y" * (2 << 20), "more than 1048576 bytes"),
        ],
        ids=["cut", "code", "text", "deep", "bytes", "types", "long"],
    )
    def test_a_broken_model_is_a_problem_and_no_failure(
        self, http: httpx.Client, run_id: str, content: bytes, problem: str
    ) -> None:
        put(http, run_id, "MLmodel", content)

        answer = http.get(f"{UI}/models:describe", params={"run_id": run_id})

        assert (answer.status_code, answer.json()["flavors"]) == (200, [])
        assert problem in answer.json()["problems"][0]

    def test_aliases_do_not_make_much_of_little(self, http: httpx.Client, run_id: str) -> None:
        text = "a: &a " + "x" * 100_000 + "\nflavors: {f: {v: [" + "*a, " * 20_000 + "]}}\n"
        put(http, run_id, "MLmodel", text.encode())

        answer = http.get(f"{UI}/models:describe", params={"run_id": run_id})

        assert (answer.status_code, len(answer.content) < 16 << 20) == (200, True)

    def test_an_input_example_elsewhere_is_not_read(self, http: httpx.Client, run_id: str) -> None:
        text = "flavors: {}\nsaved_input_example_info: {artifact_path: ../secret.txt}\n"
        put(http, run_id, "m/MLmodel", text.encode())
        put(http, run_id, "secret.txt", b"secret")

        answer = http.get(f"{UI}/models:describe", params={"run_id": run_id, "path": "m"})

        assert "lies outside of the model" in answer.json()["problems"][0]
        assert answer.json()["input_example"] is None

    def test_no_model_is_not_found(self, http: httpx.Client, run_id: str) -> None:
        answer = http.get(f"{UI}/models:describe", params={"run_id": run_id, "path": "m"})

        assert (answer.status_code, "no model at 'm'" in answer.text) == (404, True)

    def test_a_version_and_a_logged_model_are_described_too(self, http: httpx.Client, run_id: str) -> None:
        name = uuid4().hex
        put(http, run_id, "m/MLmodel", b"flavors: {one: {}}")
        post(http, "/api/2.0/mlflow/registered-models/create", name=name)
        source = f"runs:/{run_id}/m"
        post(http, "/api/2.0/mlflow/model-versions/create", name=name, source=source, run_id=run_id)
        made = post(http, "/api/2.0/mlflow/logged-models", experiment_id="0", name="m")["model"]["info"]
        at = made["artifact_uri"].partition(":/")[2]
        assert http.put(f"{PROXY}/{at}/MLmodel", content=b"flavors: {two: {}}").status_code == 200

        one = http.get(f"{UI}/models:describe", params={"name": name, "version": "1"}).json()
        two = http.get(f"{UI}/models:describe", params={"model_id": made["model_id"]}).json()

        assert [one["flavors"], two["flavors"]] == [[{"name": n, "config": {}}] for n in ("one", "two")]
        assert http.get(ticket(http, name=name, version="1") + "MLmodel").text == "flavors: {one: {}}"
        assert listing(http, model_id=made["model_id"])["files"][0]["path"] == "MLmodel"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"a: [1, 2.5, x]\nb: {c: null}\n", {"value": {"a": [1, 2.5, "x"], "b": {"c": None}}, "truncated": False}),
        (b"a: !!python/object/apply:os.system [id]\n", {"value": None, "truncated": False}),
        (b"a: &a [*a]\n", {"value": None, "truncated": False}),
        (b"a: [", {"value": None, "truncated": False}),
        (b"a: " + b"x" * (256 << 10), {"value": None, "truncated": False}),
    ],
    ids=["plain", "object", "recursive", "broken", "large"],
)
def test_yaml_is_read_as_plain_values_or_the_problem_is_told(
    http: httpx.Client, run_id: str, text: bytes, told: Json
) -> None:
    put(http, run_id, "x.yaml", text)

    found = http.get(f"{UI}/artifacts:data", params={"run_id": run_id, "path": "x.yaml"}).json()

    assert bool(found.pop("problem")) == (told["value"] is None)
    assert found == told


def test_yaml_that_makes_much_of_little_is_cut(http: httpx.Client, run_id: str) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    put(http, run_id, "bomb.yaml", bomb.encode())

    answer = http.get(f"{UI}/artifacts:data", params={"run_id": run_id, "path": "bomb.yaml"})

    assert answer.json()["truncated"] is True
    assert len(answer.content) < 1 << 20


def test_yaml_that_is_not_there_is_told(http: httpx.Client, run_id: str) -> None:
    assert http.get(f"{UI}/artifacts:data", params={"run_id": run_id, "path": "no.yaml"}).status_code == 404
