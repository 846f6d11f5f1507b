"""The vendor's own client before the stand-in: what it sends is understood, what it is told it can read.

`python sdk_judge.py HOST TOKEN BODY`: BODY is what the backend sent to runs/submit. Prints a JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from io import BytesIO

from databricks.sdk import WorkspaceClient
from databricks.sdk.service import jobs


def main() -> None:
    host, token, sent = sys.argv[1:]
    client = WorkspaceClient(host=host, token=token, auth_type="pat")
    (task,) = json.loads(sent)["tasks"]
    read = jobs.SubmitTask.from_dict(task)
    client.dbfs.upload("/judge/file.bin", BytesIO(b"x" * 2_500_000), overwrite=True)
    run_id = client.jobs.submit(run_name="judge", tasks=[read]).run_id
    while True:
        run = client.jobs.get_run(run_id)
        if run.state.life_cycle_state in (jobs.RunLifeCycleState.TERMINATED, jobs.RunLifeCycleState.INTERNAL_ERROR):
            break
        time.sleep(0.05)
    output = client.jobs.get_run_output(run.tasks[0].run_id)
    client.jobs.cancel_run(run_id)
    told = {
        "same": read.as_dict() == task,
        "result": run.state.result_state.value,
        "logs": output.logs,
        "size": client.dbfs.get_status("/judge/file.bin").file_size,
        "end": client.dbfs.read("/judge/file.bin", offset=2_499_990).data,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
