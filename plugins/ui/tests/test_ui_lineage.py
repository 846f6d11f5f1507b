"""The pages of models: where a version comes from, and the way back."""

from __future__ import annotations

import pytest
from ui_browser import Browser

from mlcore.entities import Dataset, DatasetInput, InputTag
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client


@pytest.fixture(scope="module")
def far(ui_server: LiveServer) -> Client:
    """Record through the server, which keeps the files."""
    return Client(ui_server.url, ui_server.url)


@pytest.fixture(scope="module")
def grape(far: Client) -> str:
    """Register two models of one run that has a parent and read a dataset; return the name of the first."""
    experiment = far.create_experiment("grapes")
    parent = far.create_run(experiment, run_name="search").info.run_id
    run_id = far.create_run(experiment, run_name="best", tags={"mlflow.parentRunId": parent}).info.run_id
    dataset = Dataset(name="vineyard", digest="abc123", source_type="local", source='{"uri": "v.csv"}')
    far.log_inputs(run_id, [DatasetInput(dataset, (InputTag("mlflow.data.context", "training"),))])
    example = "saved_input_example_info: {artifact_path: input_example.json, type: dataframe}\n"
    far.log_text(run_id, f"flavors: {{python_function: {{loader_module: acme}}}}\n{example}", "model/MLmodel")
    far.log_text(run_id, '{"columns": ["acidity"], "data": [[7.25]]}', "model/input_example.json")
    for name in ("grape", "grape", "raisin"):
        if name not in {one.name for one in far.search_registered_models()}:
            far.create_registered_model(name)
        far.create_model_version(name, f"runs:/{run_id}/model", run_id)
    far.set_registered_model_alias("grape", "champion", 1)
    far.set_registered_model_alias("raisin", "dried", 1)
    return "grape"


def test_the_lineage_is_a_graph_from_data_to_names(ui_server: LiveServer, browser: Browser, grape: str) -> None:
    page = browser.open(f"{ui_server.url}/ui/models/{grape}/1")
    lineage = page.get_by_role("list", name="Lineage")
    for name in ("search", "best", "grapes", "grape 2", "raisin 1"):
        lineage.get_by_role("link", name=name, exact=True).wait_for()
    told = lineage.inner_text()
    assert all(text in told for text in ("dataset for training", "vineyard", "parent run", "@champion", "@dried"))
    assert lineage.locator("[aria-current]").inner_text().split()[-2:] == ["grape", "1"]
    # parent and dataset to the run, the run to three versions, and two of them to their aliases
    page.wait_for_function("document.querySelectorAll('.lineage path').length === 7")
    assert browser.violations() == []


def test_code_to_load_a_model_uses_the_example_that_it_was_saved_with(
    ui_server: LiveServer, browser: Browser, far: Client, grape: str
) -> None:
    page = browser.open(f"{ui_server.url}/ui/models/{grape}/1?tab=use")
    page.get_by_text("model.predict(model.input_example)").nth(1).wait_for()
    code = page.locator(".snippet code").first.inner_text()
    assert "data" not in code
    compile(code, "snippet", "exec")


def test_a_stage_is_rolled_back_to_what_was_in_it_before(ui_server: LiveServer, browser: Browser, far: Client) -> None:
    name = "rolled"
    far.create_registered_model(name)
    run_id = far.create_run("0").info.run_id
    for number in (1, 2, 3):
        far.create_model_version(name, f"runs:/{run_id}/model", run_id)
        far.transition_model_version_stage(name, number, "Production", archive_existing_versions=True)
    page = browser.open(f"{ui_server.url}/ui/models/{name}")
    for before, after in (("2", {"1": "Archived", "2": "Production", "3": "Archived"}), ("1", None)):
        page.get_by_role("button", name=f"Roll back to {before}: the stage Production").click()
        page.get_by_role("button", name="Move", exact=True).click()
        page.locator(".toast", has_text=f"version {before} is in Production").wait_for()
        if after:
            assert {one.version: one.current_stage for one in far.search_model_versions(f"name = '{name}'")} == after
    page.get_by_role("button", name="Roll back to").wait_for(state="detached")  # there was nothing before the first
    moves = far.get_model_history(name)
    assert {move.comment for move in moves[:4]} >= {"rolled back"}
