"""What `mlcore models show` tells of a model."""

from __future__ import annotations

from attrs import frozen

from mlcore.cli.context import Cli
from mlcore.cli.tables import Column, Kind, fields
from mlcore.errors import ArtifactNotFoundError, ModelFormatError
from mlcore.models.environment import REQUIREMENTS_FILE
from mlcore.models.info import ModelInfo, get_model_info
from mlcore.models.mlmodel import PYFUNC
from mlcore.models.places import fetched_part
from mlcore.models.schema import ColSpec, Schema


@frozen
class Description:
    """What a model says of itself, and what it needs.

    requirements: lines of its requirements file.
    """

    info: ModelInfo
    requirements: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain values for programs."""
        signature = self.info.signature
        parts = {name: getattr(signature, name, None) for name in ("inputs", "outputs", "params")}
        return {
            "model_uri": self.info.model_uri,
            "flavors": self.info.flavors,
            "created": self.info.utc_time_created,
            "made_by": self.made_by,
            "run_id": self.info.run_id,
            "artifact_path": self.info.artifact_path,
            "model_size_bytes": self.info.model_size_bytes,
            "metadata": self.info.metadata,
            "signature": {name: part and part.to_dict() for name, part in parts.items()} if signature else None,
            "has_example": self.info.saved_input_example_info is not None,
            "requirements": self.requirements,
        }

    @property
    def made_by(self) -> str | None:
        """The product and version that saved the model."""
        if self.info.mlcore_version:
            return f"mlcore {self.info.mlcore_version}"
        return f"MLflow {self.info.mlflow_version}" if self.info.mlflow_version else None


def describe(uri: str) -> Description:
    """Read what the model at *uri* says of itself; loads nothing but its description."""
    return Description(get_model_info(uri), tuple(_requirements(uri)))


def print_model(cli: Cli, model: Description) -> None:
    """Write a description for people, or between tabs for a pipe."""
    info = model.info
    pairs: list[tuple[str, object, Kind]] = [
        ("model", info.model_uri, "text"),
        ("flavors", ", ".join(info.flavors), "text"),
        ("created", info.utc_time_created and f"{info.utc_time_created} UTC", "text"),
        ("made by", model.made_by, "text"),
        ("run", info.run_id, "id"),
        ("size", info.model_size_bytes, "size"),
        ("example", "yes" if info.saved_input_example_info else "none", "text"),
        ("requirements", ", ".join(model.requirements), "text"),
    ]
    for name, config in info.flavors.items():
        pairs += [(f"{name}.{key}", value, "text") for key, value in config.items() if name != PYFUNC]
    pairs += [(f"metadata.{key}", value, "text") for key, value in (info.metadata or {}).items()]
    for line in fields(pairs, cli.terminal):
        cli.terminal.echo(line)
    if info.signature is None:
        cli.terminal.echo("it has no signature: data reaches it as it comes")
        return
    cli.print_title("signature")
    rows = [*_rows("input", info.signature.inputs), *_rows("output", info.signature.outputs)]
    rows += [["param", p.name, str(p.dtype), f"default {p.default!r}"] for p in info.signature.params or ()]
    cli.print_table([Column("part", whole=True), Column("name"), Column("type"), Column("required")], rows)


def _rows(part: str, schema: Schema | None) -> list[list[object]]:
    return [
        [
            part,
            f"({i})" if spec.name is None else spec.name,
            str(spec.type) if isinstance(spec, ColSpec) else f"{spec.type} {list(spec.shape)}",
            ("yes" if spec.required else "no") if part == "input" else "",
        ]
        for i, spec in enumerate(schema or ())
    ]


def _requirements(uri: str) -> list[str]:
    try:
        with fetched_part(uri, REQUIREMENTS_FILE) as path:
            lines = path.read_text("utf-8").splitlines()
    except (ArtifactNotFoundError, ModelFormatError):
        return []  # models of the first MLflow releases have none
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
