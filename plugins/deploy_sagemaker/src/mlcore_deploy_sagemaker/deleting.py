"""Delete an endpoint with what was made for it; doing it again does no harm."""

from __future__ import annotations

from mlcore.errors import ConflictError, InvalidParameterError, NotFoundError
from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.resources import name_prefix
from mlcore_deploy_sagemaker.scaling import unscale
from mlcore_deploy_sagemaker.steps import describe_config, sweep
from mlcore_deploy_sagemaker.waiting import BUSY, Clock, find_endpoint, wait_while

_ATTEMPTS = 5
_UNSETTLED = BUSY - {"Deleting"}


def delete(call: Caller, name: str, options: Options, clock: Clock) -> None:
    """Remove the endpoint, then its configuration, models and archives unless they are to be kept."""
    found = find_endpoint(call, name)
    if found is None:
        return
    config = describe_config(call, found["EndpointConfigName"])
    if config is not None:
        unscale(call, name, config["ProductionVariants"])
    _delete_endpoint(call, name, options, clock)
    if options.synchronous and not call.dry:
        wait_while(call, name, frozenset({"Deleting"}), options, clock)
    if not options.archive:
        sweep(call, name, config)
        for left in _leftovers(call, name):
            if config is None or left != config["EndpointConfigName"]:
                sweep(call, name, describe_config(call, left))


def _leftovers(call: Caller, name: str) -> list[str]:
    """Return names of configurations that may be this deployment's: an update nobody waited for leaves the old one."""
    found: list[str] = []
    arguments: dict[str, object] = {"NameContains": name_prefix(name), "MaxResults": 100}
    while True:
        page = call.read("sagemaker", "list_endpoint_configs", **arguments)
        found += [each["EndpointConfigName"] for each in page["EndpointConfigs"]]
        if not page.get("NextToken"):
            return found
        arguments["NextToken"] = page["NextToken"]


def _delete_endpoint(call: Caller, name: str, options: Options, clock: Clock) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            call.change("sagemaker", "delete_endpoint", EndpointName=name)
        except NotFoundError:
            return
        except (InvalidParameterError, ConflictError):
            # SageMaker lets go of an endpoint only when it has come to rest
            found = find_endpoint(call, name)
            if found is None or found["EndpointStatus"] == "Deleting":
                return
            if found["EndpointStatus"] not in BUSY or attempt == _ATTEMPTS - 1:
                raise
            wait_while(call, name, _UNSETTLED, options, clock)
        else:
            return
