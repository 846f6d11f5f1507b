"""Record how often a word occurs."""

import sys

try:
    import mlcore as mlflow
except ModuleNotFoundError:  # the same names, by MLflow's own client
    import mlflow

if __name__ == "__main__":
    with mlflow.start_run():
        mlflow.set_tag("word", sys.argv[1])
        mlflow.log_metric("count", float(sys.argv[2]))
