"""Models: format, signature, environment, loading and saving. Names are those of `mlflow.models`; resolved when used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlcore.models.data_types import AnyType, Array, DataType, Map, Object, Property
    from mlcore.models.enforce import Validator, compile_signature
    from mlcore.models.faults import SignatureWarning
    from mlcore.models.infer import infer_signature
    from mlcore.models.info import ModelInfo, get_model_info
    from mlcore.models.mlmodel import MLModel
    from mlcore.models.mlmodel import MLModel as Model
    from mlcore.models.proving import Proof, prove
    from mlcore.models.pyfunc import PyFuncModel, load_model
    from mlcore.models.python_model import PythonModel, PythonModelContext
    from mlcore.models.saving import log_model, save_model
    from mlcore.models.scanning import ScanReport, scan
    from mlcore.models.schema import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema, TensorSpec
    from mlcore.models.signing import sign
    from mlcore.models.verifying import Verification, verify

_HOMES = {
    "data_types": ("AnyType", "Array", "DataType", "Map", "Object", "Property"),
    "enforce": ("Validator", "compile_signature"),
    "faults": ("SignatureWarning",),
    "infer": ("infer_signature",),
    "info": ("ModelInfo", "get_model_info"),
    "mlmodel": ("MLModel",),
    "pyfunc": ("PyFuncModel", "load_model"),
    "python_model": ("PythonModel", "PythonModelContext"),
    "proving": ("Proof", "prove"),
    "saving": ("log_model", "save_model"),
    "scanning": ("ScanReport", "scan"),
    "schema": ("ColSpec", "ModelSignature", "ParamSchema", "ParamSpec", "Schema", "TensorSpec"),
    "signing": ("sign",),
    "verifying": ("Verification", "verify"),
}
_WHERE = {name: (module, name) for module, names in _HOMES.items() for name in names} | {
    "Model": ("mlmodel", "MLModel")
}

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "MLModel",
    "Map",
    "Model",
    "ModelInfo",
    "ModelSignature",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Proof",
    "Property",
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "ScanReport",
    "Schema",
    "SignatureWarning",
    "TensorSpec",
    "Validator",
    "Verification",
    "compile_signature",
    "get_model_info",
    "infer_signature",
    "load_model",
    "log_model",
    "prove",
    "save_model",
    "scan",
    "sign",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    import importlib

    if name not in _WHERE:
        raise AttributeError(f"module 'mlcore.models' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    value: object = getattr(importlib.import_module(f"mlcore.models.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
