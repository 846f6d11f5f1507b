"""Tracking: the fluent API, the client, and the way of a metric to its store.

`mlcore.tracking.MlflowClient` and the functions on URIs are reached from here too, as in MLflow.
"""

from __future__ import annotations

_SHOWN = {
    "Client": "mlcore.tracking.client:Client",
    "MlflowClient": "mlcore.tracking.client:Client",
    "get_registry_uri": "mlcore.tracking.fluent_search:get_registry_uri",
    "get_tracking_uri": "mlcore.tracking.fluent_search:get_tracking_uri",
    "is_tracking_uri_set": "mlcore.tracking.fluent_search:is_tracking_uri_set",
    "set_registry_uri": "mlcore.tracking.fluent_search:set_registry_uri",
    "set_tracking_uri": "mlcore.tracking.fluent_search:set_tracking_uri",
}


def __getattr__(name: str) -> object:
    if name in _SHOWN:
        import importlib

        module, _, attribute = _SHOWN[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'mlcore.tracking' has no attribute {name!r}")
