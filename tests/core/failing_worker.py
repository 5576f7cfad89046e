"""One of several processes that fails as asked: python failing_worker.py FIRST_SLEEPS_S FIRST_FAILS."""

import sys
import time

from core.cli import guarded
from core.errors import UserError
from core.hardware import current_rank


def fail(first_sleeps_s: float, first_fails: bool) -> int:
    """The first process sleeps, then fails if asked to; every other fails at once."""
    if current_rank() == 0:
        time.sleep(first_sleeps_s)
        if not first_fails:
            return 0
    raise UserError("The disk is full.", fix="Make room.")


if __name__ == "__main__":
    sys.exit(guarded(lambda: fail(float(sys.argv[1]), sys.argv[2] == "yes"), debug=False))
