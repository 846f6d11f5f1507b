"""Whether an object is the one that was read before."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import pytest

from mlcore.interfaces import SupportsFingerprint
from mlcore.plugins import Plugins
from mlcore.projects.inputs import placed
from mlcore.projects.parameters import Argument
from mlcore.projects.spec import ParameterType
from mlcore.settings import Settings
from mlcore.tracking.session import Session


def test_a_fingerprint_changes_with_the_content(moto, shared) -> None:
    repo = shared(moto)
    repo.write("a.csv", io.BytesIO(b"one"), 3)
    first = repo.fingerprint("a.csv")
    repo.write("a.csv", io.BytesIO(b"two"), 3)

    assert isinstance(repo, SupportsFingerprint)
    assert first is not None
    assert repo.fingerprint("a.csv") not in (first, None)


def test_what_is_not_there_has_no_fingerprint(moto, shared) -> None:
    assert shared(moto).fingerprint("missing.csv") is None


@pytest.mark.parametrize("key", ["data/a.csv", "data"], ids=["file", "directory"])
def test_an_input_of_projects_is_downloaded_and_found_again(
    moto, s3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", moto.endpoint)
    repo = s3.open_repo(moto)
    repo.write("data/a.csv", io.BytesIO(b"1,2\n"), 4)
    argument = Argument("data", f"{repo._uri}/{key}", ParameterType.PATH)
    session = Session(Settings.load(), Plugins.discover())
    found = [
        Path(
            placed((argument,), directory=tmp_path, storage=functools.partial(tmp_path.joinpath, run), session=session)[
                0
            ].value
        )
        for run in ("one", "two")
    ]
    session.close()
    repo.close()

    assert [each.name for each in found] == [key.rpartition("/")[2]] * 2
    assert [(each if each.is_file() else each / "a.csv").read_bytes() for each in found] == [b"1,2\n"] * 2
    assert len(list((tmp_path / "cache" / "downloads" / "files").iterdir())) == 1
