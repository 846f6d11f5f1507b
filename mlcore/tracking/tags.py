"""Names of the tags that mlcore itself sets; they are MLflow's, so either product's tools understand them."""

from __future__ import annotations

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
