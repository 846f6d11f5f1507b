"""Create an endpoint: whole, or not at all."""

from __future__ import annotations

from attrs import frozen

from mlcore.errors import AlreadyExistsError, ConflictError, MlcoreError, NotFoundError
from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.faults import DeploymentFailedError, DeploymentTimeoutError
from mlcore_deploy_sagemaker.resources import Request, Wanted, config_request, model_request, variant_request
from mlcore_deploy_sagemaker.scaling import scale, unscale
from mlcore_deploy_sagemaker.steps import Undo, put_archive, put_config, put_model
from mlcore_deploy_sagemaker.waiting import BUSY, Clock, Endpoint, find_endpoint, wait_while

_ATTEMPTS = 5
_GOING = frozenset({"Deleting"})


@frozen
class Creation:
    """One creation; `run` may find that it is done already."""

    call: Caller
    wanted: Wanted
    clock: Clock

    def run(self) -> None:
        """Do it. Raises AlreadyExistsError: the name is in use for something else."""
        for _ in range(_ATTEMPTS):
            try:
                return self._attempt()
            except NotFoundError as err:
                # a competitor that failed removed what this attempt had found, or it is none: look again
                lost = err
        raise lost

    def _attempt(self) -> None:
        model = model_request(self.wanted)
        config = config_request(self.wanted, [variant_request(self.wanted, model["ModelName"])])
        found = find_endpoint(self.call, self.wanted.name)
        if found is not None and self._goes_on(found, config["EndpointConfigName"]):
            self._wait()
            return
        undo = Undo()
        try:
            self._make(model, config, undo)
        except DeploymentTimeoutError:
            raise  # SageMaker goes on, and so can the user
        except MlcoreError as err:
            undo.run(err)
            raise
        except KeyboardInterrupt as err:
            if self._endpoint in [what for what, _ in undo.actions]:
                err.add_note(f"{self._endpoint} is being created: do the same again to wait for it, or delete it")
            else:
                undo.run(err)
            raise

    @property
    def _endpoint(self) -> str:
        return f"endpoint {self.wanted.name}"

    def _make(self, model: Request, config: Request, undo: Undo) -> None:
        put_archive(self.call, self.wanted, undo)
        put_model(self.call, model, undo)
        put_config(self.call, config, undo)
        if not self._make_endpoint(config["EndpointConfigName"]):
            undo.actions.clear()  # a competitor's endpoint uses it
            self._wait()
            return
        undo.add(self._endpoint, self._remove_endpoint)
        self._wait()
        scaling, variants = self.wanted.options.autoscaling, config["ProductionVariants"]
        if scaling:
            undo.add(f"scaling of {self.wanted.name}", lambda: unscale(self.call, self.wanted.name, variants))
            scale(self.call, self.wanted.name, variants, scaling)

    def _goes_on(self, found: Endpoint, config_name: str) -> bool:
        """Whether the endpoint is the wanted one, made by an earlier attempt; a failed or leaving one makes room."""
        status = found["EndpointStatus"]
        if status == "Deleting":
            wait_while(self.call, self.wanted.name, _GOING, self.wanted.options, self.clock)
            return False
        if found["EndpointConfigName"] != config_name:
            raise AlreadyExistsError(
                f"deployment {self.wanted.name!r} exists with another model or config: update it, or delete it first"
            )
        if status == "Failed":
            self._remove_endpoint()
            return False
        return True

    def _make_endpoint(self, config_name: str) -> bool:
        """Make the endpoint; False when a competitor has made the very same."""
        name = self.wanted.name
        try:
            self.call.change(
                "sagemaker",
                "create_endpoint",
                EndpointName=name,
                EndpointConfigName=config_name,
                Tags=self.wanted.tags(),
            )
        except (AlreadyExistsError, ConflictError) as err:
            found = find_endpoint(self.call, name)
            if found is not None and found["EndpointConfigName"] == config_name:
                return False
            raise AlreadyExistsError(
                f"deployment {name!r} was created by somebody else in the meantime, with another model or config: "
                "update it, or delete it first"
            ) from err
        return True

    def _wait(self) -> None:
        name = self.wanted.name
        if self.call.dry or not (self.wanted.options.synchronous or self.wanted.options.autoscaling):
            return
        found = wait_while(self.call, name, BUSY, self.wanted.options, self.clock)
        if found is None:
            raise DeploymentFailedError(f"deployment {name!r} was deleted by somebody while it was being created")
        if found["EndpointStatus"] != "InService":
            raise DeploymentFailedError(
                f"deployment {name!r} is {found['EndpointStatus']}: {found.get('FailureReason', 'no reason is given')}; "
                f"look at the log group /aws/sagemaker/Endpoints/{name}"
            )

    def _remove_endpoint(self) -> None:
        self.call.remove("sagemaker", "delete_endpoint", EndpointName=self.wanted.name)
        wait_while(self.call, self.wanted.name, BUSY, self.wanted.options, self.clock)
