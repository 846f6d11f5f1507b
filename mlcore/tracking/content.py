"""Turn what people log as artifacts (dicts, figures, images, tables) into files; libraries load only when used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlcore.errors import InvalidParameterError, MissingDependencyError
from mlcore.wire.plain import to_plain

if TYPE_CHECKING:
    import pandas as pd

YAML_ENDINGS = (".yml", ".yaml")


def dict_text(dictionary: object, artifact_file: str) -> str:
    """Return *dictionary* as YAML if the file's name ends so, as indented JSON otherwise."""
    try:
        plain = to_plain(dictionary)
    except RecursionError as err:
        raise InvalidParameterError(
            f"can't log the {type(dictionary).__name__} as {str(artifact_file)!r}: it holds itself, or is nested too deep"
        ) from err
    if PurePosixPath(artifact_file).suffix.lower() in YAML_ENDINGS:
        from mlcore.wire.yaml_text import dump_yaml

        return dump_yaml(plain)
    return json.dumps(plain, indent=2, ensure_ascii=False)


def save_figure(figure: object, target: Path, save_kwargs: Mapping[str, object] | None = None) -> None:
    """Write a matplotlib or plotly figure in the format that the file's name asks for."""
    options = dict(save_kwargs or {})
    suffix = target.suffix.lower()
    if hasattr(figure, "savefig"):
        figure.savefig(target, **options)
    elif hasattr(figure, "write_html") and suffix in (".html", ".htm"):
        figure.write_html(target, **{"include_plotlyjs": True, "auto_open": False, **options})
    elif hasattr(figure, "write_image") and suffix in (".png", ".jpg", ".jpeg", ".webp", ".svg", ".pdf"):
        figure.write_image(target, **options)
    else:
        raise InvalidParameterError(
            f"can't save a figure of type {type(figure).__name__} as {target.name!r}: expected a matplotlib figure, or a "
            "plotly figure with one of .html .png .jpg .webp .svg .pdf"
        )


def save_image(image: object, target: Path) -> None:
    """Write an image: a numpy array, a PIL image, or anything with `save`.

    Arrays: shape (height, width), (height, width, 1), (.., 3) or (.., 4); uint8 0..255, float 0..1, or bool.
    """
    if hasattr(image, "save"):
        image.save(target)
        return
    if not hasattr(image, "dtype"):
        raise InvalidParameterError(
            f"can't log an image of type {type(image).__name__}: expected a numpy array, a PIL image or an object with save()"
        )
    pil_image(image).save(target)  # type: ignore[attr-defined]  # PIL is optional, its types are not known here


def pil_image(array: object) -> object:
    """Return a PIL image of an array; see `save_image` for shapes and values."""
    try:
        import numpy as np
        from PIL import Image
    except ImportError as err:
        raise MissingDependencyError("logging an array as an image needs Pillow: pip install pillow") from err
    pixels = np.asarray(array)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)):
        raise InvalidParameterError(
            f"can't log an array of shape {pixels.shape} as an image: expected (height, width) or (height, width, 1|3|4)"
        )
    if not pixels.size or pixels.dtype.kind not in "biuf":
        raise InvalidParameterError(
            f"can't log an array of shape {pixels.shape} and dtype {pixels.dtype} as an image: expected numbers or bool"
        )
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    elif np.issubdtype(pixels.dtype, np.floating):
        low, high = float(pixels.min()), float(pixels.max())
        if not (low >= 0 and high <= 1):  # NaN is neither
            raise InvalidParameterError(
                f"can't log a float array with values from {low} to {high} as an image: expected 0 to 1"
            )
        pixels = (pixels * 255).round().astype(np.uint8)
    elif np.issubdtype(pixels.dtype, np.integer):
        if pixels.min() < 0 or pixels.max() > 255:
            raise InvalidParameterError(
                f"can't log an integer array with values from {pixels.min()} to {pixels.max()} as an image: expected 0 to 255"
            )
        pixels = pixels.astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return Image.fromarray(pixels)


def table_frame(data: object) -> pd.DataFrame:
    """Return a table given as a DataFrame, or as a dict of columns (scalars make one row)."""
    try:
        import pandas as pd
    except ImportError as err:
        raise MissingDependencyError("log_table needs pandas: pip install pandas") from err
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, Mapping):
        scalar = all(not isinstance(v, (list, tuple, pd.Series)) and not hasattr(v, "__array__") for v in data.values())
        try:
            return pd.DataFrame([dict(data)]) if scalar else pd.DataFrame(dict(data))
        except ValueError as err:
            raise InvalidParameterError(f"can't log the dict as a table: {err}") from err
    raise InvalidParameterError(
        f"can't log a table of type {type(data).__name__}: expected a pandas DataFrame or a dict"
    )


def save_table(frame: pd.DataFrame, target: Path) -> None:
    """Write a table as JSON (split, without index) or parquet, as the file's name asks for."""
    if target.suffix.lower() == ".parquet":
        frame.to_parquet(target, index=False)
    elif target.suffix.lower() == ".json":
        target.write_text(frame.to_json(orient="split", index=False, date_format="iso", force_ascii=False), "utf-8")
    else:
        raise InvalidParameterError(f"can't log a table as {target.name!r}: the name must end in .json or .parquet")


def read_table(source: Path) -> pd.DataFrame:
    """Read what `save_table` wrote."""
    import pandas as pd

    if source.suffix.lower() == ".parquet":
        return pd.read_parquet(source)
    # as it was written: read_json would guess types, and turn texts such as "01" into numbers
    try:
        table = json.loads(source.read_text("utf-8"))
        return pd.DataFrame(table["data"], columns=table["columns"])
    except (ValueError, LookupError, TypeError) as err:
        raise InvalidParameterError(f"artifact {source.name!r} is not a table that log_table wrote: {err}") from err
