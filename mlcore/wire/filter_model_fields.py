"""What can be searched of registered models, their versions, and logged models."""

from __future__ import annotations

from mlcore.wire.filter_fields import Rule, Vocabulary

PROMPT_TAG = "mlflow.prompt.is_prompt"

_TEXT = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
_SIZE = ("=", "!=", "<", "<=", ">", ">=")
_NULL = ("IS NULL", "IS NOT NULL")

_ENTITIES = {**dict.fromkeys(("tags", "tag"), "tag"), **dict.fromkeys(("attributes", "attribute", "attr"), "attribute")}
_TAGS = {"tag": Rule(_TEXT, null_ops=_NULL)}
_TIME = Rule(number_ops=_SIZE, number_lists=True)

MODELS = Vocabulary(
    noun="registered model",
    entities=_ENTITIES,
    attributes={"name": Rule(_TEXT), "creation_timestamp": _TIME, "last_updated_timestamp": _TIME},
    aliases={"timestamp": "last_updated_timestamp"},
    rules=_TAGS,
    sortable=("attribute",),
)

VERSIONS = Vocabulary(
    noun="model version",
    entities=_ENTITIES,
    attributes={
        "name": Rule(_TEXT),
        "version_number": Rule(number_ops=_SIZE, quoted_numbers=True, number_lists=True),
        "run_id": Rule(_TEXT),
        "source_path": Rule(_TEXT),
        "current_stage": Rule(_TEXT),
        "creation_timestamp": _TIME,
        "last_updated_timestamp": _TIME,
    },
    aliases={"timestamp": "last_updated_timestamp"},
    rules=_TAGS,
    sortable=("attribute",),
    hints={
        "version": "it is called version_number",
        "source": "it is called source_path",
        "stage": "it is called current_stage",
        "aliases": "ask for the version of an alias by its name",
    },
)

_LOGGED_TIME = Rule(number_ops=_SIZE, quoted_numbers=True, number_lists=True)

LOGGED_MODELS = Vocabulary(
    noun="logged model",
    entities={
        **_ENTITIES,
        **dict.fromkeys(("metrics", "metric"), "metric"),
        **dict.fromkeys(("params", "param", "parameters", "parameter"), "param"),
    },
    attributes={
        "name": Rule(_TEXT),
        "model_id": Rule(_TEXT),
        "model_type": Rule(_TEXT),
        "source_run_id": Rule(_TEXT),
        "experiment_id": Rule(_TEXT),
        "status": Rule(_TEXT),
        "artifact_uri": Rule(_TEXT),
        "creation_timestamp": _LOGGED_TIME,
        "last_updated_timestamp": _LOGGED_TIME,
    },
    aliases={
        "creation_time": "creation_timestamp",
        "creation_timestamp_ms": "creation_timestamp",
        "last_updated_timestamp_ms": "last_updated_timestamp",
        "artifact_location": "artifact_uri",
    },
    rules={
        "metric": Rule(number_ops=_SIZE, null_ops=_NULL, quoted_numbers=True),
        "param": Rule(_TEXT, _SIZE, _NULL, number_lists=True),
        **_TAGS,
    },
    sortable=("attribute", "metric", "param", "tag"),
    hints={"lifecycle_stage": "deleted logged models are never found"},
    stats=(),
    bare_texts=True,
)
