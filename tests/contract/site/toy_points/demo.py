"""`python -m toy_points.demo`."""

import sys

from core.cli import app_main
from toy_points.app import SPEC

if __name__ == "__main__":
    sys.exit(app_main(SPEC, "demo", sys.argv[1:]))
