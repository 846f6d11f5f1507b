"""`mlcore models promote`: say what a version is used for, or ask for it."""

from __future__ import annotations

import click

from mlcore.artifacts.resolve import parse_models_uri
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.model_registry import print_versions
from mlcore.cli.model_requests import print_requests
from mlcore.cli.terminal import note
from mlcore.registry.finding import find_version


@click.command()
@click.argument("model_uri", metavar="URI")
@click.option("--alias", help="Point this alias to the version.")
@click.option("--stage", help="Move the version to this stage: None, Staging, Production or Archived.")
@click.option("--archive-existing", is_flag=True, help="Move those that were in that stage to Archived.")
@click.option("-c", "--comment", default="", help="Why, for the history.")
@click.option("--request", is_flag=True, help="Ask for the stage instead; somebody else approves it.")
@click.option(
    "--expected",
    metavar="VALUE",
    help="Stage of the version, or version of the alias, that you believe is the present one.",
)
@json_option
@pass_cli
def promote(
    cli: Cli,
    model_uri: str,
    *,
    alias: str | None,
    stage: str | None,
    archive_existing: bool,
    comment: str,
    request: bool,
    expected: str | None,
    as_json: bool,
) -> None:
    """Say what the version at URI is used for: `mlcore models promote models:/wine/3 --alias champion`.

    Of two people who do it at once one wins; the other is told who did, and when.
    """
    if alias is None and stage is None:
        raise click.UsageError("say what for: --alias NAME or --stage STAGE")
    if request and (stage is None or alias is not None):
        raise click.UsageError("--request asks for a stage: give --stage, and no --alias")
    if expected is not None and None not in (alias, stage):
        raise click.UsageError("--expected is about one move: give either --alias or --stage")
    client = cli.client
    found = find_version(cli.session.registry(), parse_models_uri(model_uri))
    if request:
        asked = client.request_transition(found.name, found.version, str(stage), archive_existing, comment=comment)
        print_requests(cli, [asked], as_json=as_json)
        note(f"waits for: mlcore models approve {asked.request_id[:8]}")
        return
    pointed = client.get_registered_model(found.name).aliases.get(alias or "", "")
    if stage is not None:
        client.transition_model_version_stage(
            found.name,
            found.version,
            stage,
            archive_existing,
            comment=comment,
            expected=found.current_stage if expected is None else expected,
        )
    if alias is not None:
        client.set_registered_model_alias(
            found.name, alias, found.version, comment=comment, expected=pointed if expected is None else expected
        )
    print_versions(cli, [client.get_model_version(found.name, found.version)], as_json=as_json)
