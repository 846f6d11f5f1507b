"""The commands of `mlcore models` about what a model would run, and where it comes from."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.model_options import resolved
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note


@click.command()
@click.argument("model_uri", metavar="URI")
@click.option("--all", "everything", is_flag=True, help="Also list what is known to hold data only.")
@json_option
@click.pass_context
def scan(ctx: click.Context, model_uri: str, everything: bool, as_json: bool) -> None:
    """List what loading the model at URI would import, call and run; nothing of it is loaded.

    Exits with 1 when something of it is dangerous. That nothing is found is no proof of innocence.
    """
    from attrs import asdict

    from mlcore.models.scanning import DANGEROUS, INNOCUOUS
    from mlcore.models.scanning import scan as scan_model

    cli: Cli = ctx.find_object(Cli) or Cli()
    report = scan_model(resolved(cli, model_uri))
    if as_json:
        cli.print_json([{"level": report.level, **asdict(report)}])
    else:
        rows = [(f.level, f.file, f.what) for f in report.finds if everything or f.level != INNOCUOUS]
        cli.print_table([Column("level", whole=True), Column("file"), Column("what", whole=True)], rows)
        for file in report.files:
            if file.opcodes:
                counts = ", ".join(f"{name} {count}" for name, count in file.opcodes.items())
                note(f"{file.path}: opcodes that import or call: {counts}")
        for reason in report.runs:
            note(f"loading it needs trust: {reason}")
        hidden = len(report.finds) - len(rows)
        note(f"{len(report.files)} files scanned: {report.level}" + (f", {hidden} innocuous not shown" * bool(hidden)))
    ctx.exit(1 if report.level == DANGEROUS else 0)


@click.command()
@click.argument("model_uri", metavar="URI")
@click.option("--key", type=click.Path(dir_okay=False), help="Public key (PEM) of who has to have signed the model.")
@json_option
@click.pass_context
def verify(ctx: click.Context, model_uri: str, key: str | None, as_json: bool) -> None:
    """Compare the files of the model at URI with its manifest, and check its signature.

    Exits with 1 when a file is changed, missing or extra, or when the signature of --key does not hold.
    The setting model_public_key stands for --key.
    """
    from attrs import asdict

    from mlcore.models.verifying import verify as verify_model

    cli: Cli = ctx.find_object(Cli) or Cli()
    found = verify_model(resolved(cli, model_uri), public_key=key or cli.settings.model_public_key)
    if as_json:
        cli.print_json([{"passed": found.passed, **asdict(found)}])
    else:
        cli.print_table([Column("state", whole=True), Column("file")], [(d.state, d.path) for d in found.differences])
        if not found.differences and found.manifest is None:
            note("manifest: every file is as it was saved")
        if found.manifest is not None:
            note(f"manifest: {found.manifest}")
        hint = "; give --key to check it" if found.signature == "unchecked" else ""
        note(f"signature: {found.signature}{hint}" + (f": {found.reason}" if found.reason else ""))
    ctx.exit(0 if found.passed else 1)


@click.command()
@click.argument("model_uri", metavar="URI")
@click.option("--key", required=True, type=click.Path(dir_okay=False), help="Private key (PEM, elliptic curve).")
@pass_cli
def sign(cli: Cli, model_uri: str, key: str) -> None:
    """Sign all files of the model at URI, and put the signature beside them as model.sig.

    The password of the key file, if it has one, is taken from the variable MLCORE_SIGNING_PASSWORD.
    """
    import os

    from mlcore.models.signing import sign as sign_model

    click.echo(sign_model(resolved(cli, model_uri), key, password=os.environ.get("MLCORE_SIGNING_PASSWORD") or None))


@click.command()
@click.argument("model_uri", metavar="URI")
@click.option("--trust", is_flag=True, help="Let code run that the model brings, or that its requirements name.")
@pass_cli
def prove(cli: Cli, model_uri: str, trust: bool) -> None:
    """Load the model at URI in a new environment with its recorded requirements only, and predict its example."""
    from mlcore.models.proving import prove as prove_model

    found = prove_model(resolved(cli, model_uri), trust=trust)
    note(f"proven in {found.seconds:.1f} s with {len(found.requirements)} requirements, installed by {found.installer}")
    if not found.predicted:
        note("it has no input example: it was loaded, but predicted nothing")
