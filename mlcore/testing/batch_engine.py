"""The contract suite of batch engines.

To use it, inherit in a test module and give a fixture `engine`:

    class TestMyEngine(BatchEngineContract):
        plugin_module = "mlcore_batch_mine.plugin"

        @pytest.fixture
        def engine(self) -> BatchEngine: ...

The default tables are files of JSON lines with a column `x`, and the default model doubles it; an engine for other
tables replaces the fixtures `tables` and `model_uri`.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from mlcore.errors import InvalidParameterError, MlcoreError, NotFoundError
from mlcore.interfaces import BatchEngine
from mlcore.testing.memory_flavor import LinearModel, MemoryFlavor
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.uris import file_uri, local_path


class Tables(Protocol):
    """How the tests make and read tables of one number per row."""

    def uri(self, name: str) -> str:
        """Return where a table of that name is, or would be."""
        ...

    def write(self, name: str, rows: Sequence[object]) -> str:
        """Store a table whose column `x` has *rows*; return its URI."""
        ...

    def read(self, uri: str) -> list[float] | None:
        """Return the predictions in a table, in order; None when there is no table."""
        ...

    def names(self) -> list[str]:
        """Return everything that lies beside the tables."""
        ...


class JsonTables:
    """Tables as files of JSON lines."""

    def __init__(self, folder: Path) -> None:
        """Keep them in *folder*."""
        self._folder = folder

    def uri(self, name: str) -> str:
        """Return the file's URI."""
        return file_uri(self._folder / f"{name}.jsonl")

    def write(self, name: str, rows: Sequence[object]) -> str:
        """Write one line per row."""
        text = "".join(json.dumps({"x": row, "note": "ß"}) + "\n" for row in rows)
        local_path(self.uri(name)).write_text(text, encoding="utf-8")
        return self.uri(name)

    def read(self, uri: str) -> list[float] | None:
        """Read the column `prediction`."""
        path = local_path(uri)
        if not path.exists():
            return None
        return [json.loads(line)["prediction"] for line in path.read_text(encoding="utf-8").splitlines()]

    def names(self) -> list[str]:
        """Return the names of all files."""
        return sorted(path.name for path in self._folder.iterdir())


class BatchEngineContract(PluginModuleContract):
    """Everything that the kernel relies on in a batch engine."""

    @pytest.fixture
    def tables(self, tmp_path: Path) -> Tables:
        """Return a place for tables."""
        (tmp_path / "tables").mkdir()
        return JsonTables(tmp_path / "tables")

    @pytest.fixture
    def model_uri(self, tmp_path: Path) -> str:
        """Return a model that doubles."""
        (tmp_path / "model").mkdir()
        MemoryFlavor().save(LinearModel(2.0), tmp_path / "model", {})
        return file_uri(tmp_path / "model")

    def test_the_engine_has_the_method_of_the_contract(self, engine: BatchEngine) -> None:
        assert isinstance(engine, BatchEngine)

    def test_every_row_is_predicted_in_order_and_counted(
        self, engine: BatchEngine, tables: Tables, model_uri: str
    ) -> None:
        source = tables.write("in", [3.0, 1.0, 2.0, 1.0])

        count = engine.score(model_uri, source, tables.uri("out"), {})

        assert count == 4
        assert tables.read(tables.uri("out")) == [6.0, 2.0, 4.0, 2.0]

    def test_a_table_of_many_rows_is_whole(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        source = tables.write("in", [float(n) for n in range(10_001)])

        assert engine.score(model_uri, source, tables.uri("out"), {}) == 10_001
        assert tables.read(tables.uri("out")) == [2.0 * n for n in range(10_001)]

    def test_an_empty_table_gives_an_empty_table(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        assert engine.score(model_uri, tables.write("in", []), tables.uri("out"), {}) == 0
        assert tables.read(tables.uri("out")) == []

    def test_the_source_stays_as_it_was(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        source = tables.write("in", [1.0])
        before = local_path(source).read_bytes() if source.startswith("file:") else b""

        engine.score(model_uri, source, tables.uri("out"), {})

        assert (local_path(source).read_bytes() if source.startswith("file:") else b"") == before

    def test_scoring_again_replaces_the_target(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        engine.score(model_uri, tables.write("in", [1.0, 2.0, 3.0]), tables.uri("out"), {})

        engine.score(model_uri, tables.write("in", [5.0]), tables.uri("out"), {})

        assert tables.read(tables.uri("out")) == [10.0]

    def test_a_row_that_cannot_be_scored_leaves_no_target(
        self, engine: BatchEngine, tables: Tables, model_uri: str
    ) -> None:
        source = tables.write("in", [1.0] * 3000 + ["no number"])

        with pytest.raises(MlcoreError, match="no number"):
            engine.score(model_uri, source, tables.uri("out"), {})

        assert tables.read(tables.uri("out")) is None
        assert len(tables.names()) == 1

    def test_a_failure_leaves_the_old_target(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        engine.score(model_uri, tables.write("in", [1.0]), tables.uri("out"), {})

        with pytest.raises(MlcoreError):
            engine.score(model_uri, tables.write("in", [1.0, "no number"]), tables.uri("out"), {})

        assert tables.read(tables.uri("out")) == [2.0]

    def test_a_missing_table_is_named(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        with pytest.raises(NotFoundError, match="no-table"):
            engine.score(model_uri, tables.uri("no-table"), tables.uri("out"), {})

        assert tables.read(tables.uri("out")) is None

    def test_a_missing_model_is_named(self, engine: BatchEngine, tables: Tables, tmp_path: Path) -> None:
        with pytest.raises(MlcoreError, match="no-model"):
            engine.score(file_uri(tmp_path / "no-model"), tables.write("in", [1.0]), tables.uri("out"), {})

        assert tables.read(tables.uri("out")) is None

    def test_an_unknown_option_is_named(self, engine: BatchEngine, tables: Tables, model_uri: str) -> None:
        with pytest.raises(InvalidParameterError, match="'no_such_option'"):
            engine.score(model_uri, tables.write("in", [1.0]), tables.uri("out"), {"no_such_option": 1})
