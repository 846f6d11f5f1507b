"""Run the steps of the workflow one after the other; each is a run of its own below this one."""

import sys

try:
    import mlcore as mlflow
    from mlcore import projects
except ModuleNotFoundError:  # the same names, by MLflow's own client
    import mlflow
    from mlflow import projects


def step(entry_point: str, **parameters: str) -> str:
    """Run an entry point in the environment that this one runs in, and return the id of its run."""
    return projects.run(".", entry_point, parameters=parameters, env_manager="local").run_id


def main(max_speed: str) -> None:
    with mlflow.start_run() as run:
        raw = step("load")
        clean = step("clean", raw=f"runs:/{raw}/cars.csv", max_speed=max_speed)
        fitted = step("fit", cars=f"runs:/{clean}/clean.csv")
        metrics = mlflow.get_run(fitted).data.metrics
        mlflow.log_metrics({name: metrics[name] for name in ("intercept", "slope")})
        mlflow.set_tag("steps", "load, clean, fit")
        print(f"run {run.info.run_id}: distance = {metrics['intercept']:.2f} + {metrics['slope']:.2f} * speed")


if __name__ == "__main__":
    main(sys.argv[1])
