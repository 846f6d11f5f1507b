"""Save models into directories and log them to runs; flavors write their own files, everything else is written here."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from types import TracebackType

import attrs
from attrs import frozen

from mlcore import __version__
from mlcore.errors import AlreadyExistsError, InvalidParameterError
from mlcore.interfaces.flavor import Flavor, SavedModel, SupportsExample
from mlcore.models.enforce import compile_signature
from mlcore.models.environment import CONDA_FILE, PYTHON_ENV_FILE, Environment, capture, from_conda
from mlcore.models.example import InputExample, save_example
from mlcore.models.flavors import flavor_for, flavor_named
from mlcore.models.infer import infer_schema, infer_signature
from mlcore.models.info import ModelInfo
from mlcore.models.manifest import write_manifest
from mlcore.models.mlmodel import PYFUNC, MLModel, new_model
from mlcore.models.python_flavor import PythonFlavor
from mlcore.models.python_model import predicted_by
from mlcore.models.resources import Resources, described
from mlcore.models.schema import ModelSignature
from mlcore.models.type_hints import UNKNOWN_OUTPUTS, as_rows, hints_of, signature_of
from mlcore.plugins import Plugins
from mlcore.registry.names import check_model_name
from mlcore.tracking import tags
from mlcore.tracking.run_handle import RunHandle
from mlcore.uris import file_uri, local_path, relative_path
from mlcore.wire import limits

CODE_DIR = "code"


@frozen(kw_only=True)
class SaveOptions:
    """What is saved with a model besides the model itself.

    signature: False for none; None lets the input example tell, if there is one.
    input_example: data, or a tuple of data and params.
    pip_requirements: lines, or a file's path, that replace what is found out; `extra_...` are added to it.
    conda_env: a conda environment that replaces both. code_paths: files and directories that loading needs.
    resources: what the model asks while it serves; see `mlcore.models.resources`.
    """

    signature: ModelSignature | bool | None = None
    input_example: object = None
    pip_requirements: Sequence[str] | str | None = None
    extra_pip_requirements: Sequence[str] | str | None = None
    conda_env: Mapping[str, object] | str | None = None
    code_paths: Sequence[str | PathLike[str]] | None = None
    metadata: Mapping[str, object] | None = None
    resources: Resources = None

    def __attrs_post_init__(self) -> None:
        """Refuse what would make a model that nobody can load, or would be dropped without a word."""
        if not isinstance(self.signature, (ModelSignature, bool, type(None))):
            raise InvalidParameterError(
                f"signature must be a ModelSignature, such as infer_signature(data) returns, or False; got {self.signature!r}"
            )
        if not isinstance(self.metadata, (Mapping, type(None))):
            raise InvalidParameterError(f"metadata must be a mapping of names to plain values, got {self.metadata!r}")


def save_model(
    model: object,
    path: str | PathLike[str],
    *,
    flavor: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: object = None,
    pip_requirements: Sequence[str] | str | None = None,
    extra_pip_requirements: Sequence[str] | str | None = None,
    conda_env: Mapping[str, object] | str | None = None,
    code_paths: Sequence[str | PathLike[str]] | None = None,
    metadata: Mapping[str, object] | None = None,
    resources: Resources = None,
    prove: bool = False,
    plugins: Plugins | None = None,
    **options: object,
) -> ModelInfo:
    """Save *model* into the directory *path*, which appears whole or not at all.

    flavor: by name; found out from the model when not given. options: the flavor's own.
    prove: load the model in a new environment with its recorded requirements only, and predict its input example there,
    before anything appears; see `mlcore.models.prove`.
    Other arguments: see `SaveOptions`.
    Raises AlreadyExistsError: *path* is there and not empty. InvalidParameterError: no flavor saves the model.
    ProofError: the model does not work with its requirements; names what is missing.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExistsError(f"{str(path)!r} is there already: save to a new directory, or remove it first")
    wanted = SaveOptions(
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        conda_env=conda_env,
        code_paths=code_paths,
        metadata=metadata,
        resources=resources,
    )
    found = _plugins(plugins)
    with _staging(target) as staged:
        saved = write_model(model, staged, _flavor(model, flavor, found), wanted, options, found)
        saved.write(staged)
        write_manifest(staged)
        _prove(staged, found, wanted=prove)
        if target.exists():
            target.rmdir()
        staged.rename(target)
    return ModelInfo.of(file_uri(target), saved)


def log_model(
    model: object,
    artifact_path: str | None = None,
    *,
    name: str | None = None,
    run_id: str | None = None,
    flavor: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: object = None,
    pip_requirements: Sequence[str] | str | None = None,
    extra_pip_requirements: Sequence[str] | str | None = None,
    conda_env: Mapping[str, object] | str | None = None,
    code_paths: Sequence[str | PathLike[str]] | None = None,
    metadata: Mapping[str, object] | None = None,
    resources: Resources = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    prove: bool = False,
    plugins: Plugins | None = None,
    **options: object,
) -> ModelInfo:
    """Log *model* to a run (the active one, started if there is none), below *artifact_path* or *name*: `model`.

    run_id: log to this run instead.
    registered_model_name: make the model a new version of this registered model, created if it is not there.
    await_registration_for: see `register_model`. prove: before anything is logged. Other arguments: as `save_model`.
    Returns what was logged; its `model_uri` is `runs:/<run id>/<path>`.
    """
    if artifact_path is not None and name is not None and artifact_path != name:
        raise InvalidParameterError(f"log_model takes either artifact_path or name, got {artifact_path!r} and {name!r}")
    if registered_model_name is not None:
        check_model_name(registered_model_name)  # before the work
    place = relative_path(artifact_path or name or "model")
    wanted = SaveOptions(
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        conda_env=conda_env,
        code_paths=code_paths,
        metadata=metadata,
        resources=resources,
    )
    found = _plugins(plugins)
    chosen = _flavor(model, flavor, found)
    run = _run(run_id)
    with tempfile.TemporaryDirectory(prefix="mlcore-model-") as folder:
        staged = Path(folder)
        saved = write_model(model, staged, chosen, wanted, options, found)
        saved = attrs.evolve(saved, run_id=run.run_id, artifact_path=place)
        saved.write(staged)
        write_manifest(staged)
        _prove(staged, found, wanted=prove)
        run.log_artifacts(staged, place)
    _note_model(run, saved)
    model_uri = f"runs:/{run.run_id}/{place}"
    version = None
    if registered_model_name is not None:
        from mlcore.tracking.fluent_registry import register_model

        version = register_model(model_uri, registered_model_name, await_registration_for).version
    return ModelInfo.of(model_uri, saved, registered_version=version)


def write_model(
    model: object,
    directory: Path,
    flavor: Flavor,
    wanted: SaveOptions,
    options: Mapping[str, object],
    plugins: Plugins,
) -> MLModel:
    """Write all files of a model but `MLmodel` and the manifest into *directory*; return what `MLmodel` is to say."""
    example = None if wanted.input_example is None else InputExample.of(wanted.input_example)
    if isinstance(flavor, SupportsExample):
        saved = flavor.save_by_example(model, directory, options, None if example is None else example.data)
    else:
        saved = flavor.save(model, directory, options)
    code = _copy_code(wanted.code_paths, directory)
    pyfunc = {
        **saved.pyfunc,
        "python_version": platform.python_version(),
        "env": {"conda": CONDA_FILE, "virtualenv": PYTHON_ENV_FILE},
        **({"code": code} if code else {}),
    }
    sections: dict[str, Mapping[str, object]] = {PYFUNC: pyfunc}
    if flavor.name != PYFUNC:
        sections[flavor.name] = {**saved.config, "code": code}
    info = None if example is None else save_example(example, directory)
    hinted = _hinted(wanted.signature, model, flavor)
    signature = _signature(wanted.signature, example, flavor, directory, saved, hinted)
    _environment(saved, flavor, wanted, signature, plugins).write(directory)
    return attrs.evolve(
        new_model(sections, __version__),
        signature=signature,
        saved_input_example_info=info,
        metadata=wanted.metadata,
        other=_others(wanted, hinted),
        model_size_bytes=sum(p.stat().st_size for p in directory.rglob("*") if p.is_file()),
    )


def _prove(staged: Path, plugins: Plugins, *, wanted: bool) -> None:
    if wanted:
        from mlcore.models.proving import prove_directory  # few ask for it

        prove_directory(staged, plugins)


def _flavor(model: object, name: str | None, plugins: Plugins) -> Flavor:
    if name is None:
        return flavor_for(model, plugins)
    flavor = flavor_named(name, plugins)
    if not flavor.can_save(model):
        raise InvalidParameterError(
            f"flavor {name!r} does not save an object of type {type(model).__module__}.{type(model).__qualname__}; "
            "leave the flavor out to have it found, or wrap the object in a mlcore.pyfunc.PythonModel"
        )
    return flavor


def _plugins(plugins: Plugins | None) -> Plugins:
    from mlcore.tracking.session import current_session

    return plugins or current_session().plugins


def _run(run_id: str | None) -> RunHandle:
    from mlcore.tracking import fluent

    if run_id is not None:
        return RunHandle(run_id)
    return fluent.active_run() or fluent.start_run()


def _environment(
    saved: SavedModel, flavor: Flavor, wanted: SaveOptions, signature: ModelSignature | None, plugins: Plugins
) -> Environment:
    if wanted.conda_env is not None:
        return from_conda(wanted.conda_env)
    entry = plugins.entry("flavor", flavor.name)
    needed = [*saved.requirements, *([entry.dist] if entry else [])]
    schema = signature.inputs if signature else None
    if schema is not None and len(schema):
        needed.append("numpy" if schema.is_tensor_spec() else "pandas")  # what checks the input
    return capture(
        needed, pip_requirements=wanted.pip_requirements, extra_pip_requirements=wanted.extra_pip_requirements
    )


def _others(wanted: SaveOptions, hinted: ModelSignature | None) -> dict[str, object]:
    """The keys of `MLmodel` that only some models have."""
    resources = described(wanted.resources)
    found: dict[str, object] = {} if resources is None else {"resources": resources}
    return found if hinted is None else {**found, "is_signature_from_type_hint": True}


def _hinted(given: ModelSignature | bool | None, model: object, flavor: Flavor) -> ModelSignature | None:
    """The signature that the type hints of a Python model say, unless one was given or is not wanted."""
    if given is not None or not isinstance(flavor, PythonFlavor):
        return None
    return signature_of(hints_of(predicted_by(model)))


def _signature(
    given: ModelSignature | bool | None,
    example: InputExample | None,
    flavor: Flavor,
    directory: Path,
    saved: SavedModel,
    hinted: ModelSignature | None,
) -> ModelSignature | None:
    """The signature that was given, or the one that type hints, example and the saved model's answer to it tell."""
    if isinstance(given, ModelSignature):
        return given
    if given is not None or example is None:
        return hinted
    known = infer_signature(example.data, params=example.params)
    if hinted is not None:
        known = attrs.evolve(known, inputs=hinted.inputs)
    checks = compile_signature(known)
    with _Noted("while the model that was just saved predicted its own input example"):
        config = saved.config if flavor.name != PYFUNC else saved.pyfunc
        predictor = flavor.predictor(directory, config, saved.pyfunc)
        data = checks.enforce(example.data)
        answer = predictor.predict(data if hinted is None else as_rows(data), checks.params(example.params))
    if hinted is not None and hinted.outputs != UNKNOWN_OUTPUTS:
        return attrs.evolve(known, outputs=hinted.outputs)
    # what comes bit by bit has no schema
    return attrs.evolve(known, outputs=None if answer is None or isinstance(answer, Iterator) else infer_schema(answer))


class _Noted:
    """Adds to whatever is raised inside what was being done."""

    def __init__(self, note: str) -> None:
        self._note = note

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self._note)


def _copy_code(paths: Sequence[str | PathLike[str]] | None, directory: Path) -> str | None:
    if not paths:
        return None
    root = directory / CODE_DIR
    root.mkdir()
    for path in paths:
        source = local_path(str(path)).resolve()
        if source.is_dir():
            shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".git"))
        elif source.is_file():
            shutil.copyfile(source, root / source.name)
        else:
            raise InvalidParameterError(f"code path {str(path)!r} is no file or directory of this machine")
    return CODE_DIR


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Yield a new directory beside *target*, to be renamed to it; removed when that does not happen."""
    staged = target.parent / f".mlcore-staging-{uuid.uuid4().hex}"
    try:
        staged.mkdir(parents=True)
    except OSError as err:
        raise InvalidParameterError(
            f"can't save a model to {str(target)!r}: {err.strerror}: {err.filename!r}; name a directory that can be made"
        ) from err
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _note_model(run: RunHandle, saved: MLModel) -> None:
    """Append the model to the tag that lists a run's models; the oldest go when the tag would grow too long."""
    known = run.as_known().data.tags.get(tags.LOG_MODEL_HISTORY, "[]")
    try:
        history = json.loads(known)
    except json.JSONDecodeError:
        history = []
    entry = {
        "run_id": saved.run_id,
        "artifact_path": saved.artifact_path,
        "utc_time_created": saved.utc_time_created,
        "model_uuid": saved.model_uuid,
        "flavors": saved.to_dict()["flavors"],
    }
    if len(json.dumps(entry)) > limits.TAG_VALUE_LENGTH // 2:
        entry["flavors"] = {name: {} for name in saved.flavors}
    entries = [*(history if isinstance(history, list) else []), entry]
    while len(entries) > 1 and len(json.dumps(entries)) > limits.TAG_VALUE_LENGTH:
        entries.pop(0)
    run.set_tag(tags.LOG_MODEL_HISTORY, json.dumps(entries))
