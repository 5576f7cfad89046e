"""The suite's model and every baseline on the same users, each baseline tuned on validation data."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from apps.recommender.baselines.factorization import FACTORIZATION, is_installed
from apps.recommender.baselines.linear import LINEAR
from apps.recommender.baselines.scorer import Baseline, FloatArray, Liked, Rows, Scorer, liked_before
from apps.recommender.data import ShopData, splits_of
from apps.recommender.start import liked_histories
from core.app import Comparison
from core.console import progress_bar
from core.data.interaction_splits import UserExamples
from core.data.module import SplitName
from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.recommendation import (
    chunks,
    estimate_users,
    list_metrics,
    paired_difference,
    rank_targets,
    user_metrics,
)
from core.tasks.recommend import SHOWN, RecommendTask

CHOSEN_BY = "ndcg@10"
RESAMPLES = 1000
COLUMNS = ("model", "settings", "ndcg@10", "recall@10", "mrr", "coverage@10", "model minus it, ndcg@10", "seconds")


def compare_baselines(asked: Comparison) -> Evaluation:
    """A table of all, and for each baseline the paired difference of nDCG with its interval."""
    from apps.recommender.baselines.sasrec import SASREC

    data, task = cast(ShopData, asked.data), cast(RecommendTask, asked.predictor.task)
    examples = splits_of(data)[cast(SplitName, asked.split)]
    ranks, top_UK = task.rank(asked.outputs["user"], task.encode(examples[:]))
    ours = user_metrics(ranks)
    histories, counts = liked_histories(data)
    liked = Liked(histories, len(data.catalogue))
    rows = [_row("this model", "", ours, top_UK, counts, None, None)]
    wanted = [*LINEAR, *(FACTORIZATION if is_installed() else ()), *SASREC]
    if not is_installed():
        asked.console.print("ALS and BPR are left out: the package `implicit` is not installed (extra `baselines`).")
    trials = sum(len(baseline.settings) for baseline in wanted)
    with progress_bar(asked.console, "Tuning") as progress:
        done = 0
        for baseline in wanted:
            started = time.monotonic()
            settings, scorer = _tuned(baseline, liked, splits_of(data)["validation"])
            done += len(baseline.settings)
            progress(done, trials)
            found, tops = measure(scorer, examples)
            seconds = time.monotonic() - started
            rows.append(_row(baseline.name, _told(settings), found, tops, counts, ours, seconds))
    notes = Table(COLUMNS, tuple(rows))
    return Evaluation({}, {"baselines": notes})


def measure(scorer: Scorer, examples: UserExamples) -> tuple[dict[str, FloatArray], "np.ndarray[Any, np.dtype[Any]]"]:
    """One value a user of each figure, and the lists."""
    ranks, tops = [], []
    for part, histories in _parts(examples):
        shown = examples[part]
        scores = np.nan_to_num(scorer(histories), neginf=-1e30)
        found, top = rank_targets(scores, [one["seen"] for one in shown], [one["targets"] for one in shown])
        ranks.extend(found)
        tops.append(top)
    return user_metrics(ranks), np.concatenate(tops)


def _parts(examples: UserExamples) -> Iterator[tuple[slice, Sequence[Rows]]]:
    histories = liked_before(examples)
    return ((part, histories[part]) for part in chunks(len(examples)))


def _tuned(baseline: Baseline, liked: Liked, validation: UserExamples) -> tuple[Mapping[str, float], Scorer]:
    """The settings that are best on validation data."""
    best: tuple[float, Mapping[str, float], Scorer] | None = None
    for settings in baseline.settings:
        scorer = baseline.fit(liked, settings)
        if len(baseline.settings) == 1:
            return settings, scorer
        found = float(np.nanmean(measure(scorer, validation)[0][CHOSEN_BY]))
        if best is None or found > best[0]:
            best = (found, settings, scorer)
    assert best is not None
    return best[1], best[2]


def _row(
    name: str,
    settings: str,
    found: dict[str, FloatArray],
    top_UK: "np.ndarray[Any, np.dtype[Any]]",
    counts: "np.ndarray[Any, np.dtype[Any]]",
    ours: dict[str, FloatArray] | None,
    seconds: float | None,
) -> tuple[Any, ...]:
    figures = estimate_users(found, RESAMPLES)
    coverage = list_metrics(top_UK[:, :SHOWN], counts, None, 0)[f"coverage@{SHOWN}"]
    difference = None if ours is None else paired_difference(ours[CHOSEN_BY], found[CHOSEN_BY], RESAMPLES)
    known = None if seconds is None else round(seconds, 1)
    return (name, settings, figures[CHOSEN_BY], figures["recall@10"], figures["mrr"], coverage, difference, known)


def _told(settings: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:g}" for name, value in settings.items())
