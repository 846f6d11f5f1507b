"""A batch engine for files of JSON lines and linear models: a fake, and the shortest complete example."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.testing.memory_flavor import read_model
from mlcore.uris import local_path


class MemoryBatchEngine:
    """Score a table that fits into memory."""

    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Mapping[str, object]) -> int:
        """Predict for column `x`, write column `prediction`; return the number of rows."""
        if options:
            raise InvalidParameterError(f"unknown option {min(options)!r} of engine 'memory': it has none")
        model = read_model(local_path(model_uri) / "model.json")
        try:
            lines = local_path(source_uri).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError as err:
            raise NotFoundError(f"no table {source_uri!r}: expected a file of JSON lines") from err
        found = [json.dumps({"prediction": model(_number(json.loads(line)["x"]))}) for line in lines]
        target = local_path(target_uri)
        unfinished = target.with_name(f".{target.name}.unfinished")
        unfinished.write_text("".join(f"{line}\n" for line in found), encoding="utf-8")
        unfinished.replace(target)
        return len(found)


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise InvalidParameterError(f"cannot score the value {value!r} of column 'x': expected a number")
    return float(value)
