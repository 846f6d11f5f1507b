#!/bin/bash
# An entry point by convention: `mlcore run examples/projects/shell -e hello.sh -P to=world`.
set -eu
echo "hello from run ${MLFLOW_RUN_ID:-none}: $*"
