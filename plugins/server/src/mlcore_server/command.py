"""`mlcore server`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mlcore.cli.context import Cli, pass_cli
from mlcore.errors import SettingsError
from mlcore_server.config import ServerConfig

F = TypeVar("F", bound=Callable[..., object])

_STATE = "mlcore-server"


def _option(name: str, about: str, *mlflow: str, short: str = "", **more: Any) -> Callable[[F], F]:
    """Make an option with its variables: MLCORE_SERVER_<NAME>, and MLflow's of the same meaning.

    short: the letter that MLflow gives to it, such as `-p`.
    """
    variable = "MLCORE_SERVER_" + name.removeprefix("--").partition("/")[0].replace("-", "_").upper()
    return click.option(*filter(None, (short, name)), help=about, envvar=[variable, *mlflow], show_envvar=True, **more)


@click.command()
@_option(
    "--host", "Address to listen on.", "MLCORE_HOST", "MLFLOW_HOST", short="-h", default="127.0.0.1", show_default=True
)
@_option(
    "--port",
    "Port; 0 for any free one.",
    "MLCORE_PORT",
    "MLFLOW_PORT",
    short="-p",
    type=click.IntRange(0, 65535),
    default=5000,
    show_default=True,
)
@_option(
    "--backend-store-uri", "Tracking store; the tracking URI of the settings unless given.", "MLFLOW_BACKEND_STORE_URI"
)
@_option("--registry-store-uri", "Registry store; the tracking store unless given.", "MLFLOW_REGISTRY_STORE_URI")
@_option(
    "--artifacts-destination",
    "Place behind the artifact proxy: a directory or a URI such as s3://bucket/dir.",
    "MLFLOW_ARTIFACTS_DESTINATION",
)
@_option(
    "--default-artifact-root",
    "Place where clients find artifacts of new experiments themselves, not through the proxy.",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT",
)
@_option("--artifact-root-allowed", "Further place that the server may read artifacts from; repeatable.", multiple=True)
@_option(
    "--serve-artifacts/--no-serve-artifacts",
    "Whether to stand before the artifact storage.",
    "MLFLOW_SERVE_ARTIFACTS",
    default=True,
    show_default=True,
)
@_option(
    "--workers",
    "Processes that share the port.",
    "MLFLOW_WORKERS",
    short="-w",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
)
@_option("--prefix", "Path under which everything is served, such as /mlcore.", "MLFLOW_STATIC_PREFIX", default="")
@_option(
    "--auth",
    "Authority to ask: its name; auto for the one that is installed; local for the same if it has users; none.",
    default="auto",
    show_default=True,
)
@_option("--insecure-no-auth", "Listen to other machines without an authority.", is_flag=True)
@_option(
    "--allowed-host",
    "Name by which the server is called, besides localhost and addresses; * for any; repeatable.",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    multiple=True,
)
@_option(
    "--allowed-origin",
    "Page of another origin that may call the server; repeatable.",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    multiple=True,
)
@_option(
    "--scoring-server",
    "Server of a model that its editors may try in the pages: MODEL=URL, or URL for every model; repeatable.",
    multiple=True,
)
@_option("--state-dir", "Directory for files of the server's own: users, audit log.", type=click.Path(path_type=Path))
@_option(
    "--max-waiting",
    "Requests that are worked on or wait; more are told to come back in a second.",
    type=click.IntRange(1),
    default=512,
    show_default=True,
)
@_option(
    "--max-body-bytes",
    "Longest JSON body of a request; artifacts may be of any size.",
    type=click.IntRange(1024),
    default=32 * 2**20,
    show_default=True,
)
@_option("--access-log/--no-access-log", "Write a line for each request.", default=True, show_default=True)
@pass_cli
def server(cli: Cli, /, **given: Any) -> None:
    """Serve experiments, runs, models and artifacts to a team.

    Speaks MLflow's REST protocol: any MLflow client works with it. Listens to this machine alone unless told
    otherwise, and to others only when an authority keeps strangers out.
    """
    from mlcore_server.run import run

    config = make_config(cli, given)
    click.get_current_context().exit(run(config, cli.plugins))


def make_config(cli: Cli, given: dict[str, Any]) -> ServerConfig:
    """Return the configuration that options and settings make."""
    from mlcore.uris import absolute, anchored, file_uri, scheme

    tracking = anchored(given["backend_store_uri"] or cli.settings.tracking_uri)
    if scheme(tracking) in ("http", "https"):
        raise SettingsError(
            f"a server cannot keep its data in another server ({tracking!r}): give --backend-store-uri a store such "
            "as sqlite:///mlcore.db"
        )
    beside = _beside(tracking)
    destination = given["artifacts_destination"] or cli.settings.artifact_root or file_uri(beside / "mlartifacts")
    prefix = given["prefix"].rstrip("/")
    if prefix and not prefix.startswith("/"):
        raise SettingsError(f"invalid --prefix {prefix!r}: expected a path such as '/mlcore'")
    root = given["default_artifact_root"]
    return ServerConfig(
        tracking_uri=tracking,
        registry_uri=anchored(given["registry_store_uri"] or cli.settings.registry_uri or tracking),
        artifacts_destination=absolute(destination),
        state_dir=str((given["state_dir"] or beside / _STATE).absolute()),
        host=given["host"],
        port=given["port"],
        workers=given["workers"],
        prefix=prefix,
        artifact_root=absolute(root) if root and scheme(root) != "mlflow-artifacts" else None,
        artifact_roots=tuple(absolute(one) for one in given["artifact_root_allowed"]),
        serve_artifacts=given["serve_artifacts"],
        auth=given["auth"],
        insecure_no_auth=given["insecure_no_auth"],
        allowed_hosts=_several(given["allowed_host"]),
        allowed_origins=_several(given["allowed_origin"]),
        scoring_servers=_several(given["scoring_server"]),
        access_log=given["access_log"],
        max_waiting=given["max_waiting"],
        max_body_bytes=given["max_body_bytes"],
    )


def _beside(tracking_uri: str) -> Path:
    """Return the directory beside a database file; the working directory when the store is no file."""
    path = tracking_uri.partition("?")[0].partition(":///")[2]
    if tracking_uri.startswith("sqlite") and path and path != ":memory:":
        return Path("/" + path.lstrip("/") if path.startswith("/") else path).absolute().parent
    return Path.cwd()


def _several(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a repeatable option; one value may hold several, with commas."""
    return tuple(part.strip() for one in given for part in one.split(",") if part.strip())
