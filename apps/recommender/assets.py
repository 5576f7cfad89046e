"""What serving needs beside the model: vectors and texts of items, the graph that reads new ones, known histories."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from apps.recommender.cold_starts import mean_ndcg, measure_cold_starts, newest, targets_of, to_numpy, user_vectors
from apps.recommender.data import ShopData
from apps.recommender.histories import write_histories
from apps.recommender.item_index import write_index
from apps.recommender.item_store import EYE, FACTS, HISTORIES, ITEM_GRAPH, ITEMS
from apps.recommender.newcomers import KnownByText, draw_known, write_known
from apps.recommender.pictures import Pictures
from apps.recommender.start import liked_histories
from core.app import AssetJob
from core.data.catalogue import write_catalogue
from core.data.interaction_splits import UserExamples
from core.evaluation.evaluation import Evaluation
from core.export.bundle import ASSETS
from core.export.onnx import check_parity, export_onnx
from core.tasks.recommend import COUNTS, VECTORS, RecommendTask
from core.tasks.task import ArraySpec

if TYPE_CHECKING:
    from torch import Tensor

    from apps.recommender.app import RecommenderConfig
    from core.backbones.picture_encoder import PictureEncoder
    from core.backbones.two_tower import TwoTower

SHARES, FADES = (0.5, 1.0, 2.0, 4.0), (10.0, 30.0, 100.0, 1000.0)
"""How much texts may count in a history beside ids, and over how many events this may fade."""
SHORT = (1, 5)
"""Events of the histories that tell how much texts count at first."""
FITTED_ON = 2000
"""Users of the validation that both are chosen by."""
PROVEN_ON = 64
ASKING = 256
"""Users of the validation whose searches tell how hard the index must be searched."""
FloatArray = npt.NDArray[np.float32]


def make_items(job: AssetJob) -> Mapping[str, Evaluation]:
    """Writes assets/ of a run and gives what was measured of new items and users."""
    if not job.plan.is_main:
        return {}
    import torch

    model, task, data = cast("TwoTower", job.model), cast(RecommendTask, job.task), cast(ShopData, job.data)
    config = cast("RecommenderConfig", job.config)
    model.cpu().float().eval()
    model.settle()
    # From here on vectors hold what texts say of known items; how much it counts, the user's side knows.
    model.share_texts(1.0, 1.0)
    table = model.vectors().detach()
    table[0] = 0
    _fit_text_share(model, task, data, table)
    folder = job.folder / ASSETS
    folder.mkdir(parents=True, exist_ok=True)
    _, counts = liked_histories(data)
    np.save(folder / VECTORS, to_numpy(table))
    np.save(folder / COUNTS, counts)
    write_catalogue(data.catalogue, folder / ITEMS)
    asking = cast(UserExamples, data.splits["validation"]).first(ASKING)
    write_index(folder, targets_of(model, table), user_vectors(model, task, asking, table))
    rows = draw_known(model.touched[1:].numpy().nonzero()[0])
    with torch.no_grad():
        known = KnownByText(rows, to_numpy(model.told(torch.from_numpy(rows + 1)))[:, model.dimension :])
    write_known(folder, known)
    write_histories(data.split.log, data.catalogue.ids, folder / HISTORIES)
    facts = {
        "text_share": float(model.text_share),
        "text_fades": float(model.text_fades),
        **_export_item_graph(model, folder / ITEM_GRAPH, job),
    }
    if model.eye is not None and data.pictures is not None:
        facts["eye_parity"] = _export_eye(model.eye, data.pictures, folder / EYE, job)
    (folder / FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
    return measure_cold_starts(model, task, data, table, known, config.lists.new_item_place)


def item_specs(model: "TwoTower") -> tuple[ArraySpec, ...]:
    """What the graph of items takes."""
    specs = (
        ArraySpec(
            name="units",
            shape=("batch", model.units.shape[1], "slots"),
            dtype="int32",
            meaning="Units of title, tags, description.",
        ),
        ArraySpec(
            name="user", shape=("batch", model.dimension + 1), dtype="float32", meaning="Of whom to explain for."
        ),
    )
    if model.eye is None:
        return specs
    told = ArraySpec(name="pictures", shape=("batch", model.eye.size), dtype="float32", meaning="Told by the eye.")
    return (*specs, told)


def _export_item_graph(model: "TwoTower", file: Path, job: AssetJob) -> dict[str, float]:
    """Writes the graph of items, proven on real ones."""
    from core.backbones.two_tower import ItemGraph

    outputs = tuple(
        ArraySpec(name=name, shape=("batch",), dtype="float32", meaning="") for name in ("vector", "contributions")
    )
    units = model.units[1 : 1 + PROVEN_ON].numpy()
    users = np.random.default_rng(0).standard_normal((len(units), model.dimension + 1)).astype(np.float32)
    arrays = {"units": units, "user": users}
    if model.eye is not None:
        arrays["pictures"] = model.pictures[1 : 1 + PROVEN_ON].numpy()
    graph = ItemGraph(model).eval()
    traced = {name: np.concatenate([array, array])[:2] for name, array in arrays.items()}
    export_onnx(graph, traced, item_specs(model), outputs, file, opset=job.config.export.opset)
    parity = check_parity(graph, file, arrays, job.config.export.parity_tolerance)
    return {"parity": parity.largest_difference}


def _export_eye(eye: "PictureEncoder", pictures: Pictures, file: Path, job: AssetJob) -> float:
    """Writes the graph of pictures, proven on real ones; gives the largest difference."""
    px = pictures.pixels_NPP3.shape[1]
    taken = ArraySpec(name="pixels", shape=("batch", px, px, 3), dtype="uint8", meaning="A square of a picture.")
    given = ArraySpec(name="picture", shape=("batch",), dtype="float32", meaning="What the eye tells.")
    pixels = pictures.pixels_NPP3[pictures.there_N][:PROVEN_ON]
    pixels = pixels if len(pixels) > 1 else np.repeat(pictures.pixels_NPP3[:1], 2, axis=0)
    export_onnx(eye, {"pixels": pixels[:2]}, (taken,), (given,), file, opset=job.config.export.opset)
    return check_parity(eye, file, {"pixels": pixels}, job.config.export.parity_tolerance).largest_difference


def _fit_text_share(model: "TwoTower", task: RecommendTask, data: ShopData, table: "Tensor") -> None:
    """How much texts of known items count in a history beside their ids, by the nDCG of validation data.

    First how much of short histories, then how soon less of longer ones; none if they help neither.
    """
    validation = cast(UserExamples, data.splits["validation"]).first(FITTED_ON)
    if not len(validation):
        model.share_texts(0.0, 1.0)
        return
    targets = targets_of(model, table)

    def ndcg(share: float, fades: float, histories: Sequence[UserExamples]) -> float:
        model.share_texts(share, fades)
        return sum(mean_ndcg(user_vectors(model, task, one, table), targets, validation) for one in histories)

    short = [newest(validation, count) for count in SHORT]
    share = max((0.0, *SHARES), key=lambda one: ndcg(one, FADES[-1], short))
    fades = max(FADES, key=lambda one: ndcg(share, one, [validation]))
    model.share_texts(share, fades)
