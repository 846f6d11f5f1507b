"""What the plugin platform promises to users and vendors, tried with many, broken, disabled and removed plugins."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import sourcecode

from mlcore.plugins import hook_names
from mlcore.scaffold import KINDS, generate

Run = Callable[..., subprocess.CompletedProcess[str]]

RECORD_A_RUN = """
import mlcore
with mlcore.start_run() as run:
    mlcore.log_metric("loss", 0.5)
print(mlcore.get_run(run.info.run_id).data.metrics)
"""
BROKEN = {
    "import-error": "import does_not_exist",
    "value-error": "raise ValueError('boom')",
    "sys-exit": "import sys; sys.exit(7)",
    "syntax-error": "def broken(:",
    "missing": None,
    "bad-value": None,
    "wrong-kernel": "raise AssertionError('imported')",
}
# these can only be survived by those who do not ask for them: no hook that is asked of everybody
FATAL = {"endless": "while True: pass", "crash": "import ctypes; ctypes.string_at(0)"}
ASKED_OF_ALL = ("run_context", "event")


def distribution(site: Path, name: str, points: dict[str, str], *, requires: str = "mlcore-kernel>=0.1") -> None:
    """Put a distribution's metadata into *site*: entry points by group."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nSummary: {name}\nRequires-Dist: {requires}\n"
    )
    (info / "entry_points.txt").write_text("".join(f"[{group}]\n{line}\n" for group, line in points.items()))


def break_everything(site: Path, faults: Iterable[str], hooks: Iterable[str]) -> int:
    """Install one broken plugin for each fault and hook; return how many."""
    count = 0
    for fault in faults:
        for hook in hooks:
            module = f"bad_{fault}_{hook}".replace("-", "_")
            code = {**BROKEN, **FATAL}[fault]
            value = "no module at all" if fault == "bad-value" else module
            requires = "mlcore-kernel>=9" if fault == "wrong-kernel" else "mlcore-kernel>=0.1"
            distribution(
                site, module.replace("_", "-"), {f"mlcore.{hook}": f"{fault}-{hook} = {value}"}, requires=requires
            )
            if code is not None:
                (site / f"{module}.py").write_text(code)
            count += 1
    return count


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


@pytest.fixture
def python(tmp_path: Path, site: Path) -> Run:
    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site), **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_whatever_is_broken_hurts_nobody_who_did_not_ask_for_it(python: Run, site: Path) -> None:
    count = break_everything(site, BROKEN, hook_names())
    count += break_everything(site, FATAL, [h for h in hook_names() if h not in ASKED_OF_ALL])

    recorded = python("-c", RECORD_A_RUN)
    commands = [
        python("-m", "mlcore.cli", *arguments)
        for arguments in (["--version"], ["--help"], ["plugins", "list", "--json"], ["runs", "search", "--json"])
    ]

    assert recorded.returncode == 0, recorded.stderr
    assert recorded.stdout == "{'loss': 0.5}\n"
    assert [done.returncode for done in commands] == [0, 0, 0, 0]
    assert commands[2].stdout.count('"distribution": "bad-') == count
    assert len(commands[3].stdout.splitlines()) == 1


def test_each_broken_plugin_that_everybody_is_asked_of_is_reported_once(python: Run, site: Path) -> None:
    break_everything(site, BROKEN, ["run_context"])

    done = python("-c", RECORD_A_RUN + RECORD_A_RUN)

    notices = [line for line in done.stderr.splitlines() if "is left out" in line]
    named = sorted(found[1] for line in notices if (found := re.search(r"plugin (bad-[\w-]+) 1\.0 ", line)))
    assert done.returncode == 0
    assert named == sorted(f"bad-{fault}-run-context" for fault in BROKEN)


def test_check_survives_every_fault_of_every_kind(python: Run, site: Path) -> None:
    count = break_everything(site, [*BROKEN, "crash"], ("artifact_repo", "event", "command"))

    done = python("-m", "mlcore.cli", "plugins", "check", "--json")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    bad = [record for record in found if record["distribution"].startswith("bad-")]
    assert done.returncode == 1
    assert [record["status"] for record in bad] == ["failed"] * count
    assert all(fault["problem"] and fault["fix"] for record in bad for fault in record["faults"])
    assert {record["status"] for record in found if record not in bad} == {"ok"}


def many(site: Path, count: int) -> None:
    for number in range(count):
        group = f"mlcore.{('artifact_repo', 'tracking_store', 'flavor', 'command', 'deployer')[number % 5]}"
        distribution(site, f"dummy-{number}", {group: f"dummy{number} = dummy_{number}"})
        (site / f"dummy_{number}.py").write_text("raise SystemExit('a dummy was imported')\n")


def test_with_two_hundred_plugins_nothing_imports_one_that_is_not_asked_for(python: Run, site: Path) -> None:
    many(site, 200)
    listed = "import sys\nfrom mlcore.cli import main\ncode = main(['plugins', 'list', '--json'])\n"
    seen = (
        "heavy = {'numpy', 'pandas', 'sqlalchemy', 'sklearn', 'cattrs', 'starlette', 'yaml', 'cloudpickle', 'asyncio',"
        " 'concurrent.futures', 'subprocess', 'pytest'}\n"
        "plugins = [m for m in sys.modules if m.startswith(('dummy_', 'mlcore_'))]\n"
        "print([code, plugins, sorted(heavy & set(sys.modules))], file=sys.stderr)\n"
    )

    done = python("-c", listed + seen)
    imported = python("-c", "import mlcore")
    helped = python("-m", "mlcore.cli", "--help")
    recorded = python("-c", RECORD_A_RUN)

    assert done.stderr == "[0, [], []]\n"
    assert done.stdout.count('"distribution": "dummy-') == 200
    assert [p.returncode for p in (imported, helped, recorded)] == [0, 0, 0]
    assert "a dummy was imported" not in recorded.stderr
    assert helped.stdout.count("dummy-") == 40


def test_the_order_of_the_path_does_not_decide_a_conflict(python: Run, site: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        distribution(tmp_path / name, f"acme-{name}", {"mlcore.artifact_repo": f"mem = acme_{name}"})
    code = (
        "from mlcore.plugins import current\nfrom mlcore.hookspecs import HookSpecs\n"
        "current().first(HookSpecs.artifact_repo, uri='mem://x')"
    )
    orders = [os.pathsep.join(str(tmp_path / n) for n in names) for names in (("one", "two"), ("two", "one"))]

    ends = [python("-c", code, PYTHONPATH=order).stderr.splitlines()[-1] for order in orders]

    assert ends[0] == ends[1]
    assert "acme-one 1.0 and acme-two 1.0 both offer 'mem' for artifact_repo" in ends[0]


CLEAN = [
    *(f"mlcore_{folder.name}" for folder in sourcecode.plugin_folders()),
    *(
        "mlcore.hookspecs",
        "mlcore.interfaces",
        "mlcore.plugins",
        "mlcore.entities",
        "mlcore.testing",
        "mlcore.scaffold",
    ),
]


@pytest.mark.parametrize("name", CLEAN)
def test_every_part_that_plugins_stand_on_loads_first_and_alone(name: str) -> None:
    module = f"{name}.plugin" if name.startswith("mlcore_") else name

    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", f"import {module}"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_loads_first_and_alone(kind: str, tmp_path: Path) -> None:
    made = generate(kind, "acme-thing", tmp_path)
    code = (
        f"import sys; sys.path.append({str(made / 'src')!r})\n"
        "import pkgutil, importlib, acme_thing\n"
        "for m in pkgutil.iter_modules(acme_thing.__path__): importlib.import_module('acme_thing.' + m.name)"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


PRIVATE = re.compile(
    r"^\s*(?:from|import) mlcore(?:\.\w+)*\._|^\s*from mlcore[\w.]* import (?:.*[ (,])?_\w", re.MULTILINE
)


def test_templates_and_the_vendors_example_use_public_names_only(tmp_path: Path) -> None:
    made = [generate(kind, f"acme-{kind}", tmp_path) for kind in KINDS]
    folders = [*made, sourcecode.ROOT / "examples" / "vendor_plugin"]

    texts = {path: path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py")}

    assert texts
    assert [str(path) for path, text in texts.items() if PRIVATE.search(text)] == []


@pytest.mark.parametrize(
    ("code", "instruction"),
    [
        ("mlcore.set_tracking_uri('gold:///x')\nmlcore.log_metric('a', 1)", "tracking_store scheme 'gold'"),
        ("mlcore.set_tracking_uri('postgresql://h/x')\nmlcore.log_metric('a', 1)", "pip install -U mlcore-store-sql"),
        ("mlcore.artifacts.download_artifacts('gs://bucket/x')", "pip install mlcore-artifacts-fsspec"),
    ],
)
def test_what_refers_to_a_removed_plugin_gets_one_line_of_instruction(python: Run, code: str, instruction: str) -> None:
    recorded = python("-c", RECORD_A_RUN)

    asked = python("-c", f"import mlcore\n{code}")

    last = asked.stderr.strip().splitlines()[-1]
    assert recorded.returncode == 0
    assert asked.returncode == 1
    assert "PluginNotFoundError: no installed plugin answers" in last
    assert instruction in last


@pytest.mark.parametrize("dist", ["mlcore-context-default", "mlcore-flavor-sklearn", "mlcore-artifacts-local"])
def test_without_one_plugin_everything_else_works(python: Run, dist: str) -> None:
    recorded = python("-c", RECORD_A_RUN, MLCORE_DISABLE_PLUGINS=dist)
    searched = python("-m", "mlcore.cli", "runs", "search", "--json", MLCORE_DISABLE_PLUGINS=dist)

    assert (recorded.returncode, recorded.stdout) == (0, "{'loss': 0.5}\n")
    assert (searched.returncode, len(searched.stdout.splitlines())) == (0, 1)


COMPOSED = """
import click
from mlcore.entities import Action, Permission
from mlcore.hookspecs import WebMount, WebRoute, hookimpl

@hookimpl
def command(name):
    if name != "hello-{n}":
        return None
    return click.Command(name, callback=lambda: click.echo("hello from {n}"))

@hookimpl
def run_context():
    return {{"acme.{n}": "{n}", "acme.both": "{n}"}}

@hookimpl
def web():
    from starlette.responses import PlainTextResponse

    async def route(request):
        return PlainTextResponse("route {n} for " + request.state.principal.name)

    signed_in = Permission(Action.READ, "experiment", by="answer")
    return [
        WebMount("/{n}", PlainTextResponse("panel {n}"), signed_in),
        WebRoute("GET", "/api/acme/{n}", signed_in, route),
    ]

heard = []

@hookimpl
def event(event):
    heard.append(event.name)
    if "{n}" == "one":
        raise ValueError("listener one is broken")
"""
SERVED = """
import asyncio, httpx
from pathlib import Path
from mlcore.plugins import current
from mlcore_server.app import ServerApp
from mlcore_server.config import ServerConfig

here = Path.cwd()
uri = f"sqlite:///{here}/mlcore.db"
config = ServerConfig(
    tracking_uri=uri, registry_uri=uri, artifacts_destination=f"{here.as_uri()}/artifacts", state_dir=str(here / "state"),
    access_log=False, auth="basic",
)
app = ServerApp(config, current())
root = ("root", "a horse and a staple")

async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        token = (here / "state" / "bootstrap-token").read_text().strip()
        made = {"token": token, "username": root[0], "password": root[1]}
        (await client.post("/api/mlcore/auth/bootstrap", json=made)).raise_for_status()
        for path in ("/one", "/two", "/api/acme/one", "/api/acme/two"):
            answer = await client.get(path, auth=root)
            print((await client.get(path)).status_code, answer.status_code, answer.text)

asyncio.run(main())
"""


def compose(site: Path) -> None:
    """Install two plugins that add to everything that several may add to."""
    for n in ("one", "two"):
        module = f"acme_{n}"
        points = {f"mlcore.{hook}": f"{n} = {module}" for hook in ("run_context", "web", "event")}
        distribution(site, f"acme-{n}", {**points, "mlcore.command": f"hello-{n} = {module}"})
        (site / f"{module}.py").write_text(COMPOSED.format(n=n))


def test_routes_and_pages_of_two_plugins_and_an_authority_are_one_server(python: Run, site: Path) -> None:
    compose(site)

    done = python("-c", SERVED)

    assert done.stdout.splitlines() == [
        "401 200 panel one",
        "401 200 panel two",
        "401 200 route one for root",
        "401 200 route two for root",
    ], done.stderr


def test_plugins_that_add_commands_tags_and_pages_work_side_by_side(python: Run, site: Path) -> None:
    compose(site)
    code = RECORD_A_RUN + (
        "tags = mlcore.get_run(run.info.run_id).data.tags\n"
        "print(tags['acme.one'], tags['acme.two'], tags['acme.both'] in ('one', 'two'), 'mlflow.user' in tags)\n"
        "from mlcore.plugins import current\nfrom mlcore.hookspecs import Event, HookSpecs, WebContext\n"
        "context = WebContext('sqlite://', 'sqlite://', '.')\n"
        "found = [part.path for parts in current().every(HookSpecs.web, context=context) for part in parts if hasattr(part, 'app')]\n"
        "print(sorted(found))\n"
        "print(current().every(HookSpecs.event, event=Event('run_ended', 0, 'r')))\n"
        "import acme_one, acme_two\n"
        "print(acme_one.heard[-1:], acme_two.heard[-1:])\n"
    )

    helped = python("-m", "mlcore.cli", "--help").stdout
    said = [python("-m", "mlcore.cli", f"hello-{n}").stdout for n in ("one", "two")]
    done = python("-c", code)

    assert said == ["hello from one\n", "hello from two\n"]
    assert "hello-one" in helped
    assert "hello-two" in helped
    told = ["one two True True", "['/one', '/two', '/ui']", "[]", "['run_ended'] ['run_ended']"]
    assert done.stdout.splitlines()[1:] == told, done.stderr
    assert done.stderr.count("listener one is broken") == 1
