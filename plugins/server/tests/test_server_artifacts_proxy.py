"""The artifact proxy, over real connections."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from mlcore.testing.live_server import LiveServer, running_server

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
CONTENT = bytes(range(256)) * 5000  # more than one piece


@pytest.fixture
def folder() -> str:
    return uuid4().hex


def put(http: httpx.Client, path: str, content: bytes = CONTENT) -> None:
    assert http.put(f"{PROXY}/{path}", content=content).status_code == 200


def in_pieces(content: bytes, size: int = 70_000) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


class TestUploads:
    def test_what_was_put_is_got_back(self, http: httpx.Client, folder: str) -> None:
        answer = http.put(f"{PROXY}/{folder}/a/file.bin", content=CONTENT)

        assert (answer.status_code, answer.content) == (200, b"")
        assert http.get(f"{PROXY}/{folder}/a/file.bin").content == CONTENT

    def test_putting_again_replaces(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file", b"a longer old content")

        put(http, f"{folder}/file", b"new")

        assert http.get(f"{PROXY}/{folder}/file").content == b"new"

    @pytest.mark.parametrize(
        "content", [b"", b"x", CONTENT, CONTENT * 3], ids=["empty", "one byte", "a megabyte", "several"]
    )
    def test_a_body_in_chunks_needs_no_length(self, http: httpx.Client, folder: str, content: bytes) -> None:
        answer = http.put(f"{PROXY}/{folder}/file", content=in_pieces(content))

        assert answer.request.headers["transfer-encoding"] == "chunked"
        assert answer.status_code == 200
        assert http.get(f"{PROXY}/{folder}/file").content == content

    @pytest.mark.parametrize("path", ["dir/", "dir//", "%2F", ""])
    def test_a_directory_cannot_be_put(self, http: httpx.Client, folder: str, path: str) -> None:
        answer = http.put(f"{PROXY}/{folder if path.strip('/') else ''}{path}", content=b"x")

        assert answer.status_code == 400
        assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"

    def test_both_prefixes_lead_there(self, http: httpx.Client, folder: str) -> None:
        http.put(f"/ajax-api/2.0/mlflow-artifacts/artifacts/{folder}/file", content=b"x")

        assert http.get(f"{PROXY}/{folder}/file").content == b"x"

    @pytest.mark.parametrize(
        "name",
        ["with space.txt", "co:lon", "Grüße-日本語-🎉.txt", "hash#question?semi;colon", "plus+amp&=", "..."],
    )
    def test_names_come_back_as_they_were(self, http: httpx.Client, folder: str, name: str) -> None:
        put(http, f"{folder}/{quote(name)}", b"x")

        listed = http.get(PROXY, params={"path": folder}).json()

        assert [one["path"] for one in listed["files"]] == [name]


class TestDigests:
    def test_a_right_digest_is_confirmed(self, http: httpx.Client, folder: str) -> None:
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"

        answer = http.put(f"{PROXY}/{folder}/file", content=CONTENT, headers={"repr-digest": digest})

        assert (answer.status_code, answer.headers["repr-digest"]) == (200, digest)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_with_a_wrong_digest_nothing_is_stored(self, http: httpx.Client, folder: str, chunked: bool) -> None:
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(b'other').digest()).decode()}:"
        body = in_pieces(CONTENT) if chunked else CONTENT

        answer = http.put(f"{PROXY}/{folder}/file", content=body, headers={"repr-digest": digest})

        assert answer.status_code == 400
        assert "not what the header Repr-Digest says" in answer.json()["message"]
        assert http.get(f"{PROXY}/{folder}/file").status_code == 404

    @pytest.mark.parametrize("header", ["sha-256=:AAAA:", "sha-256=abc", "sha-256=:???:"])
    def test_a_digest_that_is_none_is_refused(self, http: httpx.Client, folder: str, header: str) -> None:
        answer = http.put(f"{PROXY}/{folder}/file", content=b"x", headers={"repr-digest": header})

        assert answer.status_code == 400
        assert "expected 'sha-256=:<base64 of 32 bytes>:'" in answer.json()["message"]

    def test_another_algorithm_is_left_alone(self, http: httpx.Client, folder: str) -> None:
        answer = http.put(f"{PROXY}/{folder}/file", content=b"x", headers={"repr-digest": "md5=:AAAA:"})

        assert answer.status_code == 200


class TestDownloads:
    def test_a_range_is_a_part(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file")

        answer = http.get(f"{PROXY}/{folder}/file", headers={"range": "bytes=1000000-1100000"})

        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes 1000000-1100000/{len(CONTENT)}"
        assert answer.content == CONTENT[1000000:1100001]

    @pytest.mark.parametrize(
        ("asked", "start", "end"),
        [("bytes=0-0", 0, 1), ("bytes=-5", -5, None), ("bytes=1279990-", -10, None), ("bytes=5-99999999", 5, None)],
    )
    def test_ranges_may_be_open(self, http: httpx.Client, folder: str, asked: str, start: int, end: int | None) -> None:
        put(http, f"{folder}/file")

        answer = http.get(f"{PROXY}/{folder}/file", headers={"range": asked})

        assert (answer.status_code, answer.content) == (206, CONTENT[start:end])

    @pytest.mark.parametrize("asked", ["bytes=1280000-", "bytes=-0"])
    def test_a_range_behind_the_end_is_416(self, http: httpx.Client, folder: str, asked: str) -> None:
        put(http, f"{folder}/file")

        answer = http.get(f"{PROXY}/{folder}/file", headers={"range": asked})

        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"

    @pytest.mark.parametrize("asked", ["bytes=5-2", "lines=1-2", "bytes=0-1,5-6", "bytes=-", "bytes=a-b"])
    def test_a_range_that_cannot_be_read_is_the_whole(self, http: httpx.Client, folder: str, asked: str) -> None:
        put(http, f"{folder}/file", b"0123456789")

        answer = http.get(f"{PROXY}/{folder}/file", headers={"range": asked})

        assert (answer.status_code, answer.content) == (200, b"0123456789")

    def test_a_range_of_an_older_version_is_the_whole_new_one(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file", b"old content")
        old = http.head(f"{PROXY}/{folder}/file").headers["etag"]
        put(http, f"{folder}/file", b"new content!")

        answer = http.get(f"{PROXY}/{folder}/file", headers={"range": "bytes=4-", "if-range": old})

        assert (answer.status_code, answer.content) == (200, b"new content!")

    @pytest.mark.parametrize("header", ["etag", "last-modified"])
    def test_a_download_of_the_same_version_goes_on(self, http: httpx.Client, folder: str, header: str) -> None:
        put(http, f"{folder}/file", b"0123456789")
        known = http.head(f"{PROXY}/{folder}/file").headers[header]

        answer = http.get(f"{PROXY}/{folder}/file", headers={"range": "bytes=4-", "if-range": known})

        assert (answer.status_code, answer.content) == (206, b"456789")

    @pytest.mark.parametrize(("header", "asked"), [("etag", "if-none-match"), ("last-modified", "if-modified-since")])
    def test_what_the_client_has_is_not_sent_again(
        self, http: httpx.Client, folder: str, header: str, asked: str
    ) -> None:
        put(http, f"{folder}/file", b"0123456789")
        known = http.head(f"{PROXY}/{folder}/file").headers[header]

        answer = http.get(f"{PROXY}/{folder}/file", headers={asked: known})

        assert (answer.status_code, answer.content) == (304, b"")

    def test_head_tells_the_size_and_sends_nothing(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file")

        answer = http.head(f"{PROXY}/{folder}/file")

        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == str(len(CONTENT))
        assert answer.headers["accept-ranges"] == "bytes"

    def test_an_empty_file_is_sent(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file", b"")

        answer = http.get(f"{PROXY}/{folder}/file")

        assert (answer.status_code, answer.content) == (200, b"")

    def test_a_missing_file_is_told_as_json(self, http: httpx.Client, folder: str) -> None:
        answer = http.get(f"{PROXY}/{folder}/missing")

        assert answer.status_code == 404
        assert answer.json() == {
            "error_code": "RESOURCE_DOES_NOT_EXIST",
            "message": f"No such artifact: '{folder}/missing'",
        }

    def test_a_directory_is_no_file(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file")

        answer = http.get(f"{PROXY}/{folder}")

        assert answer.status_code == 400
        assert answer.json()["detail"] == f"Artifact path refers to a directory, not a file: '{folder}'"


class TestListings:
    def test_names_are_bare(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/a/file", b"12345")
        put(http, f"{folder}/a/b/c", b"1")

        answer = http.get(PROXY, params={"path": f"{folder}/a"})

        assert answer.json() == {
            "files": [{"path": "b", "is_dir": True}, {"path": "file", "is_dir": False, "file_size": 5}]
        }

    def test_a_file_and_a_missing_path_have_nothing_in_them(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file")

        answers = [http.get(PROXY, params={"path": f"{folder}/{name}"}).json() for name in ("file", "missing")]

        assert answers == [{}, {}]

    def test_the_root_is_listed_without_a_path(self, http: httpx.Client, folder: str) -> None:
        put(http, f"{folder}/file")

        assert folder in [one["path"] for one in http.get(PROXY).json()["files"]]


class TestDeletion:
    @pytest.mark.parametrize("path", ["a/file", "a", ""])
    def test_files_and_directories_are_removed(self, http: httpx.Client, folder: str, path: str) -> None:
        put(http, f"{folder}/a/file")

        answer = http.delete(f"{PROXY}/{folder}/{path}".rstrip("/"))

        assert (answer.status_code, answer.json()) == (200, {})
        assert http.get(f"{PROXY}/{folder}/a/file").status_code == 404

    def test_a_missing_path_is_fine(self, http: httpx.Client, folder: str) -> None:
        answer = http.delete(f"{PROXY}/{folder}/missing")

        assert (answer.status_code, answer.json()) == (200, {})

    @pytest.mark.parametrize("root", ["", "%2E", "%2E/", "%2F", "a/%2E%2E"])
    def test_the_root_of_everything_is_not_deleted(self, http: httpx.Client, folder: str, root: str) -> None:
        put(http, f"{folder}/file")

        answer = http.request("DELETE", f"{PROXY}/{root}")

        assert answer.status_code == 400
        assert http.get(f"{PROXY}/{folder}/file").status_code == 200


class TestParts:
    @pytest.mark.parametrize(
        ("call", "more"),
        [("create", {"num_parts": 2}), ("complete", {"upload_id": "u", "parts": []}), ("abort", {"upload_id": "u"})],
    )
    def test_where_the_storage_has_no_parts_the_client_is_told_in_mlflows_words(
        self, http: httpx.Client, folder: str, call: str, more: dict[str, object]
    ) -> None:
        answer = http.post(f"/api/2.0/mlflow-artifacts/mpu/{call}/{folder}", json={"path": "a.bin", **more})

        assert answer.status_code == 501
        assert answer.json() == {
            "error_code": "NOT_IMPLEMENTED",
            "message": "Multipart upload is not supported for the current artifact repository",
        }

    def test_a_storage_without_addresses_of_its_own_gives_none(self, http: httpx.Client, folder: str) -> None:
        answer = http.get(f"/api/2.0/mlflow-artifacts/presigned/{folder}/file")

        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")


def test_a_server_that_moves_no_artifacts_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("closed")

    with running_server(directory, "--no-serve-artifacts") as server, httpx.Client(base_url=server.url) as http:
        answers = [
            http.put(f"{PROXY}/a/b", content=b"x"),
            http.get(f"{PROXY}/a/b"),
            http.delete(f"{PROXY}/a/b"),
            http.get(PROXY, params={"path": "a"}),
        ]

    assert [one.status_code for one in answers] == [503] * 4
    assert all("--no-serve-artifacts" in one.text for one in answers)
    assert list(server.artifacts.iterdir()) == []


def test_the_server_keeps_its_files_to_itself(http: httpx.Client, live_server: LiveServer, folder: str) -> None:
    put(http, f"{folder}/a/file")

    modes = [oct(path.stat().st_mode & 0o777) for path in (live_server.artifacts / folder).rglob("*")]

    assert modes == ["0o700", "0o600"]
