"""Names of the tags that mlcore itself sets; they are MLflow's, so either product's tools understand them."""

from __future__ import annotations

from mlcore.entities import liveness

RUN_NAME = "mlflow.runName"
NOTE = "mlflow.note.content"
PARENT_RUN_ID = "mlflow.parentRunId"
USER = "mlflow.user"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
GIT_COMMIT = "mlflow.source.git.commit"
LOG_MODEL_HISTORY = "mlflow.log-model.history"
LOGGED_ARTIFACTS = "mlflow.loggedArtifacts"
LOGGED_IMAGES = "mlflow.loggedImages"
AUTOLOGGING = "mlflow.autologging"
DATASET_CONTEXT = "mlflow.data.context"

# Those without a counterpart in MLflow.
HEARTBEAT = liveness.HEARTBEAT
LOST = liveness.LOST
SIGNAL = "mlcore.signal"  # the name of the signal that ended the run's process
ERROR_TYPE = "mlcore.error.type"
ERROR_MESSAGE = "mlcore.error.message"
EXIT_CODE = "mlcore.exit.code"  # with which the process was left by sys.exit; "unknown" when nobody can tell
REFUSED = "mlcore.refused"  # JSON: what was recorded and the store did not take
DROPPED = "mlcore.dropped"  # JSON: what could not be recorded, as the disk was full
CLIENT_RUN_ID = "mlcore.clientRunId"  # the id that a run had before a server chose another one
