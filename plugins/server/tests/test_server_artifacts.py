"""Artifacts of runs, logged models and model versions, and how files are sent so that no browser runs them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from mlcore_server.files.kinds import content_type, disposition

from mlcore.testing.live_server import running_server

API = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"

PAGE = b"<html><script>alert(1)</script></html>"


def post(http: httpx.Client, path: str, **fields: object) -> dict[str, Any]:
    answer = http.post(f"{API}/{path}", json=fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def run_id(http: httpx.Client) -> str:
    return str(post(http, "runs/create", experiment_id="0")["run"]["info"]["run_id"])


def upload(http: httpx.Client, run_id: str, path: str, content: bytes) -> httpx.Response:
    params = {"run_uuid": run_id, "path": path}
    return http.post(f"{AJAX}/upload-artifact", params=params, content=content)


def fetched(http: httpx.Client, run_id: str, path: str, **headers: str) -> httpx.Response:
    return http.get("/get-artifact", params={"run_id": run_id, "path": path}, headers=headers)


class TestOfRuns:
    def test_what_the_page_uploads_is_listed_and_sent(self, http: httpx.Client, run_id: str) -> None:
        answer = upload(http, run_id, "dir/notes.txt", b"hello")

        assert (answer.status_code, answer.content) == (200, b"")
        assert fetched(http, run_id, "dir/notes.txt").content == b"hello"
        assert http.get(f"{API}/artifacts/list", params={"run_id": run_id, "path": "dir"}).json() == {
            "root_uri": f"mlflow-artifacts:/0/{run_id}/artifacts",
            "files": [{"path": "dir/notes.txt", "is_dir": False, "file_size": 5}],
        }

    def test_what_came_through_the_proxy_is_the_runs(self, http: httpx.Client, run_id: str) -> None:
        http.put(f"{PROXY}/0/{run_id}/artifacts/a/b", content=b"x")

        assert fetched(http, run_id, "a/b").content == b"x"
        assert http.get(f"{API}/artifacts/list", params={"run_uuid": run_id}).json()["files"] == [
            {"path": "a", "is_dir": True}
        ]

    @pytest.mark.parametrize("path", ["missing", "dir/notes.txt"])
    def test_a_listing_of_no_directory_has_no_files(self, http: httpx.Client, run_id: str, path: str) -> None:
        upload(http, run_id, "dir/notes.txt", b"hello")

        answer = http.get(f"{API}/artifacts/list", params={"run_id": run_id, "path": path})

        assert answer.json() == {"root_uri": f"mlflow-artifacts:/0/{run_id}/artifacts"}

    def test_a_part_of_a_file_is_sent(self, http: httpx.Client, run_id: str) -> None:
        upload(http, run_id, "file", b"0123456789")

        answer = fetched(http, run_id, "file", range="bytes=2-4")

        assert (answer.status_code, answer.content) == (206, b"234")

    def test_missing_files_and_directories_are_told_apart(self, http: httpx.Client, run_id: str) -> None:
        upload(http, run_id, "dir/file", b"x")

        missing, directory = fetched(http, run_id, "missing"), fetched(http, run_id, "dir")

        assert (missing.status_code, missing.json()["message"]) == (404, "No such artifact: 'missing'")
        assert directory.status_code == 400
        assert directory.json()["message"] == "Artifact path refers to a directory, not a file: 'dir'"

    @pytest.mark.parametrize("path", ["artifacts/list", "artifacts/presigned-download-url"])
    def test_an_unknown_run_is_not_found(self, http: httpx.Client, path: str) -> None:
        fields = {"run_id": "0" * 32, "path": "x"}
        answer = (
            http.get(f"{API}/{path}", params=fields)
            if path.endswith("list")
            else http.post(f"{API}/{path}", json=fields)
        )

        assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    @pytest.mark.parametrize(
        ("path", "content", "why"),
        [
            ("file", b"", "Request must specify data."),
            ("file", bytes(10 * 2**20 + 1), "Artifact size is too large. Max size is 10MB."),
            ("", b"x", "Missing value for required parameter 'path'"),
            ("dir/", b"x", "expected the name of a file"),
            ("../x", b"x", "invalid artifact path '../x'"),
        ],
        ids=["no data", "too large", "no path", "a directory", "a way out"],
    )
    def test_uploads_that_are_none_are_refused(
        self, http: httpx.Client, run_id: str, path: str, content: bytes, why: str
    ) -> None:
        answer = upload(http, run_id, path, content)

        assert answer.status_code == 400
        assert why in answer.json()["message"]

    def test_ten_megabytes_are_not_too_large(self, http: httpx.Client, run_id: str) -> None:
        assert upload(http, run_id, "file", bytes(10 * 2**20)).status_code == 200

    def test_a_chunked_upload_that_grows_too_large_is_refused(self, http: httpx.Client, run_id: str) -> None:
        def pieces() -> Iterator[bytes]:
            for _ in range(12):
                yield bytes(2**20)

        answer = http.post(f"{AJAX}/upload-artifact", params={"run_uuid": run_id, "path": "f"}, content=pieces())

        assert (answer.status_code, answer.json()["message"]) == (400, "Artifact size is too large. Max size is 10MB.")
        assert fetched(http, run_id, "f").status_code == 404

    @pytest.mark.parametrize("kind", ["upload", "download"])
    def test_a_storage_without_addresses_of_its_own_gives_none(
        self, http: httpx.Client, run_id: str, kind: str
    ) -> None:
        answer = http.post(f"{API}/artifacts/presigned-{kind}-url", json={"run_id": run_id, "path": "file"})

        assert answer.status_code == 400
        assert answer.json()["message"].startswith(f"Presigned {kind} is not supported")

    def test_an_address_is_for_a_run_or_a_model(self, http: httpx.Client, run_id: str) -> None:
        fields = {"run_id": run_id, "model_id": "m-1", "path": "file"}
        answer = http.post(f"{API}/artifacts/presigned-upload-url", json=fields)

        assert answer.json()["message"] == "Exactly one of run_id and model_id must be provided."

    def test_a_place_that_the_server_may_not_read_is_not_read(self, http: httpx.Client) -> None:
        made = post(http, "experiments/create", name=uuid4().hex, artifact_location="s3://elsewhere/x")
        run = post(http, "runs/create", experiment_id=made["experiment_id"])["run"]["info"]

        answer = http.get(f"{API}/artifacts/list", params={"run_id": run["run_id"]})

        assert run["artifact_uri"].startswith("s3://elsewhere/x/")
        assert answer.status_code == 403
        assert "the server does not read artifacts from 's3://elsewhere/x/" in answer.json()["message"]


class TestOfModels:
    def test_files_of_a_logged_model_are_listed_and_sent(self, http: httpx.Client) -> None:
        info = post(http, "logged-models", experiment_id="0", name="m")["model"]["info"]
        http.put(
            f"{PROXY}{info['artifact_uri'].removeprefix('mlflow-artifacts:')}/data/MLmodel", content=b"flavors: {}"
        )

        listed = http.get(
            f"{API}/logged-models/{info['model_id']}/artifacts/directories", params={"artifact_directory_path": "data"}
        )
        sent = http.get(
            f"{AJAX}/logged-models/{info['model_id']}/artifacts/files", params={"artifact_file_path": "data/MLmodel"}
        )

        assert listed.json() == {
            "root_uri": info["artifact_uri"],
            "files": [{"path": "data/MLmodel", "is_dir": False, "file_size": 11}],
        }
        assert sent.content == b"flavors: {}"

    def test_files_of_a_model_version_are_sent(self, http: httpx.Client, run_id: str) -> None:
        upload(http, run_id, "model/MLmodel", b"flavors: {}")
        name = uuid4().hex
        post(http, "registered-models/create", name=name)
        post(http, "model-versions/create", name=name, source=f"runs:/{run_id}/model", run_id=run_id)

        sent = http.get("/model-versions/get-artifact", params={"name": name, "version": "1", "path": "MLmodel"})
        missing = http.get("/model-versions/get-artifact", params={"name": name, "version": "2", "path": "MLmodel"})

        assert (sent.status_code, sent.content) == (200, b"flavors: {}")
        assert missing.status_code == 404


class TestInBrowsers:
    """S-XSS: whatever is in a file, and whatever it is called, it is saved and never shown with scripts."""

    @pytest.mark.parametrize(
        "name",
        [
            *("page.html", "page.htm", "PAGE.HTML", "page.xhtml", "page.shtml", "drawing.svg", "feed.xml", "style.xsl"),
            *(
                "code.js",
                "code.mjs",
                "data.json",
                "conf.yaml",
                "MLmodel",
                "MLproject",
                "noending",
                "page.html.",
                "a.pdf",
            ),
            *("old.swf", "page.mhtml", "page.hta", "page.vtt", "page.html%00.png", ".html", "image.png"),
        ],
    )
    @pytest.mark.parametrize("way", ["proxy", "run"])
    def test_no_file_is_shown_as_a_page(self, http: httpx.Client, run_id: str, name: str, way: str) -> None:
        path = f"0/{run_id}/artifacts/{name.replace('%00', '')}"
        assert (
            http.put(f"{PROXY}/{quote(path)}", content=PAGE, headers={"content-type": "text/html"}).status_code == 200
        )

        answer = (
            http.get(f"{PROXY}/{quote(path)}") if way == "proxy" else fetched(http, run_id, path.rpartition("/")[2])
        )

        assert answer.content == PAGE
        kind = answer.headers["content-type"]
        assert kind in ("text/plain; charset=utf-8", "application/octet-stream", "application/pdf", "image/png")
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    @pytest.mark.parametrize("name", ["page.html", "drawing.svg", "conf.yaml", "data.json", "MLmodel", "run.log"])
    def test_texts_are_plain_text(self, name: str) -> None:
        assert content_type(f"dir/{name}") == "text/plain; charset=utf-8"

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("plain.txt", 'attachment; filename="plain.txt"'),
            ("dir/with space.txt", 'attachment; filename="with space.txt"'),
            ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
            (
                "a\r\nSet-Cookie: x",
                "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
            ),
            ("Grüße.txt", "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"),
            ("a;b%41.txt", "attachment; filename=\"a_b_41.txt\"; filename*=UTF-8''a%3Bb%2541.txt"),
        ],
    )
    def test_names_cannot_leave_their_header(self, name: str, expected: str) -> None:
        assert disposition(name) == expected

    def test_a_name_with_a_line_break_is_sent_under_it(self, http: httpx.Client, run_id: str) -> None:
        http.put(f"{PROXY}/0/{run_id}/artifacts/a%0D%0ASet-Cookie:%20x", content=b"x")

        answer = fetched(http, run_id, "a\r\nSet-Cookie: x")

        assert (answer.status_code, answer.content) == (200, b"x")
        assert "set-cookie" not in answer.headers

    def test_errors_are_not_shown_as_pages_either(self, http: httpx.Client, run_id: str) -> None:
        answer = fetched(http, run_id, "<script>alert(1)</script>")

        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"


def open_to_others(path: Path) -> bool:
    return bool(path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def test_without_a_umask_nobody_else_gets_at_the_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """S-MODES."""
    directory = tmp_path_factory.mktemp("modes")

    with (
        running_server(directory, before=["import os; os.umask(0)"]) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        run_id = post(http, "runs/create", experiment_id="0")["run"]["info"]["run_id"]
        http.put(f"{PROXY}/0/{run_id}/artifacts/a/b/file", content=b"x")
        http.put(f"{PROXY}/top", content=iter([bytes(2**20), bytes(2**20)]))
        upload(http, run_id, "c/d", b"x")
        files = list(server.artifacts.rglob("*"))
        own = [path for path in server.directory.rglob("*") if path not in (server.artifacts, server.log)]

        assert len(files) == 9
        assert [path for path in own if open_to_others(path)] == []
