"""Load models: check their files, decide on trust, then let the flavor load. Every way of loading goes through here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path

from attrs import frozen

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.interfaces.flavor import Predictor
from mlcore.models.flavors import Chosen, native_flavor, predicting_flavor
from mlcore.models.manifest import verify_manifest
from mlcore.models.mlmodel import FILE, PYFUNC, MLModel
from mlcore.models.places import LocalModel, fetch
from mlcore.models.trust import is_trusted, require_trust
from mlcore.plugins import Plugins
from mlcore.uris import relative_path


@frozen
class Opened:
    """A model whose files are checked, before anything of it is loaded.

    where: what the user asked for, for messages. trusted: whether its code may run.
    """

    model: MLModel
    local: LocalModel
    where: str
    trusted: bool
    plugins: Plugins

    def predictor(self, model_config: Mapping[str, object] | None = None) -> Predictor:
        """Load the model behind `predict`.

        model_config: values that override those saved with a Python model.
        Raises UntrustedModelError: that would run code and the model is not trusted.
        """
        chosen = predicting_flavor(self.model, self.local.path, self.plugins)
        pyfunc = dict(self.model.pyfunc)
        if model_config:
            saved = pyfunc.get("model_config")
            pyfunc["model_config"] = {**(saved if isinstance(saved, Mapping) else {}), **model_config}
        self._settle_trust(chosen, pyfunc.get("code"))
        return chosen.flavor.predictor(self.local.path, chosen.config, pyfunc)

    def native(self, flavor: str) -> object:
        """Load the library's own object. Raises UntrustedModelError: as `predictor`."""
        chosen = native_flavor(self.model, self.local.path, flavor, self.plugins)
        self._settle_trust(chosen, chosen.config.get("code"))
        return chosen.flavor.load(self.local.path, chosen.config)

    def require_trust(self) -> None:
        """Decide as `predictor` does, and load nothing. Raises UntrustedModelError: as `predictor`."""
        chosen = predicting_flavor(self.model, self.local.path, self.plugins)
        self._require_trust(chosen, self.model.pyfunc.get("code"))

    def _require_trust(self, chosen: Chosen, code: object) -> None:
        reason = chosen.flavor.code_in(self.local.path, chosen.config)
        if code is not None:
            reason = f"the directory {code!r} is put on sys.path" + (f"; {reason}" if reason else "")
        require_trust(reason, self.where, trusted=self.trusted)

    def _settle_trust(self, chosen: Chosen, code: object) -> None:
        self._require_trust(chosen, code)
        if code is not None:
            _put_on_path(self.local.path, code)


def open_model(
    model_uri: str | PathLike[str],
    *,
    trust: bool = False,
    dst_path: str | PathLike[str] | None = None,
    plugins: Plugins | None = None,
    trusted_places: Iterable[str] | None = None,
    public_key: str | PathLike[str] | None = None,
) -> Opened:
    """Fetch a model, check its files and read its `MLmodel`; nothing of the model is loaded yet.

    trusted_places: URI prefixes of models whose code may run; the setting `trust_models` when not given.
    public_key: of whom a valid signature is demanded; the setting `model_public_key` when not given.
    Raises ModelFormatError, ArtifactNotFoundError: there is none. ChecksumError: a file was changed.
    UnverifiedModelError: there is no valid signature, and one is demanded.
    """
    if not isinstance(model_uri, (str, PathLike)):
        raise InvalidParameterError(
            f"invalid model URI {model_uri!r}: expected a path or a URI such as 'runs:/<run id>/model'"
        )
    uri = fspath(model_uri)
    local = fetch(uri, dst_path)
    try:
        model = MLModel.read(local.path)
        directory = directory_of(local.path)
        verify_manifest(directory)
        _verify_signature(directory, public_key, uri)
    except BaseException:
        local.discard()
        raise
    trusted = trust or is_trusted(uri, _trusted_places() if trusted_places is None else trusted_places)
    return Opened(model, LocalModel(directory, local.temporary), uri, trusted, plugins or current_plugins())


def directory_of(path: Path) -> Path:
    """Return the directory of a model that is named by it, or by its file `MLmodel`."""
    return path if path.is_dir() else path.parent


def _verify_signature(directory: Path, public_key: str | PathLike[str] | None, where: str) -> None:
    key = public_key if public_key is not None else _demanded_key()
    if key is not None:
        from mlcore.models.signing import verify_signature  # its library costs a second; few demand signatures

        verify_signature(directory, key, where)


def _put_on_path(directory: Path, code: object) -> None:
    if not isinstance(code, str):
        raise ModelFormatError(f"field `flavors.{PYFUNC}.code` of {directory / FILE} must be a string, got {code!r}")
    path = str((directory / relative_path(code)).resolve())
    if path not in sys.path:
        sys.path.insert(0, path)
        importlib.invalidate_caches()


def _trusted_places() -> Iterable[str]:
    from mlcore.tracking.session import current_session

    return current_session().settings.trust_models


def _demanded_key() -> str | None:
    from mlcore.tracking.session import current_session

    return current_session().settings.model_public_key


def current_plugins() -> Plugins:
    """Return the plugins of the process's session."""
    from mlcore.tracking.session import current_session

    return current_session().plugins
