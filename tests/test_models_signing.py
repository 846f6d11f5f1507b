"""Manifests and signatures of models: what they say of each file, and what is refused at load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen
from sklearn.linear_model import LinearRegression

import mlcore
from mlcore.artifacts.upload import upload_tree
from mlcore.errors import (
    ChecksumError,
    InvalidParameterError,
    MissingDependencyError,
    SettingsError,
    UnverifiedModelError,
)
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.models import pyfunc
from mlcore.models.manifest import FILE, SIGNATURE_FILE, Difference, write_manifest
from mlcore.models.saving import save_model
from mlcore.models.signing import sign
from mlcore.models.verifying import verify
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import MemoryRepo
from mlcore.tracking.session import Session, using


@frozen
class Pair:
    private: Path
    public: Path


def make_pair(folder: Path, name: str, password: bytes | None = None) -> Pair:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    locked = s.BestAvailableEncryption(password) if password else s.NoEncryption()
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.pub")
    pair.private.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, locked))
    pair.public.write_bytes(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
    return pair


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"), "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"), "theirs")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_model(LinearRegression().fit(np.array([[0.0], [1.0]]), [1.0, 3.0]), tmp_path / "m")
    return tmp_path / "m"


def change(directory: Path) -> None:
    with (directory / "model.skops").open("ab") as file:
        file.write(b"\n")


def remove(directory: Path) -> None:
    (directory / "model.skops").unlink()


def add(directory: Path) -> None:
    (directory / "code").mkdir()
    (directory / "code" / "extra.py").write_text("VALUE = 1\n")


CHANGES = [
    (change, Difference("model.skops", "changed")),
    (remove, Difference("model.skops", "missing")),
    (add, Difference("code/extra.py", "extra")),
]


def test_a_saved_model_is_as_it_was_saved(model: Path) -> None:
    found = verify(model)

    assert (found.passed, found.differences, found.signature) == (True, (), "absent")


@pytest.mark.parametrize(("do", "expected"), CHANGES)
def test_each_file_that_differs_is_named(model: Path, do: Callable[[Path], None], expected: Difference) -> None:
    do(model)

    found = verify(model)

    assert (found.passed, found.differences) == (False, (expected,))


def test_a_model_without_a_manifest_does_not_pass(model: Path) -> None:
    (model / FILE).unlink()

    found = verify(model)

    assert not found.passed
    assert f"has no {FILE}" in str(found.manifest)


def test_a_signed_model_holds_for_its_key_and_for_no_other(model: Path, ours: Pair, theirs: Pair) -> None:
    assert sign(model, ours.private) == str(model / SIGNATURE_FILE)

    assert verify(model).signature == "unchecked"
    assert verify(model, public_key=ours.public).signature == "valid"
    other = verify(model, public_key=theirs.public)
    assert (other.passed, other.signature) == (False, "invalid")
    assert "Key mismatch" in str(other.reason)


def test_a_model_that_was_not_signed_does_not_pass_for_a_key(model: Path, ours: Pair) -> None:
    found = verify(model, public_key=ours.public)

    assert (found.passed, found.signature) == (False, "absent")
    assert f"expected the file {SIGNATURE_FILE}" in str(found.reason)


@pytest.mark.parametrize(("do", "expected"), CHANGES)
def test_a_new_manifest_does_not_hide_a_change_from_the_signature(
    model: Path, ours: Pair, do: Callable[[Path], None], expected: Difference
) -> None:
    sign(model, ours.private)
    do(model)
    write_manifest(model)

    found = verify(model, public_key=ours.public)

    assert (found.differences, found.signature) == ((), "invalid")
    assert expected.path in str(found.reason)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"mediaType": "x"}'])
def test_a_broken_signature_is_invalid(model: Path, ours: Pair, text: str) -> None:
    (model / SIGNATURE_FILE).write_text(text)

    assert verify(model, public_key=ours.public).signature == "invalid"


def test_a_forged_signature_is_invalid(model: Path, ours: Pair, theirs: Pair) -> None:
    sign(model, ours.private)
    real = json.loads((model / SIGNATURE_FILE).read_text())
    change(model)
    write_manifest(model)
    sign(model, theirs.private)
    forged = json.loads((model / SIGNATURE_FILE).read_text())
    forged["verificationMaterial"] = real["verificationMaterial"]
    (model / SIGNATURE_FILE).write_text(json.dumps(forged))

    assert verify(model, public_key=ours.public).signature == "invalid"


def test_a_changed_model_is_not_signed(model: Path, ours: Pair) -> None:
    change(model)

    with pytest.raises(ChecksumError, match=r"model\.skops"):
        sign(model, ours.private)
    assert not (model / SIGNATURE_FILE).exists()


def test_a_key_with_a_password_signs(model: Path, tmp_path: Path) -> None:
    word = "open sesame"
    pair = make_pair(tmp_path, "locked", word.encode())

    with pytest.raises(InvalidParameterError, match=r"locked\.pem' can't be used"):
        sign(model, pair.private)
    sign(model, pair.private, password=word)

    assert verify(model, public_key=pair.public).passed


@pytest.mark.parametrize("content", [None, b"no key"])
def test_a_key_that_cannot_be_used_is_named(model: Path, tmp_path: Path, content: bytes | None) -> None:
    key = tmp_path / "bad.pem"
    if content is not None:
        key.write_bytes(content)

    with pytest.raises(InvalidParameterError, match=r"bad\.pem.*openssl"):
        sign(model, key)


def test_the_librarys_own_program_verifies_our_signature_and_we_verify_its(model: Path, ours: Pair) -> None:
    def program(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    sign(model, ours.private)
    told = program("verify", "key", model, "--signature", model / SIGNATURE_FILE, "--public_key", ours.public)
    (model / SIGNATURE_FILE).unlink()
    program("sign", "key", model, "--signature", model / SIGNATURE_FILE, "--private_key", ours.private)

    assert "succeeded" in told.lower()
    assert verify(model, public_key=ours.public).passed


# what is loaded where a signature is demanded


@pytest.fixture
def demanding(ours: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_MODEL_PUBLIC_KEY", str(ours.public))


@pytest.mark.usefixtures("demanding")
def test_only_a_signed_model_is_loaded_where_signatures_are_demanded(model: Path, ours: Pair) -> None:
    for load in (pyfunc.load_model, mlcore.sklearn.load_model):
        with pytest.raises(UnverifiedModelError, match="has no signature"):
            load(model)

    sign(model, ours.private)

    assert pyfunc.load_model(model).predict(np.array([[2.0]])) == pytest.approx([5.0])
    assert mlcore.sklearn.load_model(model) is not None


@pytest.mark.usefixtures("demanding")
def test_a_changed_model_is_refused_also_with_a_fitting_manifest(model: Path, ours: Pair) -> None:
    sign(model, ours.private)
    add(model)
    write_manifest(model)

    with pytest.raises(UnverifiedModelError, match=r"code/extra\.py"):
        pyfunc.load_model(model)


@pytest.mark.usefixtures("demanding")
def test_a_logged_model_is_signed_where_it_is(ours: Pair) -> None:
    fitted = LinearRegression().fit(np.array([[0.0], [1.0]]), [1.0, 3.0])
    with mlcore.start_run():
        info = mlcore.log_model(fitted, name="m", registered_model_name="wine")

    with pytest.raises(UnverifiedModelError):
        pyfunc.load_model("models:/wine/1")
    sign("models:/wine/1", ours.private)

    assert pyfunc.load_model("models:/wine/1").predict(np.array([[2.0]])) == pytest.approx([5.0])
    assert pyfunc.load_model(info.model_uri).predict(np.array([[2.0]])) == pytest.approx([5.0])


def test_a_model_in_a_remote_place_is_signed_there(ours: Pair, model: Path) -> None:
    repo = MemoryRepo()
    upload_tree(repo, model)

    class Remote:
        @hookimpl
        def artifact_repo(self, uri: str) -> ArtifactRepo | None:
            return repo if uri.startswith("memory:") else None

    plugins = Plugins.discover()
    plugins.register(Remote())
    with using(Session(Settings.load({"model_public_key": str(ours.public)}), plugins)):
        with pytest.raises(UnverifiedModelError):
            pyfunc.load_model("memory://place/m")
        signed = sign("memory://place/m", ours.private)

        assert signed == f"memory://place/m/{SIGNATURE_FILE}"
        assert repo.stat(SIGNATURE_FILE) is not None
        assert pyfunc.load_model("memory://place/m").predict(np.array([[2.0]])) == pytest.approx([5.0])


def test_a_project_file_cannot_say_whose_signature_counts(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text("model_public_key = 'evil.pub'\n")

    with pytest.raises(SettingsError, match="MLCORE_MODEL_PUBLIC_KEY"):
        Settings.load(directory=tmp_path)


def test_a_demanded_key_that_is_not_there_refuses_every_model(model: Path) -> None:
    settings = Settings.load({"model_public_key": "nowhere.pub"})

    with using(Session(settings)), pytest.raises(InvalidParameterError, match=r"no public key file 'nowhere\.pub'"):
        pyfunc.load_model(model)


def test_without_the_library_the_error_names_the_pip_line(
    model: Path, ours: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model_signing.signing", None)

    with pytest.raises(MissingDependencyError, match=r"pip install 'mlcore-kernel\[sign\]'"):
        sign(model, ours.private)
