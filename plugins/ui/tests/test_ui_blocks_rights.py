"""Blocks of plugins, which read with the server's rights, for people who may not read everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from attrs import frozen
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer, running_server

_PASSWORD = "a horse and a battery"
PLUGIN = """
from mlcore.entities.ui_extension import Markdown, UIExtension, UIKind
from mlcore.hookspecs import hookimpl

def told(context):
    named = (context.run_ids, context.experiment_id, context.experiment_ids, context.model, context.version)
    return [Markdown(f"told {named}")]

@hookimpl
def ui_extensions():
    kinds = {
        "runs": UIKind.RUN_PANEL, "experiment": UIKind.EXPERIMENT_PANEL, "model": UIKind.MODEL_PANEL, "page": UIKind.PAGE
    }
    return [UIExtension(kind, "acme-" + name, "Acme " + name, blocks=told) for name, kind in kinds.items()]
"""


@frozen
class Guarded:
    """A server on which ann owns an experiment with a run, and may read a model that comes from a run of root."""

    server: LiveServer
    own: Mapping[str, object]
    foreign: Mapping[str, object]

    def asked(self, about: str, fields: Mapping[str, object]) -> httpx.Response:
        """Ask for blocks as ann."""
        url, body = f"{self.server.url}/api/ui/1/blocks:{about}", {"extension": f"acme-{about}", **fields}
        return httpx.post(url, json=body, auth=("ann", _PASSWORD), trust_env=False)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("acme")
    Path(folder, "acme_told.py").write_text(PLUGIN, encoding="utf-8")
    before = [
        f"import sys; sys.path.insert(0, {str(folder)!r})",
        "import acme_told; import mlcore.plugins as p; found = p.Plugins.discover",
        "def discover(*given, **more):\n    made = found(*given, **more)\n    made.register(acme_told)\n    return made",
        "p.Plugins.discover = discover",
    ]
    with running_server(tmp_path_factory.mktemp("guarded"), "--auth", "basic", before=before) as server:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            first = {"token": token, "username": "root", "password": _PASSWORD}
            http.post("/api/mlcore/auth/bootstrap", json=first).raise_for_status()
            http.auth = ("root", _PASSWORD)

            def send(path: str, **body: str) -> dict[str, object]:
                answer = http.post(f"/api/2.0/mlflow/{path}", json=body).raise_for_status()
                found: dict[str, object] = answer.json()
                return found

            def recorded(name: str) -> dict[str, object]:
                made = str(send("experiments/create", name=name)["experiment_id"])
                run = send("runs/create", experiment_id=made)["run"]
                send("registered-models/create", name=f"model-{name}")
                run_id = run["info"]["run_id"]  # type: ignore[index]  # JSON
                return {"run_ids": [run_id], "experiment_id": made, "experiment_ids": [made], "name": f"model-{name}"}

            own, foreign = recorded("own"), recorded("foreign")
            send("users/create", username="ann", password=_PASSWORD)
            rights = {"username": "ann", "permission": "READ"}
            send("experiments/permissions/create", experiment_id=str(own["experiment_id"]), **rights)
            send("registered-models/permissions/create", name="model-own", **rights)
            for run in (foreign, own):
                source = {"source": "s3://somewhere/model", "run_id": run["run_ids"][0]}  # type: ignore[index]  # above
                send("model-versions/create", name="model-own", **source)
        yield Guarded(server, own, foreign)


_FIELDS = ("run_ids", "experiment_id", "experiment_ids", "name")
_NEEDED = {"runs": "run_ids", "experiment": "experiment_id", "model": "name"}


@pytest.mark.parametrize("about", ["runs", "experiment", "model", "page"])
def test_blocks_are_made_of_what_the_person_may_read(guarded: Guarded, about: str) -> None:
    answer = guarded.asked(about, guarded.own)

    assert answer.status_code == 200, answer.text
    assert str(guarded.own["name"]) in answer.text


@pytest.mark.parametrize("field", _FIELDS)
@pytest.mark.parametrize("about", ["runs", "experiment", "model", "page"])
def test_one_name_of_what_the_person_may_not_read_refuses_the_whole(guarded: Guarded, about: str, field: str) -> None:
    needed = {name: guarded.own[name] for name in [_NEEDED.get(about, "")] if name}

    for fields in (guarded.own, needed):
        answer = guarded.asked(about, {**fields, field: guarded.foreign[field]})

        assert answer.status_code == 403, answer.text


def test_of_several_runs_the_person_has_to_read_each(guarded: Guarded) -> None:
    both = [*guarded.own["run_ids"], *guarded.foreign["run_ids"]]  # type: ignore[misc]  # lists, see the fixture

    assert guarded.asked("experiment", {**guarded.own, "run_ids": both}).status_code == 403


def test_the_tab_of_a_model_names_no_run_that_the_person_may_not_read(
    guarded: Guarded, signed_in: Callable[[str, str], Browser]
) -> None:
    browser = signed_in("ann", _PASSWORD)
    browser.expect_complaint("403")  # of the run itself
    page = browser.open(f"{guarded.server.url}/ui/models/model-own/1?tab=acme-model")
    page.get_by_text("told ((), '', (), 'model-own', '1')").wait_for()

    page.goto(f"{guarded.server.url}/ui/models/model-own/2?tab=acme-model")
    run_id = guarded.own["run_ids"][0]  # type: ignore[index]  # a list, see the fixture
    page.get_by_text(f"told (('{run_id}',), '', (), 'model-own', '2')").wait_for()
    browser.check()
