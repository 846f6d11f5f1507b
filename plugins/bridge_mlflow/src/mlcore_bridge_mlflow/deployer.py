"""A deployment target of MLflow behind our contract."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Protocol, cast

from mlcore.errors import InvalidParameterError, MissingDependencyError, NotFoundError, PluginError, UnsupportedError
from mlcore.interfaces import Deployment
from mlcore.plugin_index import PluginEntry
from mlcore.wire.plain import dumps
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import fitting, load, quiet

Config = Mapping[str, object]
JSON = "application/json"


class TheirClient(Protocol):
    """What is called of MLflow's BaseDeploymentClient."""

    create_deployment: Callable[..., object]
    update_deployment: Callable[..., object]
    delete_deployment: Callable[..., object]
    list_deployments: Callable[[], object]
    get_deployment: Callable[[str], object]
    predict: Callable[[str, object], object]
    explain: Callable[[str, object], object]


def open_deployer(entry: PluginEntry, target_uri: str) -> BridgedDeployer:
    """Open the target. Raises PluginError: the plugin is no module with one client and the two functions."""
    module = load(entry)
    base = import_module("mlflow.deployments").BaseDeploymentClient
    clients: list[Callable[[str], object]] = [
        found for _, found in inspect.getmembers(module, inspect.isclass) if issubclass(found, base) and found != base
    ]
    missing = [name for name in ("run_local", "target_help") if not callable(getattr(module, name, None))]
    if len(clients) != 1 or missing:
        names = ", ".join(str(found) for found in clients) or "none"
        raise PluginError(
            f"{entry} is no deployment plugin: expected one subclass of BaseDeploymentClient, got {names}; "
            f"missing functions: {', '.join(missing) or 'none'}"
        )
    with Guard(entry, "opening the target"), quiet():
        client = clients[0](target_uri)
    explains = getattr(type(client), "explain", None) is not getattr(base, "explain", None)
    return BridgedDeployer(cast(TheirClient, client), module, entry, explains=explains)


class BridgedDeployer:
    """Deployments through a client that was written for MLflow."""

    def __init__(self, theirs: TheirClient, module: object, entry: PluginEntry, *, explains: bool) -> None:
        """Deploy with *theirs*, from the *module* of the plugin of *entry*.

        explains: whether the client has an explanation of its own; MLflow's base class has one that only fails.
        """
        self._explains = explains
        self._theirs = theirs
        self._module = module
        self._entry = entry

    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        """Deploy a model; what happens when the name is in use is the plugin's affair."""
        with Guard(self._entry, "create_deployment"):
            found = self._theirs.create_deployment(name, model_uri, flavor=flavor, config=dict(config))
        return _deployment(found, name, model_uri, flavor)

    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Config) -> Deployment:
        """Replace model or configuration."""
        with Guard(self._entry, "update_deployment"):
            found = self._theirs.update_deployment(name, model_uri=model_uri, flavor=flavor, config=dict(config))
        return _deployment(found, name, model_uri, flavor)

    def delete(self, name: str, config: Config) -> None:
        """Remove a deployment; nothing happens when it is not there, if the plugin says so."""
        delete = self._theirs.delete_deployment
        try:
            with Guard(self._entry, "delete_deployment"):
                delete(name, **(fitting(delete, {"config": dict(config)}) if config else {}))
        except NotFoundError:
            return

    def list(self) -> tuple[Deployment, ...]:
        """Return all deployments at the target, by name."""
        with Guard(self._entry, "list_deployments"):
            found = cast("list[object]", self._theirs.list_deployments() or [])
            return tuple(sorted((_listed(each) for each in found), key=lambda each: each.name))

    def get(self, name: str) -> Deployment:
        """Return one deployment. Raises NotFoundError: no such deployment."""
        with Guard(self._entry, "get_deployment"):
            return _deployment(self._theirs.get_deployment(name), name)

    def predict(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a scoring request as the data frame that MLflow's clients take."""
        data = _inputs(body, content_type)
        with Guard(self._entry, "predict"):
            return _answer(self._theirs.predict(name, data)), JSON

    def explain(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Ask for an explanation as for a prediction. Raises UnsupportedError: the plugin has none."""
        if not self._explains:
            raise UnsupportedError(f"{self._entry} does not support explanations")
        data = _inputs(body, content_type)
        with Guard(self._entry, "explain"):
            return _answer(self._theirs.explain(name, data)), JSON

    def run_local(self, name: str, model_uri: str, flavor: str | None, config: Config) -> None:
        """Serve a model on this machine, as the plugin does it."""
        serve: Callable[..., object] = self._module.run_local  # type: ignore[attr-defined]  # looked for when opened
        with Guard(self._entry, "run_local"):
            serve(name, model_uri, flavor=flavor, config=dict(config))


def _deployment(found: object, name: str, model_uri: str | None = None, flavor: str | None = None) -> Deployment:
    """MLflow's clients return dicts of which only the name is agreed upon; none tells a state."""
    detail = {str(key): _plain(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
    told = {key: detail.pop(key, None) for key in ("name", "flavor", "model_uri")}
    return Deployment(
        name=str(told["name"] or name),
        state="ready",
        model_uri=model_uri or (str(told["model_uri"]) if told["model_uri"] else None),
        flavor=flavor or (str(told["flavor"]) if told["flavor"] else None),
        detail=detail,
    )


def _listed(found: object) -> Deployment:
    """One of a listing: with a `name`, or the name as its only key."""
    if isinstance(found, Mapping) and "name" not in found and len(found) == 1:
        name, detail = next(iter(found.items()))
        return _deployment(detail, str(name))
    if isinstance(found, Mapping) and "name" in found:
        return _deployment(found, str(found["name"]))
    return _deployment({}, str(found))


def _plain(value: object) -> object:
    """Return *value* as plain JSON values; what is none becomes its text."""
    loaded: object = json.loads(json.dumps(value, default=str))
    return loaded


def _inputs(body: bytes, content_type: str) -> object:
    """Read a scoring request. Raises InvalidParameterError: it is none."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/csv":
        import io

        return _pandas("read_csv")(io.BytesIO(body))
    if kind != JSON:
        raise InvalidParameterError(f"cannot send content of type {content_type!r}: expected {JSON} or text/csv")
    try:
        found = json.loads(body)
    except ValueError as err:
        raise InvalidParameterError(f"the scoring request is no JSON: {body[:80]!r}") from err
    if not isinstance(found, dict):
        return found
    if "dataframe_split" in found:
        split = found["dataframe_split"]
        return _pandas("DataFrame")(split["data"], columns=split.get("columns"), index=split.get("index"))
    if "dataframe_records" in found:
        return _pandas("DataFrame")(found["dataframe_records"])
    return found.get("inputs", found.get("instances", found))


def _pandas(name: str) -> Callable[..., object]:
    try:
        found: Callable[..., object] = getattr(import_module("pandas"), name)
    except ImportError as err:
        raise MissingDependencyError("data frames for MLflow's clients need pandas: pip install pandas") from err
    return found


def _answer(found: object) -> bytes:
    """Return predictions as JSON with the key `predictions`; texts that are JSON pass."""
    if isinstance(found, (str, bytes)):
        text = found.encode() if isinstance(found, str) else found
        try:
            json.loads(text)
        except ValueError:
            return dumps({"predictions": text.decode("utf-8", "replace")}).encode()
        return text
    if isinstance(found, Mapping):
        return dumps(found if "predictions" in found else {"predictions": dict(found)}).encode()
    to_json = getattr(found, "to_json", None)
    if to_json is not None and hasattr(found, "columns"):
        return dumps({"predictions": json.loads(to_json(orient="records", date_format="iso"))}).encode()
    to_list = getattr(found, "tolist", None)
    return dumps({"predictions": to_list() if to_list is not None else found}).encode()
