"""What other lists would have earned, from what was shown and done: weights by inverse chances.

A place of a logged list counts as often as the new way of making lists would have put the same item there, divided by
how likely the old one was to do so. What a place earns is taken to depend on its item and place alone.

Sources: Horvitz and Thompson, A Generalization of Sampling Without Replacement, JASA 1952; Swaminathan and Joachims,
The Self-Normalized Estimator for Counterfactual Learning, NeurIPS 2015; Li et al., Offline Evaluation of Ranking
Policies with Click Models, KDD 2018 (the item-position model).

Legend: L lists, S places that were shown.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluation.uncertainty import Estimate, bootstrap, divide

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class OffPolicy:
    """Mean earnings of a list.

    Args:
        logged: Of the lists that were shown.
        inverse_propensity: Of the new ones; right on average, whatever was shown.
        self_normalised: Of the new ones; a little off on few lists, and much steadier.
        effective_lists: So many lists that were made the new way would tell as much.
        never_shown: Share of the places of the new lists whose item had no chance to stand there: of these the log
            tells nothing, and both estimates take them to be worth as much as the others or nothing.
    """

    logged: Estimate
    inverse_propensity: Estimate
    self_normalised: Estimate
    effective_lists: float
    never_shown: float


def estimate_off_policy(
    list_S: npt.NDArray[np.integer],
    chance_S: FloatArray,
    new_chance_S: FloatArray,
    reward_S: FloatArray,
    num_lists: int,
    *,
    groups: Sequence[Hashable] | None = None,
    never_shown: float = 0.0,
    resamples: int = 1000,
    seed: int = 0,
) -> OffPolicy:
    """Estimates with 95 % intervals.

    Args:
        list_S: Number of the list (from 0) of each place.
        chance_S: How likely its item was to stand there.
        new_chance_S: How likely it is to stand there in the new list.
        reward_S: What was earned there.
        num_lists: L.
        groups: One a list, such as its user: lists of one are not independent.
        never_shown: See `OffPolicy`; only who makes the new lists knows it.
        resamples: Bootstrap resamples.
        seed: Of the resamples.
    """
    weight_S = divide(new_chance_S, chance_S)
    per_list = {
        name: np.bincount(list_S, value_S, num_lists)
        for name, value_S in (
            ("reward", reward_S),
            ("weighted", weight_S * reward_S),
            ("weight", weight_S),
            ("places", np.ones(len(list_S))),
        )
    }

    def means(counts_LR: FloatArray) -> dict[str, FloatArray]:
        total = {name: value_L @ counts_LR for name, value_L in per_list.items()}
        lists = counts_LR.sum(axis=0)
        return {
            "logged": divide(total["reward"], lists),
            "ips": divide(total["weighted"], lists),
            # Weights add up to the number of places on average; what they add up to here takes its place.
            "snips": divide(total["weighted"], total["weight"]) * divide(total["places"], lists),
        }

    nothing = Estimate.exact(np.nan)
    found = bootstrap(means, num_lists, resamples, seed, groups) if num_lists else {}
    square = float(np.square(weight_S).sum())
    places = max(1.0, len(list_S) / max(1, num_lists))
    return OffPolicy(
        found.get("logged", nothing),
        found.get("ips", nothing),
        found.get("snips", nothing),
        float(weight_S.sum() ** 2 / square / places) if square else 0.0,
        never_shown,
    )
