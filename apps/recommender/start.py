"""What the data tells of items before anything is trained: vectors in closed form, of ids and of the units of texts.

Legend: N items, n of them with likings and a trained text, D dimensions, V units.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from apps.recommender.app import RecommenderConfig
from apps.recommender.data import ShopData, encode_items
from apps.recommender.pictures import Pictures
from core.backbones.item_factors import DENSE_BELOW, Met, fit_item_factors
from core.data.interaction_splits import TRAIN
from core.data.vocabulary import TextEncoder
from core.evaluation.recommendation import chunks
from core.tasks.recommend_schema import RecommendSchema

ENCODED_AT_ONCE = 2048
LENGTH_SHARE = 0.1
"""How much the number of tags counts beside the bag: of what is known much is told."""

if TYPE_CHECKING:
    from core.backbones.two_tower import TwoTower
    from core.data.module import DataModule


def start_towers(config: RecommenderConfig, data: "DataModule", model: Any) -> None:
    """Fills a fresh model: texts of the items, how often each was liked, vectors of ids and of units."""
    shop, towers = cast(ShopData, data), cast("TwoTower", model)
    schema = cast(RecommendSchema, data.schema)
    texts = [shop.catalogue.text_of(row) for row in range(len(shop.catalogue))]
    units_NWU = encode_items(config.model.text, TextEncoder(schema.vocabulary), texts)
    _, counts_N = liked_histories(shop)
    held_out = draw_held_out(counts_N, config.model.text.held_out_share, config.seed)
    touched_N = np.zeros(len(shop.catalogue), np.bool_)
    touched_N[shop.split.log.row_E[shop.split.part_E == TRAIN]] = True
    towers.start(units_NWU, counts_N, touched_N, held_out)
    if shop.pictures is not None:
        see_pictures(towers, shop.pictures)
    if config.model.start.enabled:
        bag_NV = bag_of(towers, np.arange(1, len(shop.catalogue) + 1))
        met = met_histories(shop, config)
        towers.begin_at(fit_item_factors(met, len(shop.catalogue), config.model, bag_NV))
        start_text(towers, config.model.text.ridge, config.model.picture.share)


def liked_histories(shop: ShopData) -> tuple[list[npt.NDArray[np.int32]], npt.NDArray[np.int64]]:
    """What each user liked in training, oldest first, each item once; and how many users liked each item."""
    log = shop.split.log
    chosen = (shop.split.part_E == TRAIN) & (log.weight_E > 0)
    rows, users = log.row_E[chosen], log.user_E[chosen]
    edges = np.searchsorted(users, np.arange(len(log.users) + 1))
    histories = []
    for first, stop in pairwise(edges.tolist()):
        if stop > first:
            _, places = np.unique(rows[first:stop], return_index=True)
            histories.append(rows[first:stop][np.sort(places)])
    counts = np.bincount(np.concatenate(histories) if histories else [], minlength=len(shop.catalogue))
    return histories, counts.astype(np.int64)


def met_histories(shop: ShopData, config: RecommenderConfig) -> list[Met]:
    """What each user met in training, oldest first, each item once, liked if any event says so.

    What was sent away, by kinds of negative weight, is left out: it tells of no taste, and not of what comes next.
    """
    log = shop.split.log
    is_met_K = np.array([config.data.kinds[kind] > 0 for kind in log.kinds])
    chosen = (shop.split.part_E == TRAIN) & is_met_K[log.kind_E]
    rows, users, liked = log.row_E[chosen], log.user_E[chosen], log.weight_E[chosen] > 0
    edges = np.searchsorted(users, np.arange(len(log.users) + 1))
    histories = []
    for first, stop in pairwise(edges.tolist()):
        if stop > first:
            items, places, which = np.unique(rows[first:stop], return_index=True, return_inverse=True)
            is_liked = np.zeros(len(items), np.bool_)
            is_liked[which[liked[first:stop]]] = True
            order = np.argsort(places)
            histories.append(Met(items[order], is_liked[order]))
    return histories


def draw_held_out(counts_N: npt.NDArray[np.int64], share: float, seed: int) -> npt.NDArray[np.int64]:
    """Rows of known items whose texts are not trained on."""
    known = np.flatnonzero(counts_N)
    drawn = np.random.default_rng([seed, 0x7E87]).permutation(known)[: round(share * len(known))]
    return np.sort(drawn)


def see_pictures(towers: "TwoTower", pictures: Pictures) -> None:
    """What the eye of a fresh model tells of each picture."""
    import torch

    eye, rows = towers.eye, np.flatnonzero(pictures.there_N)
    if eye is None or not len(rows):
        return
    with torch.no_grad():
        parts = (rows[part] for part in chunks(len(rows)))
        pooled = torch.cat([eye.pooled(torch.from_numpy(pictures.pixels_NPP3[part])) for part in parts])
        eye.fit(pooled)
        told = torch.nn.functional.normalize((pooled - eye.center) / eye.spread, dim=1)
        towers.pictures[torch.from_numpy(rows) + 1] = told


def start_text(towers: "TwoTower", ridge: float, picture_share: float) -> None:
    """Kernel ridge regression from the bag of units, the number of tags and the picture to the vectors of the ids.

    It is solved over items, of which there are fewer than units; beyond some thousands over a part of them.
    """
    import torch

    trained = towers.trained_text.nonzero().squeeze(1)
    if not len(trained):
        return
    if len(trained) > DENSE_BELOW:
        trained = trained[torch.linspace(0, len(trained) - 1, DENSE_BELOW).long()]
    with torch.no_grad():
        lengths_nF = towers.text.log_lengths(towers.units[trained].long()).numpy().astype(np.float64) * (0, 1, 0)
    bag_nV = bag_of(towers, trained.numpy())
    kernel_nn = (bag_nV @ bag_nV.T).toarray() + LENGTH_SHARE * lengths_nF @ lengths_nF.T
    pictures_nF = towers.pictures[trained].double().numpy()
    kernel_nn += picture_share * pictures_nF @ pictures_nF.T
    kernel_nn[np.diag_indices(len(kernel_nn))] += ridge
    told, dimension = towers.told_dimension, towers.dimension
    columns = [*range(told), *range(dimension, dimension + told), 2 * dimension]
    dual_nR = np.linalg.solve(kernel_nn, towers.ids[trained].detach().double().numpy()[:, columns])
    with torch.no_grad():
        towers.text.bag.copy_(torch.from_numpy(bag_nV.T @ dual_nR))
        towers.text.lengths.weight.copy_(torch.from_numpy(LENGTH_SHARE * (lengths_nF.T @ dual_nR).T))
        if towers.picture is not None:
            towers.picture.weight.copy_(torch.from_numpy(picture_share * (pictures_nF.T @ dual_nR).T))


def bag_of(towers: "TwoTower", numbers: npt.NDArray[np.int64]) -> Any:
    """How much each unit of their texts says of some items, (n, V), sparse."""
    import torch
    from scipy.sparse import csr_matrix, vstack

    parts = []
    for part in chunks(len(numbers), ENCODED_AT_ONCE):
        with torch.no_grad():
            units_nWU = towers.units[torch.from_numpy(numbers[part])].long()
            weights_nWU = towers.text.weights(units_nWU)
        rows = np.repeat(np.arange(len(units_nWU)), units_nWU[0].numel())
        values, columns = weights_nWU.numpy().reshape(-1).astype(np.float64), units_nWU.numpy().reshape(-1)
        said = values != 0
        parts.append(csr_matrix((values[said], (rows[said], columns[said])), (len(units_nWU), len(towers.text.bag))))
    return vstack(parts, format="csr")
