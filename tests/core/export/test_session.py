"""ONNX Runtime on one file: as many threads as the process may use cores, the same answers however many."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.export.session import Session

from .small_bundle import pictures

OWN_THREADS = """
import os, sys
from pathlib import Path
from core.export.session import Session
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import onnxruntime
before = len(os.listdir("/proc/self/task"))
session = Session(Path(sys.argv[1]), ["image"], threads=int(sys.argv[2]))
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux keeps a process to some cores")
@pytest.mark.parametrize(("threads", "started"), [(0, 0), (3, 2)])
def test_process_kept_to_a_core_starts_no_thread_but_those_asked_for(
    threads: int, started: int, small_bundle: Path
) -> None:
    words = [sys.executable, "-c", OWN_THREADS, str(small_bundle / "model.onnx"), str(threads)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    # The thread that asks works too.
    assert int(done.stdout) == started


def test_batches_are_joined_to_what_one_call_gives(small_bundle: Path) -> None:
    session = Session(small_bundle / "model.onnx", ["image"], threads=1)
    arrays = {"image": np.stack(list(pictures(7)))}
    whole, parts = session.run(arrays), session.run_all(arrays, batch_size=3)
    assert whole.keys() == parts.keys()
    for name, array in whole.items():
        np.testing.assert_allclose(array, parts[name], atol=1e-4)
