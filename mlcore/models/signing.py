"""Signatures over all files of a model, by keys of elliptic curves. Made and checked by the library model-signing.

The signature is the file `model.sig` in the model's directory, a Sigstore bundle, as `model_signing sign key` writes it.
"""

from __future__ import annotations

import contextlib
import sys
from os import PathLike, fspath
from pathlib import Path
from types import ModuleType

from mlcore.errors import InvalidParameterError, MissingDependencyError, UnverifiedModelError
from mlcore.models.loading import directory_of
from mlcore.models.manifest import SIGNATURE_FILE, verify_manifest
from mlcore.models.places import fetch, part_of

_HINT = "pip install 'mlcore-kernel[sign]'"
_MAKE_KEY = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
_MAKE_PUBLIC = "openssl ec -in key.pem -pubout -out key.pub"


def sign(model_uri: str | PathLike[str], private_key: str | PathLike[str], *, password: str | None = None) -> str:
    """Sign all files of the model at *model_uri*, and put the signature beside them; return its path or URI.

    private_key: path of a PEM file with a key of an elliptic curve (P-256, P-384 or P-521).
    password: of the key file, if it has one.
    Raises ChecksumError: a file was changed after the model was saved; such a model is not signed.
    InvalidParameterError: the key cannot be used. MissingDependencyError: model-signing is not installed.
    """
    library = _library("signing")
    key = _key_file(private_key, "private", _MAKE_KEY)
    uri = fspath(model_uri)
    local = fetch(uri)
    try:
        directory = directory_of(local.path)
        verify_manifest(directory)
        path = directory / SIGNATURE_FILE
        try:
            config = library.Config().set_hashing_config(_hashing())
            # the library hands the password to what wants bytes
            config.use_elliptic_key_signer(private_key=key, password=password.encode() if password else None)
        except (ValueError, TypeError, AttributeError) as err:
            raise InvalidParameterError(_unusable(key, err, _MAKE_KEY)) from err
        try:
            config.sign(directory, path)
        except ValueError as err:  # such as symbolic links
            raise InvalidParameterError(f"the model at {uri!r} can't be signed: {err}") from err
        if local.temporary is None:
            return str(path)
        return _sent(uri, path)
    finally:
        local.discard()


def verify_signature(directory: Path, public_key: str | PathLike[str], where: str) -> None:
    """Check that *directory* is as the owner of *public_key* signed it.

    where: what the user asked for, for messages.
    Raises UnverifiedModelError: there is no signature, it is of another key, or a file was changed, added or removed.
    InvalidParameterError: the key cannot be used. MissingDependencyError: model-signing is not installed.
    """
    library = _library("verifying")
    key = _key_file(public_key, "public", _MAKE_PUBLIC)
    signature = directory / SIGNATURE_FILE
    if not signature.is_file():
        raise UnverifiedModelError(
            f"the model at {where!r} has no signature, and one of the key {str(key)!r} is demanded: expected the file "
            f"{SIGNATURE_FILE}; sign it with: mlcore models sign {where} --key KEY"
        )
    try:
        config = library.Config().set_hashing_config(_hashing())
        config.use_elliptic_key_verifier(public_key=key)
    except (ValueError, TypeError, AttributeError) as err:
        raise InvalidParameterError(_unusable(key, err, _MAKE_PUBLIC)) from err
    try:
        with contextlib.redirect_stdout(sys.stderr):  # it says there what it thinks of old signatures
            config.verify(directory, signature)
    except _refusals() as err:
        raise UnverifiedModelError(
            f"the signature {SIGNATURE_FILE} of the model at {where!r} does not hold for the key {str(key)!r}: "
            f"{_reason(err)}. Fetch the model again, or ask who signed it"
        ) from err


def _hashing() -> object:
    """What the library's own program takes by default: sha256 of each file, without the signature."""
    return _library("hashing").Config().set_ignored_paths(paths=[SIGNATURE_FILE])


def _refusals() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import InvalidSignature

    # the last are those of a signature file that is no Sigstore bundle
    return (ValueError, InvalidSignature, TypeError, LookupError, AttributeError)


def _reason(err: Exception) -> str:
    text = " ".join(str(err).split())
    return text or "it was made by another key, or changed"


def _unusable(key: Path, err: Exception, make: str) -> str:
    return f"the key file {str(key)!r} can't be used: {_reason(err)}; make one with: {make}"


def _key_file(given: str | PathLike[str], kind: str, make: str) -> Path:
    path = Path(given)
    if not path.is_file():
        raise InvalidParameterError(
            f"there is no {kind} key file {str(path)!r}: expected the path of a PEM file; make one with: {make}"
        )
    return path


def _sent(uri: str, path: Path) -> str:
    """Put the signature of a model that was fetched beside the files that it was fetched from."""
    from mlcore.artifacts.upload import upload_file
    from mlcore.tracking.locating import find
    from mlcore.tracking.session import current_session

    session = current_session()
    found = find(session, uri)
    upload_file(session.repo(found.root_uri), path, f"{found.path}/{SIGNATURE_FILE}".lstrip("/"))
    return part_of(uri, SIGNATURE_FILE)


def _library(name: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(f"model_signing.{name}")
    except ImportError as err:
        raise MissingDependencyError(f"signatures of models need the library model-signing: {_HINT}") from err
