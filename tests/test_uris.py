"""URIs: schemes, joining, local paths; and the one resolver of user-given paths against every known spelling."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlcore.errors import InvalidParameterError
from mlcore.uris import absolute, anchored, file_uri, join, local_path, proxied_url, redacted, relative_path, scheme


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite:///a.db", "sqlite"),
        ("postgresql+psycopg://u@h/db", "postgresql"),
        ("S3://bucket/x", "s3"),
        ("mlflow-artifacts:/x", "mlflow-artifacts"),
        ("runs:/abc/model", "runs"),
        ("/abs/path", "file"),
        ("rel/path", "file"),
        ("C:\\models", "file"),
        ("C:/models", "file"),
        ("", "file"),
        ("with space:x", "file"),
    ],
)
def test_the_scheme_tells_who_is_asked(uri: str, expected: str) -> None:
    assert scheme(uri) == expected


@pytest.mark.parametrize(
    ("uri", "parts", "expected"),
    [
        ("s3://b/x?endpoint=e", ("z",), "s3://b/x/z?endpoint=e"),
        ("s3://b", ("x", "y"), "s3://b/x/y"),
        ("file:///a", ("b c", "d#e?f%g"), "file:///a/b%20c/d%23e%3Ff%25g"),
        ("/a", ("b c", "d#e"), "/a/b c/d#e"),
        ("dbfs:/a", ("/b/",), "dbfs:/a/b"),
        ("hdfs:///a", ("b",), "hdfs:///a/b"),
        ("file:///a/", ("",), "file:///a/"),
    ],
)
def test_parts_are_joined_to_the_path(uri: str, parts: tuple[str, ...], expected: str) -> None:
    assert join(uri, *parts) == expected


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\x00"), min_size=1).filter(bool))
@example("100%25")
@example("a#b?c;d")
def test_what_is_joined_to_a_file_uri_is_found_again(name: str) -> None:
    assert local_path(join(file_uri("/root"), name)) == Path("/root") / name


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/a b", "/a b"),
        ("/a%20b", "/a%20b"),
        ("file:///a%20b", "/a b"),
        ("file://localhost/a", "/a"),
        ("FILE:///a", "/a"),
        ("file:/a", "/a"),
    ],
)
def test_a_local_uri_has_a_path(uri: str, expected: str) -> None:
    assert local_path(uri) == Path(expected)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://bucket/a", "URI 's3://bucket/a' is not a local path: expected a plain path or file:, got s3:"),
        ("file://server/share", "names the host 'server'; write file:///path"),
        ("file:///a#b", "has a query or fragment; percent-encode '[?]' and '#'"),
        ("file:///a?b", "has a query or fragment"),
    ],
)
def test_what_is_not_local_is_refused(uri: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        local_path(uri)


def test_relative_paths_are_made_absolute(tmp_path: Path) -> None:
    assert absolute("x y") == f"file://{quote(str(tmp_path))}/x%20y"
    assert absolute("s3://bucket/x/") == "s3://bucket/x"
    assert absolute("memory:///") in ("memory://", "memory:///", "memory:")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite:///mlcore.db", "sqlite:///{here}/mlcore.db"),
        ("sqlite+pysqlite:///a/b.db?mode=ro", "sqlite+pysqlite:///{here}/a/b.db?mode=ro"),
        ("mlruns", "file://{here}/mlruns"),
        ("sqlite:////var/mlcore.db", "sqlite:////var/mlcore.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///file:a.db?uri=true", "sqlite:///file:a.db?uri=true"),
        ("postgresql://me:secret@host/db", "postgresql://me:secret@host/db"),
        ("http://host:5000/prefix/", "http://host:5000/prefix/"),
    ],
)
def test_a_stores_uri_means_the_same_in_any_directory(uri: str, expected: str, tmp_path: Path) -> None:
    assert anchored(uri) == expected.format(here=tmp_path)


def test_passwords_are_not_shown() -> None:
    assert redacted("postgresql://me:secret@host:1/db") == "postgresql://me:***@host:1/db"
    assert redacted("sqlite:///a.db") == "sqlite:///a.db"
    assert redacted("http://ada:p@ss@[broken/x") == "http://ada:***@[broken/x"
    assert redacted("http://host/a:b@c") == "http://host/a:b@c"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://host/a.zip?token=abc&v=1#part", "https://host/a.zip?token=***&v=1#part"),
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Date=2026&X-Amz-Signature=abc&X-Amz-Security-Token=d%3D",
            "https://b.s3.amazonaws.com/k?X-Amz-Date=2026&X-Amz-Signature=***&X-Amz-Security-Token=***",
        ),
        (
            "https://a.blob.core.windows.net/c/k?sv=2024&sig=a%2Fb%3D",
            "https://a.blob.core.windows.net/c/k?sv=2024&sig=***",
        ),
        ("https://host/x?ACCESS_TOKEN=abc;api_key=d", "https://host/x?ACCESS_TOKEN=***;api_key=***"),
        ("postgresql://host/db?user=ada&password=abc", "postgresql://host/db?user=ada&password=***"),
        ("https://me:abc@host/x?token=abc", "https://me:***@host/x?token=***"),
        ("https://host/x?design=1&tokens=5&key=a.csv", "https://host/x?design=1&tokens=5&key=a.csv"),
        ("what?token=abc", "what?token=abc"),
    ],
)
def test_tokens_and_signatures_of_a_query_are_not_shown(uri: str, expected: str) -> None:
    assert redacted(uri) == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://ghp_abc@github.com/a/b.git", "https://***@github.com/a/b.git"),
        ("https://ghp_abc:@github.com/a/b.git", "https://***@github.com/a/b.git"),
        ("https://ghp_abc:x-oauth-basic@github.com/a/b.git", "https://***@github.com/a/b.git"),
        ("git+https://glpat-abc@host:8443/a?token=b", "git+https://***@host:8443/a?token=***"),
        ("HTTP://ada@example.org@host/x@y", "HTTP://***@host/x@y"),
        ("https://:abc@host/x", "https://:***@host/x"),
        ("https://git@host/a.git", "https://git@host/a.git"),
        ("ssh://git@host/a.git", "ssh://git@host/a.git"),
        ("postgresql://ada@host/db", "postgresql://ada@host/db"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://host?user=a@b", "https://host?user=a@b"),
    ],
)
def test_a_token_in_place_of_a_user_is_not_shown(uri: str, expected: str) -> None:
    assert redacted(uri) == expected


# user-given paths


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ""),
        (".", ""),
        ("a", "a"),
        ("a/b/c.txt", "a/b/c.txt"),
        ("a//b/./c/", "a/b/c"),
        ("with space/and+plus", "with space/and+plus"),
        ("Grüße/日本語/🎉.txt", "Grüße/日本語/🎉.txt"),
        ("...", "..."),
        ("a..b/..c/d..", "a..b/..c/d.."),
        (".hidden/..more", ".hidden/..more"),
        ("100%", "100%"),
        ("100%25.png", "100%25.png"),
        ("a#b?c;d=e&f", "a#b?c;d=e&f"),
        ("key:value", "key:value"),
        ("backup~", "backup~"),
        ("\uff5eメモ.txt", "\uff5eメモ.txt"),
        ("-rf", "-rf"),
        ("./", ""),
        (".//.", ""),
        ("$(reboot)`x`|y", "$(reboot)`x`|y"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_a_path_below_the_root_is_accepted_and_normalised(path: str, expected: str) -> None:
    assert relative_path(path) == expected


TRAVERSALS = [
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "a/../b",
    "./..",
    ".. ",
    " ../x",
    "a/ .. /b",
    "/",
    "/etc/passwd",
    "//host/share",
    "///x",
    "\\",
    "..\\x",
    "a\\..\\..\\x",
    "\\\\server\\share\\x",
    "\\\\?\\C:\\x",
    "C:",
    "C:\\x",
    "c:/x",
    "~",
    "~/x",
    "~root/x",
    "a\x00b",
    "\x00",
    "file:///etc/passwd",
    "file:/etc/passwd",
    "FILE:///etc/passwd",
    "FiLe:etc/passwd",
    "file://localhost/etc/passwd",
    "file://server/share",
    "http://host/x",
    "s3://bucket/x",
    "..;/x/..",
    "a/..#/../../b",
    "a/..?/../../b",
    "\u2025/x",
    "\u2024\u2024/x",
    "\uff0e\uff0e/x",
    "\uff0e\uff0e\uff0fx",
    "a\uff0f\uff0e\uff0e\uff0fx",
    "\uff0e\uff0e\uff3cx",
    "x/" * 3000 + "..",
]


@pytest.mark.parametrize("path", TRAVERSALS, ids=lambda p: ascii(p)[:40])
@pytest.mark.parametrize("times", [0, 1, 2, 3, 7])
def test_every_way_out_is_refused_however_often_it_is_encoded(path: str, times: int) -> None:
    spelled = path
    for _ in range(times):
        spelled = "".join(f"%{byte:02x}" for byte in spelled.encode()) if times < 3 else quote(spelled, safe="")

    with pytest.raises(
        InvalidParameterError, match=r"^invalid artifact path '.*': expected a path below the artifact root"
    ):
        relative_path(spelled)


def test_endless_encoding_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="percent-encoded more than 8 times"):
        relative_path("%" + "25" * 20 + "2e%2e/x")


def test_a_refused_path_is_shown_in_part_only() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        relative_path("../" * 10_000)

    assert len(str(caught.value)) < 400


PIECES = st.sampled_from(
    [*". .. / \\ % %2e %2E %2f %5c %25 %00 25 2e 2f ~ \x00 : C file a ; # ? é %c0%ae \u2025 \uff0e \uff0f".split(), " "]
)


@given(st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=40)))
def test_whatever_is_accepted_stays_below_the_root(path: str) -> None:
    try:
        found = relative_path(path)
    except InvalidParameterError:
        return

    spelled = found
    for _ in range(10):
        joined = posixpath.normpath(posixpath.join("/root", spelled.replace("\\", "/")))
        assert joined == "/root" or joined.startswith("/root/")
        spelled = unquote(spelled)
    assert "\x00" not in spelled
    assert not os.path.isabs(found)  # noqa: PTH117  # a text, not a place
    assert relative_path(found) == found


@pytest.mark.parametrize(
    ("uri", "tracking_uri", "url"),
    [
        ("mlflow-artifacts:/1/a b", "http://h:5000", "http://h:5000{}/1/a%20b"),
        ("mlflow-artifacts:/1/x/", "https://ada:geheim@h/team/", "https://h/team{}/1/x"),
        ("mlflow-artifacts:///1", "http://[::1]:5000", "http://[::1]:5000{}/1"),
        ("mlflow-artifacts://other:81/1/x", "https://h/team", "https://other:81{}/1/x"),
        ("mlflow-artifacts:/", "http://h", "http://h{}"),
    ],
)
def test_a_proxied_uri_becomes_the_url_at_its_proxy(uri: str, tracking_uri: str, url: str) -> None:
    assert proxied_url(uri, tracking_uri) == url.format("/api/2.0/mlflow-artifacts/artifacts")


def test_a_proxied_uri_needs_the_tracking_uri_of_a_server() -> None:
    with pytest.raises(InvalidParameterError, match=r"the tracking URI 'sqlite:///m\.db' is no server's"):
        proxied_url("mlflow-artifacts:/1", "sqlite:///m.db")
    with pytest.raises(InvalidParameterError, match="it names no host"):
        proxied_url("mlflow-artifacts://:80/1", "http://h")
