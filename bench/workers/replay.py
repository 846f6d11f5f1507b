"""Deliver a journal of single points to SQLite, and insert the same rows by hand in batches; CPU seconds of both."""

import json
import sqlite3
import sys
import time
from pathlib import Path

import mlcore
from mlcore.delivery import RunFolder
from mlcore.delivery.outgoing import Outgoing
from mlcore.delivery.replaying import Target
from mlcore.journal import JournalReader, MappedJournal
from mlcore.tracking.session import current_session

points, keys = int(sys.argv[2]), 100
mlcore.set_tracking_uri("sqlite:///replay.db")
run = mlcore.start_run()
folder = RunFolder(Path("run").absolute(), run.run_id)
folder.make()
journal = MappedJournal(folder.path, run.run_id)
for key in range(keys):
    journal.point(f"m{key}", 0.0, 1_700_000_000_000, 0)
for i in range(points - keys):
    journal.quick(f"m{i % keys}", i * 0.5, 1 + i // keys)
journal.close()

begun = time.process_time()
outgoing = Outgoing(folder, JournalReader.open(journal.path), None)
target = Target(current_session().store(), folder, run.run_id)
while outgoing.is_waiting:
    stretches, end = outgoing.read()
    assert not target.deliver(outgoing.writer, stretches)
    outgoing.advance(end)
replayed = time.process_time() - begun

rows = [(1, i % keys, i // keys, 1_700_000_000_000 + i, i * 0.5, 0) for i in range(points)]
database = sqlite3.connect("raw.db")
database.execute("PRAGMA journal_mode=WAL")
database.execute("PRAGMA synchronous=NORMAL")
database.execute(
    "CREATE TABLE points (run BIGINT, key BIGINT, step BIGINT, timestamp BIGINT, value DOUBLE, special SMALLINT, "
    "PRIMARY KEY (run, key, step, timestamp, value, special)) WITHOUT ROWID"
)
begun = time.process_time()
for i in range(0, points, 1000):
    database.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?)", rows[i : i + 1000])
    database.commit()
raw = time.process_time() - begun
stored = sqlite3.connect("replay.db").execute("SELECT count(*) FROM mlcore_metrics").fetchone()[0]
assert stored == points, f"points are missing: {stored}"
print(json.dumps({"replayed": replayed, "raw": raw}))
