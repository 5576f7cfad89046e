"""`python -m apps.medical_imaging.train`; see --help."""

import sys

from apps.medical_imaging.app import SPEC
from core.cli import app_main

if __name__ == "__main__":
    sys.exit(app_main(SPEC, "train", sys.argv[1:]))
