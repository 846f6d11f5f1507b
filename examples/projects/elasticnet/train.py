"""Fit an elastic net to the diabetes data of scikit-learn, and record how well it predicts."""

import argparse
import sys

from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

try:
    import mlcore as mlflow
except ModuleNotFoundError:  # the same names, by MLflow's own client
    import mlflow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--l1-ratio", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--max-error", type=float, help="fail above this root mean squared error")
    args = parser.parse_args()

    data = load_diabetes(as_frame=False)
    train_x, test_x, train_y, test_y = train_test_split(data.data, data.target, random_state=args.seed)
    model = ElasticNet(alpha=args.alpha / 100, l1_ratio=args.l1_ratio, random_state=args.seed).fit(train_x, train_y)
    predicted = model.predict(test_x)

    with mlflow.start_run():  # within `mlcore run` this is the run that it made
        error = float(root_mean_squared_error(test_y, predicted))
        mlflow.log_metric("rmse", error)
        mlflow.log_metric("mae", float(mean_absolute_error(test_y, predicted)))
        mlflow.log_metric("r2", float(r2_score(test_y, predicted)))
        mlflow.set_tag("estimator", "ElasticNet")
        weights = {name: round(float(weight), 3) for name, weight in zip(data.feature_names, model.coef_, strict=True)}
        mlflow.log_dict(weights, "weights.json")
    print(f"alpha={args.alpha} l1_ratio={args.l1_ratio}: rmse {error:.2f}")
    return 1 if args.max_error is not None and error > args.max_error else 0


if __name__ == "__main__":
    sys.exit(main())
