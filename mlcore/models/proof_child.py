"""The program of a proof: load a model, predict its input example, and write the answer to a file.

Runs in the environment that is proven: `python -m mlcore.models.proof_child DIRECTORY ANSWER`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType


def main() -> None:
    """Write `{"predicted": ..., "answer": ...}`, or what went wrong, as JSON."""
    directory, answer = sys.argv[1:]

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        missing = next((e.name for e in _chain(error) if isinstance(e, ModuleNotFoundError) and e.name), None)
        told = {"error": kind.__name__, "message": str(error), "missing": missing}
        Path(answer).write_text(json.dumps(told), "utf-8")
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = tell
    from mlcore.models.pyfunc import load_model

    # who asked for the proof has decided on trust
    model = load_model(directory, trust=True)
    example = model.input_example
    told: dict[str, object] = {"predicted": example is not None, "answer": None}
    if example is not None:
        told["answer"] = plain(model.predict(example, model.input_example_params))
    Path(answer).write_text(json.dumps(told), "utf-8")


def plain(value: object) -> object:
    """Return *value* as JSON values: tables by column, arrays as lists, anything unknown as its text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "columns") and hasattr(value, "to_dict"):
        return plain(value.to_dict("list"))
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, Iterator)):
        return [plain(item) for item in value]
    return str(value)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


if __name__ == "__main__":
    main()
