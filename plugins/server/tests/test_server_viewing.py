"""What pages see of files: listings, tickets and the files behind them."""

from __future__ import annotations

import base64
import json
import stat
import threading
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from attrs import evolve
from mlcore_server.config import ServerConfig
from mlcore_server.files.showing import own_space
from mlcore_server.files.tickets import KEY_FILE, BadTicketError, Pass, Tickets
from server_views import UI, listing, new_run, put, ticket

from mlcore.errors import StoreUnavailableError
from mlcore.testing.live_server import LiveServer


@pytest.fixture
def run_id(http: httpx.Client) -> str:
    return new_run(http)


class TestListings:
    def test_directories_come_first_and_then_by_name(self, http: httpx.Client, run_id: str) -> None:
        for path in ("b.txt", "a.csv", "z/one.png", "c/two"):
            put(http, run_id, path)

        found = listing(http, run_id=run_id)

        assert found == {
            "root": f"mlflow-artifacts:/0/{run_id}/artifacts",
            "files": [
                {"path": "c", "is_dir": True, "size_bytes": None, "mime": None},
                {"path": "z", "is_dir": True, "size_bytes": None, "mime": None},
                {"path": "a.csv", "is_dir": False, "size_bytes": 1, "mime": "text/csv"},
                {"path": "b.txt", "is_dir": False, "size_bytes": 1, "mime": "text/plain"},
            ],
            "next_page_token": "",
            "complete": True,
        }

    def test_everything_below_is_listed_on_request(self, http: httpx.Client, run_id: str) -> None:
        for path in ("b", "d/c", "d/e/f", "a/x"):
            put(http, run_id, path)

        found = listing(http, run_id=run_id, recursive=True)["files"]

        assert [one["path"] for one in found] == ["a", "a/x", "d", "d/e", "d/e/f", "d/c", "b"]

    def test_a_file_is_listed_alone(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "d/e.html", b"12")

        found = listing(http, run_id=run_id, path="d/e.html")["files"]

        assert found == [{"path": "d/e.html", "is_dir": False, "size_bytes": 2, "mime": "text/html"}]

    def test_what_is_missing_is_not_found(self, http: httpx.Client, run_id: str) -> None:
        answer = http.get(f"{UI}/artifacts:list", params={"run_id": run_id, "path": "x/y"})

        assert (answer.status_code, answer.json()["message"]) == (404, "No such artifact: 'x/y'")

    @pytest.mark.parametrize("recursive", [False, True])
    def test_long_directories_come_in_pages(
        self, http: httpx.Client, live_server: LiveServer, run_id: str, recursive: bool
    ) -> None:
        root = live_server.artifacts / "0" / run_id / "artifacts"
        for n in range(1100):
            folder = root / f"d{n % 7}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder if recursive else root).joinpath(f"{n:04}").touch()

        seen, token, pages = [], "", 0
        while pages == 0 or token:
            page = listing(http, run_id=run_id, recursive=recursive, page_token=token)
            seen += [one["path"] for one in page["files"]]
            token, pages = page["next_page_token"], pages + 1

        assert (pages, len(seen), len(set(seen))) == (2, 1107, 1107)

    def test_a_link_to_a_parent_does_not_make_a_listing_endless(
        self, http: httpx.Client, live_server: LiveServer, run_id: str
    ) -> None:
        put(http, run_id, "d/file")
        (live_server.artifacts / "0" / run_id / "artifacts" / "d" / "again").symlink_to("..")

        found = listing(http, run_id=run_id, recursive=True)

        assert (found["next_page_token"], len(found["files"]) < 200) == ("", True)

    @pytest.mark.parametrize("token", ["x", "é", "W10=", base64.b64encode(b"[" * 5000).decode()])
    def test_a_page_token_of_somebody_else_is_an_error(self, http: httpx.Client, run_id: str, token: str) -> None:
        answer = http.get(f"{UI}/artifacts:list", params={"run_id": run_id, "page_token": token})

        assert (answer.status_code, "invalid page_token" in answer.text) == (400, True)

    def test_a_request_is_about_one_place(self, http: httpx.Client, run_id: str) -> None:
        for asked in ({}, {"run_id": run_id, "name": "m", "version": "1"}, {"name": "m"}, {"version": "1"}):
            answer = http.get(f"{UI}/artifacts:list", params=asked)

            assert (answer.status_code, "expected one of run_id" in answer.text) == (400, True)


class TestFilesBehindTickets:
    def test_a_file_is_shown_in_a_sandbox(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "r/page.html", b"<p>hello</p>")
        url = ticket(http, run_id=run_id, path="r")

        answer = http.get(url + "page.html")

        assert (answer.status_code, answer.content) == (200, b"<p>hello</p>")
        own = f"{httpx.URL(str(http.base_url)).netloc.decode()}{url}"
        assert answer.headers["content-security-policy"] == (
            f"sandbox allow-scripts; default-src {own} data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'none'; "
            "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-disposition"] == 'inline; filename="page.html"'
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"

    @pytest.mark.parametrize("name", ["x.svg", "x.xhtml", "x.xml", "x.SVG", "x.js", "x.png", "x.unknown", "html"])
    def test_nothing_but_a_pdf_leaves_the_sandbox(self, http: httpx.Client, run_id: str, name: str) -> None:
        put(http, run_id, name)

        answer = http.get(ticket(http, run_id=run_id) + name)

        assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts; ")

    def test_a_pdf_is_shown_by_the_browsers_own_viewer(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "x.pdf", b"<script>alert(1)</script>")

        answer = http.get(ticket(http, run_id=run_id) + "x.pdf")

        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        )

    def test_parts_heads_and_versions_of_a_file_are_told(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "log.txt", b"0123456789")
        url = ticket(http, run_id=run_id) + "log.txt"

        part = http.get(url, headers={"range": "bytes=2-4"})
        head = http.head(url)
        known = http.get(url, headers={"if-none-match": head.headers["etag"]})
        beyond = http.get(url, headers={"range": "bytes=20-"})

        assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "10", b"")
        assert (known.status_code, known.content, beyond.status_code) == (304, b"", 416)

    def test_a_ticket_for_one_file_opens_that_file(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "a/b.txt", b"b")
        put(http, run_id, "a/b.txt.more", b"c")

        url = ticket(http, run_id=run_id, path="a/b.txt")

        assert http.get(url).text == "b"
        assert http.get(url + ".more").status_code == 404

    def test_a_ticket_opens_nothing_beside_its_prefix(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "a/b", b"b")
        put(http, run_id, "ab", b"secret")
        put(http, run_id, "c", b"secret")
        url = ticket(http, run_id=run_id, path="a")

        for path in (
            "c",
            "%2e%2e/c",
            "%2e%2e%2fc",
            "..%2fc",
            "/c",
            "%2Fc",
            "../c",
            "%252e%252e/c",
            "..%5cc",
            "b/../../c",
        ):
            answer = http.send(httpx.Request("GET", str(http.base_url) + url + path))

            assert (answer.status_code in (403, 404), "secret" in answer.text) == (True, False), path

    def test_the_name_of_a_file_adds_no_header(self, http: httpx.Client, live_server: LiveServer, run_id: str) -> None:
        root = live_server.artifacts / "0" / run_id / "artifacts"
        root.mkdir(parents=True)
        name = 'a"\r\nset-cookie: x=1\r\n\r\n.html'
        (root / name).write_text("x")

        answer = http.get(ticket(http, run_id=run_id) + quote(name))

        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert answer.headers["content-disposition"].startswith('inline; filename="a___set-cookie: x=1____.html"; ')

    def test_a_host_cannot_write_into_the_policy(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "x.html")
        url = ticket(http, run_id=run_id)

        odd = http.get(url + "x.html", headers={"host": "[::1]:80"})

        assert "default-src 'self' data:" in odd.headers["content-security-policy"]

    def test_behind_a_proxy_a_page_may_load_from_where_it_seems_to_be(self) -> None:
        config = ServerConfig(
            tracking_uri="",
            registry_uri="",
            artifacts_destination="",
            state_dir="",
            prefix="/ml x",
            allowed_origins=("https://ml.example.org/", "*", "https://a; script-src b"),
        )

        assert own_space({"host": "upstream:80"}, config, "T") == (
            "upstream:80/ml%20x/raw/T/ https://ml.example.org/ml%20x/raw/T/"
        )

    @pytest.mark.parametrize("change", ["cut", "signature", "payload", "none", "other", "dot"])
    def test_a_ticket_that_was_changed_opens_nothing(self, http: httpx.Client, run_id: str, change: str) -> None:
        put(http, run_id, "x", b"secret")
        payload, signature = ticket(http, run_id=run_id, path="d").split("/")[2].split(".")
        values = json.loads(base64.urlsafe_b64decode(payload + "=="))
        values[4] = ""
        widened = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
        made = {
            "cut": f"{payload}.{signature[:-1]}",
            "signature": f"{payload}.{'A' * 43}",
            "payload": f"{widened}.{signature}",
            "none": f"{widened}.",
            "other": f"{widened}.%C3%A9",
            "dot": "a.",
        }[change]

        answer = http.get(f"/raw/{made}/x")

        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")
        assert "not one of this server" in answer.text
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"

    def test_a_directory_is_no_file(self, http: httpx.Client, run_id: str) -> None:
        put(http, run_id, "a/b")
        url = ticket(http, run_id=run_id)

        assert [http.get(url + path).status_code for path in ("", "a", "a/", "nothing")] == [404] * 4

    def test_a_path_too_long_for_a_url_is_refused(self, http: httpx.Client, run_id: str) -> None:
        answer = http.post(f"{UI}/artifacts:ticket", json={"run_id": run_id, "path": "x" * 7000})

        assert (answer.status_code, "too long for a ticket" in answer.text) == (400, True)


class TestTickets:
    def test_what_was_put_in_comes_out(self, tmp_path: Path) -> None:
        opens = Pass(name="é/m", version="3", prefix="a b", user="ann", token_id="t", expires_ms=2**50)

        assert Tickets(str(tmp_path)).read(Tickets(str(tmp_path)).make(opens)) == opens

    def test_a_ticket_expires(self, tmp_path: Path) -> None:
        now = [1000.0]
        tickets = Tickets(str(tmp_path), lambda: now[0])
        made = tickets.make(Pass(run_id="r", expires_ms=tickets.expiry_ms()))

        now[0] += 3599
        assert tickets.read(made).run_id == "r"

        now[0] += 1
        with pytest.raises(BadTicketError, match="has expired"):
            tickets.read(made)

    def test_a_ticket_of_another_key_is_none(self, tmp_path: Path) -> None:
        made = Tickets(str(tmp_path / "a")).make(Pass(run_id="r", expires_ms=2**50))

        with pytest.raises(BadTicketError, match="not one of this server"):
            Tickets(str(tmp_path / "b")).read(made)

    def test_the_key_is_for_the_server_alone(self, tmp_path: Path) -> None:
        Tickets(str(tmp_path / "new")).make(Pass())

        key = tmp_path / "new" / KEY_FILE
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert len(key.read_bytes()) == 32
        assert [*key.parent.iterdir()] == [key]

    def test_workers_that_start_together_have_one_key(self, tmp_path: Path) -> None:
        together = threading.Barrier(8)
        made: list[str] = []

        def work() -> None:
            tickets = Tickets(str(tmp_path))
            together.wait()
            made.append(tickets.make(Pass(run_id="r", expires_ms=2**50)))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert (len(made), len(set(made))) == (8, 1)

    @pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
    def test_a_key_that_is_none_is_told_of(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / KEY_FILE).write_bytes(content)
        (tmp_path / KEY_FILE).chmod(0o600)

        with pytest.raises(StoreUnavailableError, match="is not a key of 32 bytes"):
            Tickets(str(tmp_path)).make(Pass())

    def test_a_key_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        Tickets(str(tmp_path)).make(Pass())
        (tmp_path / KEY_FILE).chmod(0o640)

        with pytest.raises(StoreUnavailableError, match="others may read"):
            Tickets(str(tmp_path)).make(Pass())

    def test_no_two_contents_have_one_ticket(self, tmp_path: Path) -> None:
        tickets = Tickets(str(tmp_path))
        first = Pass(run_id="a", model_id="", prefix="b")

        assert tickets.make(first) != tickets.make(evolve(first, run_id="", model_id="a"))
