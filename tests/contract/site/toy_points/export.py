"""`python -m toy_points.export`."""

import sys

from core.cli import app_main
from toy_points.app import SPEC

if __name__ == "__main__":
    sys.exit(app_main(SPEC, "export", sys.argv[1:]))
