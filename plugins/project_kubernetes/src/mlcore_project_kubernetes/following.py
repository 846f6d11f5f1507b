"""The output of a pod, line by line, each once, whatever becomes of the connections that it comes by."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

from attrs import define

from mlcore.errors import InvalidParameterError, NotFoundError, StoreUnavailableError
from mlcore_project_kubernetes.api import Api
from mlcore_project_kubernetes.plain import rows, table, text

_SILENCE_S = 60.0  # a stream without a line may be a dead one
_PART_BYTES = 65536
_BROKEN = (OSError, http.client.HTTPException, StoreUnavailableError)


@define
class _Place:
    """Where reading is: the time of the last line, and how many lines of that very time have been read."""

    time: str = ""
    count: int = 0


def followed(api: Api, namespace: str, pod: str, container: str) -> Iterator[str]:
    """Yield the lines of a container until it has ended; none when its output is gone with its pod."""
    place = _Place()
    while True:
        ended_before = _ended(api, namespace, pod, container)
        try:
            yield from _lines(api, namespace, pod, container, place)
        except _BROKEN:
            continue  # from where it was; `_ended` waits for an API that is away
        except (NotFoundError, InvalidParameterError):  # the pod is gone, or its container never began
            return
        if ended_before:
            return


def _lines(api: Api, namespace: str, pod: str, container: str, place: _Place) -> Iterator[str]:
    query = {"container": container, "follow": "true", "timestamps": "true"}
    if place.time:
        query["sinceTime"] = f"{place.time[:19]}Z"  # whole seconds are all that the API knows
    last, known, rest = place.time, place.count, b""
    with api.stream(f"/api/v1/namespaces/{namespace}/pods/{pod}/log", _SILENCE_S, **query) as response:
        while part := response.read1(_PART_BYTES):
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                time, _, said = line.decode("utf-8", "replace").partition(" ")
                if last and (time < last or (time == last and known > 0)):
                    known -= time == last
                    continue
                place.count = place.count + 1 if time == place.time else 1
                place.time = time
                yield said.rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace").partition(" ")[2].rstrip("\r")


def _ended(api: Api, namespace: str, pod: str, container: str) -> bool:
    try:
        found = api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")
    except NotFoundError:
        return True
    states = [each for each in rows(found, "status", "containerStatuses") if text(each, "name") == container]
    return text(found, "status", "phase") in ("Succeeded", "Failed") or any(
        table(each, "state", "terminated") for each in states
    )
