"""`python -m apps` lists the apps; `python -m apps doctor` says what this machine lacks."""

import sys

from apps import available
from core.cli import suite_main

if __name__ == "__main__":
    sys.exit(suite_main(available(), sys.argv[1:]))
