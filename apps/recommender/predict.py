"""`python -m apps.recommender.predict`; see --help."""

import sys

from apps.recommender.app import SPEC
from core.cli import app_main

if __name__ == "__main__":
    sys.exit(app_main(SPEC, "predict", sys.argv[1:]))
