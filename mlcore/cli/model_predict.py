"""`mlcore models predict`: predictions for a file or for standard input."""

from __future__ import annotations

import sys
from pathlib import Path, PurePath

import click

from mlcore.cli.context import Cli, pass_cli
from mlcore.cli.model_options import env_option, model_option, resolved, trust_option
from mlcore.cli.terminal import note

_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".json": "json"}


@click.command()
@model_option
@click.option("-i", "--input-path", type=click.Path(dir_okay=False), help="File to read instead of standard input.")
@click.option("-o", "--output-path", type=click.Path(dir_okay=False), help="File to write instead of standard output.")
@click.option(
    "-t",
    "--content-type",
    type=click.Choice(["json", "csv", "parquet", "arrow"]),
    help="Of the input; by the file's name, else json.",
)
@click.option(
    "--output-type", type=click.Choice(["json", "csv", "parquet"]), help="Of the output; by the file's name, else json."
)
@trust_option
@env_option
@pass_cli
def predict(
    cli: Cli,
    model_uri: str,
    input_path: str | None,
    output_path: str | None,
    content_type: str | None,
    output_type: str | None,
    trust: bool,
    env_manager: str,  # noqa: ARG001  # there is one choice
) -> None:
    """Predict for a file, as the server would for a request; print {"predictions": ...} as strict JSON.

    JSON has one of the keys dataframe_split, dataframe_records, instances and inputs; CSV has a header line. As CSV
    and parquet, predictions are the columns of a table, or one column `predictions`.
    """
    from mlcore.models.pyfunc import load_model
    from mlcore.serving import payload
    from mlcore.serving.results import written
    from mlcore.serving.scorer import ModelScorer

    body = sys.stdin.buffer.read() if input_path in (None, "-") else Path(str(input_path)).read_bytes()
    request = payload.read(content_type or _by_name(input_path), body)
    model = load_model(resolved(cli, model_uri), trust=trust)
    kind = output_type or _by_name(output_path)
    answer = written("json" if kind == "arrow" else kind, ModelScorer(model).score(request))
    if output_path in (None, "-"):
        sys.stdout.flush()
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    else:
        Path(str(output_path)).write_bytes(answer)
        note(f"wrote {output_path}")


def _by_name(path: str | None) -> str:
    return _SUFFIXES.get(PurePath(path or "").suffix.lower(), "json")
