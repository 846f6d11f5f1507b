"""The deployments in one endpoint: its production variants, which share its requests by their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from mlcore.errors import AlreadyExistsError, InvalidParameterError, MlcoreError, NotFoundError
from mlcore.interfaces import Deployer, Deployment, PlannedCall, SupportsPlan
from mlcore.interfaces.deployer import PlannedAction
from mlcore_deploy_sagemaker.archive import packed
from mlcore_deploy_sagemaker.calls import Caller, Clients, shown
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.place import find_place
from mlcore_deploy_sagemaker.resources import Wanted, check_name, told_model
from mlcore_deploy_sagemaker.steps import describe_config, describe_model
from mlcore_deploy_sagemaker.updating import Before, Update, kept_options, look
from mlcore_deploy_sagemaker.waiting import STATES, Clock, find_endpoint

Config = Mapping[str, object]


class WholeEndpoints(Deployer, SupportsPlan, Protocol):
    """What makes and removes endpoints as a whole."""


class VariantDeployer:
    """Deployments that are variants of one endpoint; the first makes it, and with the last it goes."""

    def __init__(self, whole: WholeEndpoints, clients: Clients, clock: Clock, endpoint: str) -> None:
        """Work in *endpoint*, which *whole* makes when it is not there."""
        self._whole = whole
        self._clients = clients
        self._clock = clock
        self._endpoint = check_name(endpoint)

    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        """Add a variant, which gets no requests unless `variant_weight` is given; the first one gets them all.

        Raises AlreadyExistsError: the endpoint has such a variant with another model or config.
        """
        call = self._caller(name)
        with _named(call, name):
            self._create(call, name, model_uri, flavor, config)
        return self.get(name)

    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Config) -> Deployment:
        """Replace model or configuration of a variant; the others stay as they are.

        Raises NotFoundError: the endpoint has no such variant.
        """
        call = self._caller(name)
        with _named(call, name):
            self._update(call, name, model_uri, flavor, config)
        return self.get(name)

    def delete(self, name: str, config: Config) -> None:
        """Remove a variant, and with the last one the endpoint; nothing happens when it is not there."""
        call = self._caller(name)
        with _named(call, name):
            self._delete(call, name, config)

    def list(self) -> tuple[Deployment, ...]:
        """Return the variants of the endpoint, by name; none when there is no endpoint."""
        call = Caller(self._clients, f"endpoint {self._endpoint!r}")
        found = find_endpoint(call, self._endpoint)
        config = describe_config(call, found["EndpointConfigName"]) if found else None
        if found is None or config is None:
            return ()
        state = STATES.get(str(found["EndpointStatus"]), "failed")
        told = [_deployment(call, variant, state) for variant in config["ProductionVariants"]]
        return tuple(sorted(told, key=lambda each: each.name))

    def get(self, name: str) -> Deployment:
        """Return one variant. Raises NotFoundError: there is none of that name."""
        for found in self.list():
            if found.name == name:
                return found
        raise self._missing(name)

    def predict(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Ask one variant, whatever its weight."""
        arguments = {"EndpointName": self._endpoint, "TargetVariant": check_name(name), "Body": body}
        try:
            answer = self._caller(name).read(
                "sagemaker-runtime", "invoke_endpoint", ContentType=content_type, **arguments
            )
        except (InvalidParameterError, NotFoundError):
            self.get(name)
            raise
        return answer["Body"].read(), str(answer.get("ContentType") or "application/json")

    def plan(
        self, action: PlannedAction, name: str, model_uri: str | None, flavor: str | None, config: Config
    ) -> tuple[PlannedCall, ...]:
        """Return the calls that an operation would make; those that read are made, to know the rest."""
        call = self._caller(name, dry=True)
        if action == "create":
            self._create(call, name, model_uri or "", flavor, config)
        elif action == "update":
            self._update(call, name, model_uri, flavor, config)
        else:
            self._delete(call, name, config)
        return tuple(call.planned)

    def _create(self, call: Caller, name: str, model_uri: str, flavor: str | None, config: Config) -> None:
        chosen = {**config, "variant_name": name}
        options = Options.read({**chosen, "mode": "add"})
        if find_endpoint(call, self._endpoint) is None and self._create_whole(call, model_uri, flavor, chosen):
            return
        before = look(call, Wanted(self._endpoint, options), self._clock)
        with packed(model_uri, flavor) as archive:
            place = find_place(call, kept_options(options, before))
            update = Update(call, Wanted(self._endpoint, options, archive, place), self._clock, before)
            old = _variant(before, name)
            if old is None:
                update.run()
            elif old["ModelName"] != update.new_model()["ModelName"]:
                raise AlreadyExistsError(
                    f"deployment {name!r} exists in endpoint {self._endpoint!r} with another model or config: update it, "
                    "or delete it first"
                )

    def _create_whole(self, call: Caller, model_uri: str, flavor: str | None, config: Config) -> bool:
        """Make the endpoint with its first variant; False when somebody was faster."""
        if call.dry:
            call.planned.extend(self._whole.plan("create", self._endpoint, model_uri, flavor, config))
            return True
        try:
            self._whole.create(self._endpoint, model_uri, flavor, config)
        except AlreadyExistsError:
            return False
        return True

    def _update(self, call: Caller, name: str, model_uri: str | None, flavor: str | None, config: Config) -> None:
        options = Options.read({**config, "variant_name": name})
        before = self._look(call, options)
        if before is None or _variant(before, name) is None:
            raise self._missing(name)
        if model_uri is None:
            Update(call, Wanted(self._endpoint, options), self._clock, before).run()
            return
        with packed(model_uri, flavor) as archive:
            wanted = Wanted(self._endpoint, options, archive, find_place(call, kept_options(options, before)))
            Update(call, wanted, self._clock, before, one_of_many=True).run()

    def _delete(self, call: Caller, name: str, config: Config) -> None:
        options = Options.read(config)
        before = self._look(call, options)
        if before is None or _variant(before, name) is None:
            return
        rest = [dict(variant) for variant in before.variants if variant["VariantName"] != name]
        if rest:
            if not sum(variant.get("InitialVariantWeight", 1.0) for variant in rest):
                rest[0]["InitialVariantWeight"] = 1.0  # somebody has to answer
            Update(call, Wanted(self._endpoint, options), self._clock, before, variants=rest).run()
        elif call.dry:
            call.planned.extend(self._whole.plan("delete", self._endpoint, None, None, config))
        else:
            self._whole.delete(self._endpoint, config)

    def _look(self, call: Caller, options: Options) -> Before | None:
        try:
            return look(call, Wanted(self._endpoint, options), self._clock)
        except NotFoundError:
            return None

    def _missing(self, name: str) -> NotFoundError:
        return NotFoundError(f"no deployment {name!r} in endpoint {self._endpoint!r} of region {self._clients.region}")

    def _caller(self, name: str, *, dry: bool = False) -> Caller:
        return Caller(self._clients, f"deployment {check_name(name)!r} in endpoint {self._endpoint!r}", dry=dry)


@contextmanager
def _named(call: Caller, name: str) -> Iterator[None]:
    """Let errors about the whole endpoint name the deployment that was meant."""
    try:
        yield
    except MlcoreError as err:
        if repr(name) in err.message:
            raise
        told = type(err)(f"{call.subject}: {err.message}")
        for note in getattr(err, "__notes__", ()):
            told.add_note(note)
        raise told from err


def _variant(before: Before, name: str) -> Mapping[str, Any] | None:
    return next((variant for variant in before.variants if variant["VariantName"] == name), None)


def _deployment(call: Caller, variant: Mapping[str, Any], state: str) -> Deployment:
    uri, flavor = told_model(describe_model(call, variant["ModelName"]) if "ModelName" in variant else None)
    return Deployment(str(variant["VariantName"]), state, uri, flavor, shown(variant))
