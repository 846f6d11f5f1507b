"""Bring what was recorded to its store: journals in a spool, and a thread that delivers them.

One `Outbox` per store and process. `outbox.writer(run_id)` appends to the journal of a run and returns at once:
`point(...)` for one metric, `write(recorded)` for anything else in `mlcore.entities.Recorded`. The shipper's thread reads
the journals, merges neighbouring points and delivers them (`Target.deliver`), exactly once where the store is a
`SupportsReplay`, by the contract of every store otherwise. `flush`, `finish` (a run's end) and `close` wait for it in
bounded time. What the store refuses is kept (`Refusal`, `refused.jsonl`, tag `mlcore.refused`).

For those who build on it:

- Through a session: `session.recorder(uri)` has `write(run_id, recorded)`, `is_down` (the store did not answer when it
  was last asked, or the session is offline) and `report_down(error)`, for callers that met a StoreUnavailableError
  themselves.
- A run that the store does not know yet: `recorder.pend(run_id, after=(parent_id,))` first (`run.json`: `is_pending`,
  `after`), then `recorder.write(run_id, RunCreation(...))` as the first record of its journal. Nothing of the run is
  delivered before its creation, and nothing of it before the runs named in `after` exist. `creation.create` delivers
  it, keeps the id that the server chose (`RunFolder.facts().server_run_id`), and all that follows goes to that id.
- The folder of a run in the spool: `recorder.folder(run_id)`: `artifacts` for files, `note(...)` and `facts()`.
- Other entries than those a store takes are handed to `Target._apply` in `replaying.py`.
"""

from mlcore.delivery.outbox import Outbox, Policy
from mlcore.delivery.spool import RunFacts, RunFolder, Spool, spool_root, spools, store_key
from mlcore.delivery.telling import Ending
from mlcore.delivery.writing import RunWriter

__all__ = [
    "Ending",
    "Outbox",
    "Policy",
    "RunFacts",
    "RunFolder",
    "RunWriter",
    "Spool",
    "spool_root",
    "spools",
    "store_key",
]
