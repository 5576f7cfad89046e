"""A Transformer's graph with int8 weights against the full one: one query, a batch of 32, test accuracy of both.

Both answer the same encoded texts on as many threads; a round measures one after the other, each on warm caches.
The accuracy of the int8 graph is measured one text at a time too, as a chat asks it: activations are quantised
with one scale a call, so that texts of one batch touch each other.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from apps.customer_service.app import SPEC
from apps.customer_service.data import read_sample
from benchmarks.side_by_side import compare
from core.data.text_config import TextDataConfig
from core.data.utterances import load_texts
from core.evaluation.discrimination import auroc
from core.evaluation.uncertainty import bootstrap_mean, proportion
from core.export.session import Session
from core.optimization.quantize import quantize_weights
from core.serving.predictor import Predictor, load_predictor
from core.tasks.task import Arrays

REAL_DATA = Path(os.environ.get("SUITE_REAL_DATA", "../shared/data"))
BATCH, ROUNDS, RESAMPLES = 32, 9, 2000
CALLS = {1: 100, BATCH: 8}
"""Calls of one graph in a round."""


def rate_of(session: Session, predictor: Predictor, arrays: Arrays, rows: int) -> Callable[[], float]:
    """Calls per second: the median over calls with so many texts, other texts each time."""
    starts = itertools.cycle(range(0, len(arrays["tokens"]) - rows, rows + 54))

    def rate() -> float:
        times = []
        for start in itertools.islice(starts, CALLS[rows]):
            batch = predictor.task.trim({"tokens": arrays["tokens"][start : start + rows]})
            begun = time.perf_counter()
            session.run(batch)
            times.append(time.perf_counter() - begun)
        return 1 / statistics.median(times)

    return rate


def show_speed(full: Session, small: Session, predictor: Predictor, arrays: Arrays) -> None:
    for rows in CALLS:
        found = compare(rate_of(small, predictor, arrays, rows), rate_of(full, predictor, arrays, rows), ROUNDS)
        ms = [1000 / statistics.median(rates) for rates in (found.ours, found.theirs)]
        shares = [b / a for a, b in zip(found.ours, found.theirs, strict=True)]
        print(
            f"{rows} at once: int8 {ms[0]:.2f} ms, full {ms[1]:.2f} ms, share of the time {1 / found.ratio:.3f} "
            f"[{min(shares):.3f}, {max(shares):.3f}] over {ROUNDS} rounds (aim 0.333 for one query)",
            flush=True,
        )


def show_quality(full: Session, small: Session, predictor: Predictor, arrays: Arrays) -> None:
    truth = arrays["label"]
    inside = truth >= 0
    reference = full.run_all(arrays, predictor.task.trim)
    right = _right(reference, truth)[inside]
    print(f"full: accuracy {proportion(right)}, {_gate(reference, predictor, inside)}", flush=True)
    for rows in (BATCH, 1):
        outputs = small.run_all(arrays, predictor.task.trim, rows)
        hits = _right(outputs, truth)[inside]
        lost = bootstrap_mean(hits.astype(float) - right, RESAMPLES, seed=0)
        print(
            f"int8, {rows} at once: accuracy {proportion(hits)}, minus full {lost.value:+.4f} [{lost.low:+.4f}, "
            f"{lost.high:+.4f}] (aim at least -0.003), {_gate(outputs, predictor, inside)}",
            flush=True,
        )


def _right(outputs: Arrays, truth: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    return np.asarray(outputs["probabilities"].argmax(axis=1) == truth)


def _gate(outputs: Arrays, predictor: Predictor, inside: npt.NDArray[np.bool_]) -> str:
    familiar = predictor.policy.is_familiar(outputs["novelty"], len(inside))
    told = f"let pass {familiar[inside].mean():.4f}"
    if inside.all():
        return told
    strange = auroc(outputs["novelty"].astype(np.float64), ~inside)
    return f"{told}, out-of-scope AUROC {strange:.4f}, stopped {(~familiar[~inside]).mean():.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run of `train --config transformer`")
    parser.add_argument("--data", default=str(REAL_DATA / "clinc150" / "data_full.json"))
    arguments = parser.parse_args()
    predictor = load_predictor(arguments.run, SPEC, threads=1)
    loaded = load_texts(TextDataConfig(path=arguments.data), seed=0, sample=read_sample)
    arrays = predictor.task.encode(list(loaded.splits["test"]))
    print(f"{len(arrays['tokens'])} test texts, one thread, load {os.getloadavg()[0]:.1f}", flush=True)
    file = predictor.bundle.path / "model.onnx"
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "int8.onnx"
        quantize_weights(file, written)
        print(f"files: {file.stat().st_size / 1e6:.1f} MB, int8 {written.stat().st_size / 1e6:.1f} MB", flush=True)
        full, small = (Session(graph, ["tokens"], threads=1) for graph in (file, written))
        show_speed(full, small, predictor, arrays)
        show_quality(full, small, predictor, arrays)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
