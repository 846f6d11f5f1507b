"""Run the program as `python -m mlcore.cli`."""

import sys

from mlcore.cli import main

sys.exit(main())
