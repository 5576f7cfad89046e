"""How well those are served of whom little is known: new items, from their texts, and new users, from a few events.

Shapes: B users, N items, D dimensions.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from apps.recommender.data import ShopData
from apps.recommender.newcomers import KnownByText, give_place
from apps.recommender.start import bag_of
from core.data.interaction_splits import UserExamples
from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.recommendation import chunks, estimate_users, rank_targets, user_metrics
from core.evaluation.uncertainty import Estimate
from core.tasks.recommend import RecommendTask

if TYPE_CHECKING:
    from torch import Tensor

    from core.backbones.two_tower import TwoTower

RESAMPLES = 1000
FIRST_EVENTS = (1, 2, 5)
"""How many events a new user has had, in the table of new users."""
FloatArray = npt.NDArray[np.float32]


def user_vectors(model: "TwoTower", task: RecommendTask, examples: UserExamples, table: "Tensor") -> FloatArray:
    """(B, D + 1), from PyTorch; `table` holds the vectors of all items, as `model.vectors()` gives them."""
    import torch

    parts = [np.zeros((0, model.dimension + 1), np.float32)]
    for part in chunks(len(examples)):
        arrays = task.trim(task.encode(examples[part]))
        history = table[torch.from_numpy(arrays["items"]).long()]
        beside = {name: torch.from_numpy(arrays[name].copy()) for name in ("kinds", "ages", "liked")}
        with torch.no_grad():
            parts.append(to_numpy(model.serve(history=history, **beside)["user"]))
    return np.concatenate(parts)


def _ranks(
    users: FloatArray, targets_ND: FloatArray, examples: UserExamples, only: npt.NDArray[np.int32] | None = None
) -> list[npt.NDArray[np.integer]]:
    """Ranks of the targets among unseen items, or among some items alone."""
    return _ranks_of(lambda part: users[part] @ targets_ND.T, len(targets_ND), examples, only)


def _ranks_of(
    score: Callable[[slice], FloatArray],
    num_items: int,
    examples: UserExamples,
    only: npt.NDArray[np.int32] | None = None,
) -> list[npt.NDArray[np.integer]]:
    found: list[npt.NDArray[np.integer]] = []
    for part in chunks(len(examples)):
        shown = examples[part]
        seen = [example["seen"] for example in shown]
        if only is not None:
            others = np.setdiff1d(np.arange(num_items), only)
            seen = [np.union1d(rows, others) for rows in seen]
        found.extend(rank_targets(score(part), seen, [example["targets"] for example in shown])[0])
    return found


def mean_ndcg(users: FloatArray, targets_ND: FloatArray, examples: UserExamples) -> float:
    """Mean over users of nDCG@10 among all unseen items."""
    return float(np.nanmean(user_metrics(_ranks(users, targets_ND, examples))["ndcg@10"]))


def newest(examples: UserExamples, count: int) -> UserExamples:
    """The same users as if nothing were known of them but their newest events."""
    firsts = np.maximum(examples.firsts, examples.stops - count)
    return UserExamples(examples.log, examples.users, firsts, examples.stops, examples.targets, count)


def measure_cold_starts(
    model: "TwoTower",
    task: RecommendTask,
    data: ShopData,
    table: "Tensor",
    known: KnownByText,
    place: int,
) -> dict[str, Evaluation]:
    """Tables of new users, and of new items where some were kept from training.

    Args:
        model: Trained.
        task: Of it.
        data: Of it.
        table: Vectors of all items.
        known: Items to compare new ones with.
        place: That a list keeps for a new item; 0 = none.
    """
    found = {"new users": _new_users(model, task, table, cast(UserExamples, data.splits["test"]))}
    if len(data.split.cold_rows) and len(data.split.cold):
        found["new items"] = _new_items(model, task, table, data, known, place)
    return found


def _new_items(
    model: "TwoTower", task: RecommendTask, table: "Tensor", data: ShopData, known: KnownByText, place: int
) -> Evaluation:
    """Items that were taken out of training wholly, as if they were added after it.

    Ranked among themselves, among all by their texts alone, and in lists that keep a place for one of them; and what
    that place takes from likings of other items.
    """
    cold, rows = data.split.cold, data.split.cold_rows
    users, targets_ND = user_vectors(model, task, cold, table), targets_of(model, table)
    alike = _alike(model, cold)
    among = _figures(_ranks(users, targets_ND, cold, rows))
    overall = _figures(_ranks(users, targets_ND, cold))
    test = cast(UserExamples, data.splits["test"])
    test_users = user_vectors(model, task, test, table)

    def in_lists(users: FloatArray, examples: UserExamples) -> list[npt.NDArray[np.integer]]:
        def score(part: slice) -> FloatArray:
            score_BN = users[part] @ targets_ND.T
            if place:
                seen = [example["seen"] for example in examples[part]]
                give_place(score_BN, users[part], seen, rows, known, place)
            return score_BN

        return _ranks_of(score, len(targets_ND), examples)

    listed = _figures(in_lists(users, cold))
    others = [_figures(ranks) for ranks in (_ranks(test_users, targets_ND, test), in_lists(test_users, test))]
    shown = (
        ("among new items", among),
        ("among all items, by text alone", overall),
        ("among all items, with a place for one", listed),
        ("texts like those liked, among new items", _figures(_ranks_of(alike, len(targets_ND), cold, rows))),
        ("texts like those liked, among all items", _figures(_ranks_of(alike, len(targets_ND), cold))),
        ("other items, in lists without that place", others[0]),
        ("other items, in lists with it", others[1]),
    )
    told = tuple((name, one["ndcg@10"], one["recall@10"], one["mrr"]) for name, one in shown)
    metrics = {
        "ndcg@10_among_new": among["ndcg@10"],
        "ndcg@10_by_text_alone": overall["ndcg@10"],
        "ndcg@10_among_all": listed["ndcg@10"],
        "ndcg@10_of_others_without_the_place": others[0]["ndcg@10"],
        "ndcg@10_of_others": others[1]["ndcg@10"],
    }
    return Evaluation(metrics, {"new_items": Table(("ranked", "ndcg@10", "recall@10", "mrr"), told)})


def _figures(ranks: list[npt.NDArray[np.integer]]) -> dict[str, Estimate]:
    return estimate_users(user_metrics(ranks), RESAMPLES)


def _alike(model: "TwoTower", examples: UserExamples) -> Callable[[slice], FloatArray]:
    """What one would do without a model: items whose texts are like those of what the user liked."""
    from scipy.sparse import csr_matrix

    bag_NV = bag_of(model, np.arange(1, len(model.ids)))
    norm_N = np.sqrt(np.asarray(bag_NV.multiply(bag_NV).sum(axis=1)).ravel())
    bag_NV = bag_NV.multiply(1 / np.maximum(norm_N, 1e-9)[:, None]).tocsr()

    def score(part: slice) -> FloatArray:
        liked = [example["rows"][example["weights"] > 0] for example in examples[part]]
        counts = np.repeat(np.arange(len(liked)), [len(rows) for rows in liked])
        member = csr_matrix((np.ones(len(counts)), (counts, np.concatenate(liked))), (len(liked), bag_NV.shape[0]))
        scores: FloatArray = ((member @ bag_NV) @ bag_NV.T).toarray()
        return scores

    return score


def _new_users(model: "TwoTower", task: RecommendTask, table: "Tensor", test: UserExamples) -> Evaluation:
    """The users of the test as if nothing were known of them but their newest events."""
    rows, metrics, targets_ND = [], {}, targets_of(model, table)
    for count in FIRST_EVENTS:
        users = user_vectors(model, task, newest(test, count), table)
        # What they had seen before is left out all the same, so that figures differ by what is known alone.
        figures = _figures(_ranks(users, targets_ND, test))
        rows.append((count, figures["ndcg@10"], figures["recall@10"], figures["mrr"]))
        metrics[f"ndcg@10_after_{count}"] = figures["ndcg@10"]
    return Evaluation(metrics, {"new_users": Table(("events_known", "ndcg@10", "recall@10", "mrr"), tuple(rows))})


def targets_of(model: "TwoTower", table: "Tensor") -> FloatArray:
    """(N, D + 1): what a user's vector is multiplied with."""
    return to_numpy(model.targets(table))[1:]


def to_numpy(tensor: object) -> FloatArray:
    """A tensor's numbers."""
    return tensor.detach().numpy()  # type: ignore[attr-defined,no-any-return]
