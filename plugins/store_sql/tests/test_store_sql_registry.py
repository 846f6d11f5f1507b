from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_sql.plugin import registry_store
from mlcore_store_sql.registry import SqlRegistryStore
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import NewRun
from mlcore.errors import InvalidStateError
from mlcore.interfaces import RegistryStore
from mlcore.testing import RegistryStoreContract


class TestSqliteRegistryFile(RegistryStoreContract):
    plugin_module = "mlcore_store_sql.plugin"

    @pytest.fixture
    def registry_uri(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/mlcore.db"

    @pytest.fixture
    def registry(self, registry_uri: str) -> Iterator[RegistryStore]:
        registry = SqlRegistryStore.open(registry_uri)
        yield registry
        registry.close()


class TestSqliteRegistryMemory(RegistryStoreContract):
    @pytest.fixture
    def registry(self) -> RegistryStore:
        return SqlRegistryStore.open("sqlite://")


@pytest.mark.parametrize("registry_first", [True, False])
def test_registry_and_tracking_share_one_file(tmp_path: Path, registry_first: bool) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    if registry_first:
        registry, tracking = SqlRegistryStore.open(uri), SqlTrackingStore.open(uri)
    else:
        tracking, registry = SqlTrackingStore.open(uri), SqlRegistryStore.open(uri)

    tracking.create_run(NewRun("0", "r", "n", "u", 1))
    registry.create_model("iris", description="", tags={})

    assert SqlTrackingStore.open(uri).get_run("r").info.run_id == "r"
    assert SqlRegistryStore.open(uri).get_model("iris").name == "iris"


def test_the_hook_leaves_other_schemes_to_others(tmp_path: Path) -> None:
    assert isinstance(registry_store(f"sqlite:///{tmp_path}/a.db"), RegistryStore)
    assert registry_store("https://example.org") is None


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE registered_models (name TEXT)")
    connection.close()

    with pytest.raises(InvalidStateError, match=r"belongs to another program.*name another file in the URI"):
        SqlRegistryStore.open(f"sqlite:///{tmp_path}/other.db")


ADD_VERSIONS = """
import sys
from mlcore_store_sql.registry import SqlRegistryStore

registry = SqlRegistryStore.open(sys.argv[1])
for number in range(10):
    registry.create_version("iris", f"s3://b/{number}", run_id=None, run_link=None, description="", tags={"k": "v"})
registry.close()
"""


def test_processes_that_add_versions_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    registry = SqlRegistryStore.open(uri)
    registry.create_model("iris", description="", tags={})
    registry.close()

    workers = [subprocess.Popen([sys.executable, "-c", ADD_VERSIONS, uri]) for _ in range(4)]
    codes = [worker.wait() for worker in workers]

    found = registry.search_versions("name = 'iris'", order_by=("version_number",), max_results=100, page_token=None)
    assert codes == [0, 0, 0, 0]
    assert [each.version for each in found.items] == [str(number) for number in range(1, 41)]
    assert registry.get_model("iris").latest_versions[0].version == "40"


def test_sqlalchemy_is_imported_for_searches_of_the_registry_only(tmp_path: Path) -> None:
    script = f"""
import sys
from mlcore_store_sql.plugin import registry_store
assert "mlcore_store_sql.registry" not in sys.modules
store = registry_store("sqlite:///{tmp_path}/x.db")
store.create_model("iris", description="", tags={{}})
store.create_version("iris", "s", run_id=None, run_link=None, description="", tags={{}})
store.set_alias("iris", "best", "1")
store.get_version_by_alias("iris", "best")
store.update_version("iris", "1", description=None, stage="Production", archive_existing=True)
store.get_model("iris")
assert "sqlalchemy" not in sys.modules
assert len(store.search_models("", order_by=(), max_results=5, page_token=None).items) == 1
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_search_takes_the_same_few_statements_for_any_number_of_models() -> None:
    registry = SqlRegistryStore.open("sqlite://")
    for number in range(30):
        registry.create_model(f"m{number}", description="", tags={"k": "v"})
        for _ in range(2):
            registry.create_version(f"m{number}", "s", run_id=None, run_link=None, description="", tags={})
        registry.set_alias(f"m{number}", "best", "1")
    statements: list[str] = []
    with registry._db.read() as cursor:
        cursor.connection.set_trace_callback(statements.append)  # type: ignore[attr-defined]  # sqlite3's own

    found = registry.search_models("", order_by=(), max_results=100, page_token=None)

    assert [each.latest_versions[0].version for each in found.items] == ["2"] * 30
    assert [each.aliases for each in found.items] == [{"best": "1"}] * 30
    assert len([text for text in statements if text.startswith("SELECT")]) == 5
