"""A project as its users have it: MLflow's client, its fluent API, a step that it runs itself. Nothing here knows of mlcore."""

import argparse
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import mlflow  # noqa: E402  # its import warns


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_file", nargs="?")
    parser.add_argument("-r", "--regularization", type=float)
    parser.add_argument("--max-runs", type=int)
    parser.add_argument("--validate", type=float)
    args = parser.parse_args()

    expected = os.environ["MLFLOW_RUN_ID"]
    with mlflow.start_run() as run:
        assert run.info.run_id == expected
        if args.validate is not None:
            mlflow.set_tag("level", args.validate)
            print("the level is too high", file=sys.stderr)
            return 3
        mlflow.log_param("regularization", args.regularization)  # the runner did so already
        mlflow.log_param("rows", len(open(args.data_file).readlines()))  # noqa: PTH123, SIM115  # as people write it
        for step in range(args.max_runs):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_text("area,loss\n", "results/table.csv")
        mlflow.set_tag("client", mlflow.__version__)
        try:
            mlflow.projects.run(".", "validate", parameters={"level": 7}, env_manager="local")
        except mlflow.exceptions.ExecutionException:
            mlflow.set_tag("validated", "no")
    return 0


if __name__ == "__main__":
    sys.exit(main())
