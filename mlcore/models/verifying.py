"""Say how far the files of a model are as they were saved and signed, file by file. Nothing of the model is loaded."""

from __future__ import annotations

from os import PathLike, fspath

from attrs import frozen

from mlcore.errors import ChecksumError, UnverifiedModelError
from mlcore.models.loading import directory_of
from mlcore.models.manifest import SIGNATURE_FILE, Difference, differences
from mlcore.models.mlmodel import MLModel
from mlcore.models.places import fetched

ABSENT, UNCHECKED, VALID, INVALID = "absent", "unchecked", "valid", "invalid"


@frozen
class Verification:
    """What is known of a model's files.

    differences: files that are not as the manifest says. manifest: what is wrong with the manifest as a whole, None
    when it can be read.
    signature: `absent`; `unchecked` when there is one and no key was given; `valid` or `invalid` for the key.
    reason: what is wrong with the signature; None when nothing is.
    """

    model_uri: str
    differences: tuple[Difference, ...]
    manifest: str | None = None
    signature: str = ABSENT
    reason: str | None = None

    @property
    def passed(self) -> bool:
        """Whether all files are as they were saved and, when a key was given, as its owner signed them."""
        return not self.differences and self.manifest is None and self.reason is None


def verify(model_uri: str | PathLike[str], *, public_key: str | PathLike[str] | None = None) -> Verification:
    """Compare the files of the model at *model_uri* with its manifest, and check its signature.

    public_key: path of the PEM file of who has to have signed it; without, signatures are not checked.
    Raises ModelFormatError, ArtifactNotFoundError: there is no model. InvalidParameterError: the key cannot be used.
    MissingDependencyError: a signature is to be checked, and model-signing is not installed.
    """
    uri = fspath(model_uri)
    broken: str | None = None
    found: tuple[Difference, ...] = ()
    with fetched(uri) as path:
        directory = directory_of(path)
        MLModel.read(path)
        try:
            found = differences(directory)
        except ChecksumError as err:
            broken = err.message
        signed = (directory / SIGNATURE_FILE).is_file()
        if public_key is None:
            return Verification(uri, found, broken, UNCHECKED if signed else ABSENT)
        from mlcore.models.signing import verify_signature  # its library costs a second

        try:
            verify_signature(directory, public_key, uri)
        except UnverifiedModelError as err:
            return Verification(uri, found, broken, INVALID if signed else ABSENT, err.message)
    return Verification(uri, found, broken, VALID)
