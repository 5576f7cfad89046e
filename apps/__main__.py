"""`python -m apps` lists the apps, `... serve` opens one page for all of them, `... doctor` says what is lacking."""

import sys

from apps import available
from core.cli import suite_main

if __name__ == "__main__":
    sys.exit(suite_main(available(), sys.argv[1:]))
