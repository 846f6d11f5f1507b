"""What can be set: endpoint, credentials, encryption, who pays; from the environment, under our or MLflow's names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import Factory, field, frozen

from mlcore.errors import SettingsError
from mlcore.uris import redacted

PREFIX = "MLCORE_S3_"
_MIN_PART_BYTES = 5 << 20  # the protocol's own bound


def _state_dir() -> Path:
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "mlcore" / "s3-uploads"


@frozen(kw_only=True)
class S3Settings:
    """How to reach a bucket. What is None is left to boto3: `AWS_*` variables, `~/.aws`, the machine's role.

    endpoint_url: another server than Amazon's.
    profile, region: of `~/.aws/config`.
    role_arn, role_session_name, external_id: a role to assume with the credentials found.
    addressing_style: `path`, `virtual`, or `auto`; None means path for other endpoints, else auto.
    ca_bundle: a file of certificates to trust. ignore_tls: trust any.
    unsigned: send no credentials, for public buckets.
    request_payer: `requester` where the caller pays.
    sse, sse_kms_key_id: encryption by the server: `AES256`, `aws:kms`, `aws:kms:dsse`.
    sse_customer_key: 32 bytes of our own key, never shown.
    extra_args: further parameters of uploads under boto3's names, such as `StorageClass`.
    expected_bucket_owner: refuse buckets of other accounts.
    connect_timeout_s, read_timeout_s, max_attempts: per request.
    sign_parts: send the parts of large files with a signed SHA-256 instead of a CRC-32, which old storages ignore.
    part_bytes: size of the parts that large files are sent in; parallel_parts: how many at once.
    parallel_files: how many small files at once.
    state_dir: where unfinished uploads are noted, so that they can be resumed.
    """

    endpoint_url: str | None = None
    profile: str | None = None
    region: str | None = None
    role_arn: str | None = None
    role_session_name: str = "mlcore"
    external_id: str | None = field(default=None, repr=False)
    addressing_style: str | None = None
    ca_bundle: str | None = None
    ignore_tls: bool = False
    unsigned: bool = False
    request_payer: str | None = None
    sse: str | None = None
    sse_kms_key_id: str | None = None
    sse_customer_key: bytes | None = field(default=None, repr=False)
    extra_args: Mapping[str, object] = field(factory=dict, repr=False)
    expected_bucket_owner: str | None = None
    connect_timeout_s: int = 10
    read_timeout_s: int = 60
    max_attempts: int = 5
    sign_parts: bool = False
    part_bytes: int = 8 << 20
    parallel_parts: int = 8
    parallel_files: int = 8
    state_dir: Path = Factory(_state_dir)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> S3Settings:
        """Read `MLCORE_S3_<NAME>`, then the variables that MLflow reads.

        Raises SettingsError: a value that cannot be used; the message names its variable.
        """
        found = os.environ if environ is None else environ
        values: dict[str, object] = {}
        for name, parse, others in _VARIABLES:
            for variable in (PREFIX + name.upper(), *others):
                if text := found.get(variable, "").strip():
                    values[name] = _parsed(variable, text, parse)
                    break
        style = found.get("MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", "").lower()
        if style == "unsigned":
            values.setdefault("unsigned", True)
        return cls(**values)  # type: ignore[arg-type]  # each value was made by the parser of its field


def _parsed(variable: str, text: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(text)
    except (ValueError, OSError) as err:
        secret = "KEY" in variable or "ARGS" in variable
        shown = "its value" if secret else repr(redacted(text))
        reason = f" ({err})" if not secret else ""
        expected = _EXPECTED.get(parse, "another value")
        raise SettingsError(f"{variable}: {shown} cannot be used: expected {expected}{reason}") from None


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError("unknown word")
    return known[text.lower()]


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError("too small")
    return int(text)


def _part_bytes(text: str) -> int:
    if int(text) < _MIN_PART_BYTES:
        raise ValueError("too small")
    return int(text)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("no scheme")
    return text.rstrip("/")


def _style(text: str) -> str:
    if text.lower() not in ("path", "virtual", "auto"):
        raise ValueError("unknown style")
    return text.lower()


def _file(text: str) -> str:
    if not Path(text).expanduser().is_file():
        raise ValueError("no such file")
    return str(Path(text).expanduser())


def _table(text: str) -> Mapping[str, object]:
    table = json.loads(text)
    if not isinstance(table, dict):
        raise ValueError("no object")  # noqa: TRY004  # a TypeError would not be told as a bad setting
    return table


def _customer_key(text: str) -> bytes:
    import base64

    key = base64.b64decode(text, validate=True)
    if len(key) != 32:
        raise ValueError("wrong length")
    return key


_EXPECTED: dict[Callable[[str], object], str] = {
    _flag: "true or false",
    _count: "a number from 1",
    _part_bytes: f"a number of bytes from {_MIN_PART_BYTES}",
    _url: "a URL such as https://s3.example.org",
    _style: "path, virtual or auto",
    _file: "the path of a file",
    _table: 'a JSON object such as {"StorageClass": "STANDARD_IA"}',
    _customer_key: "32 bytes in base64",
}

_VARIABLES: tuple[tuple[str, Callable[[str], object], tuple[str, ...]], ...] = (
    ("endpoint_url", _url, ("MLFLOW_S3_ENDPOINT_URL",)),
    ("profile", str, ()),
    ("region", str, ()),
    ("role_arn", str, ()),
    ("role_session_name", str, ()),
    ("external_id", str, ()),
    ("addressing_style", _style, ("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE",)),
    ("ca_bundle", _file, ()),
    ("ignore_tls", _flag, ("MLFLOW_S3_IGNORE_TLS",)),
    ("unsigned", _flag, ()),
    ("request_payer", str, ()),
    ("sse", str, ()),
    ("sse_kms_key_id", str, ()),
    ("sse_customer_key", _customer_key, ()),
    ("extra_args", _table, ("MLFLOW_S3_UPLOAD_EXTRA_ARGS",)),
    ("expected_bucket_owner", str, ("MLFLOW_S3_EXPECTED_BUCKET_OWNER",)),
    ("connect_timeout_s", _count, ()),
    ("read_timeout_s", _count, ()),
    ("max_attempts", _count, ()),
    ("sign_parts", _flag, ()),
    ("part_bytes", _part_bytes, ()),
    ("parallel_parts", _count, ()),
    ("parallel_files", _count, ()),
    ("state_dir", Path, ()),
)
