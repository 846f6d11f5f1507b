#!/bin/sh
# Find a Python >= 3.11 and hand over to bootstrap.py. PYTHON=/path/to/python overrides the search.
# Each candidate is run, not only looked up: version managers leave shims on PATH that start nothing.
set -eu
here=$(dirname "$0")
for candidate in ${PYTHON:-python3 python python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        exec "$candidate" "$here/bootstrap.py" "$@"
    fi
done
echo "error: no Python 3.11 or later found (tried: ${PYTHON:-python3 python python3.14 python3.13 python3.12 python3.11})" >&2
echo "       install one, or name it: make PYTHON=/path/to/python3.11" >&2
exit 1
