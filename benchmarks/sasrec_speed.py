"""How soon the best validation nDCG@10 of a plain SASRec is reached: by itself, and by the suite's model.

Both learn from the same training split of the same data on one core, one after the other. The plain one is the
baseline of `evaluate --baselines`: PyTorch, ids alone, two layers of 64 numbers, cross-entropy over all items; it is
measured after every epoch, and what measuring takes is not counted. The suite's model (preset `cpu`) begins with its
closed form, which is measured before anything else is trained; the clock runs from the loaded data on.
"""

import argparse
import time

import numpy as np
import torch

from apps.recommender.app import SPEC, RecommenderConfig, build_model, build_task, start_model
from apps.recommender.baselines.compare import measure
from apps.recommender.baselines.sasrec import SasRec, scorer_of, train_epochs
from apps.recommender.baselines.scorer import Liked
from apps.recommender.cold_starts import targets_of, user_vectors
from apps.recommender.data import ShopData, load_shop, splits_of
from apps.recommender.start import liked_histories
from core.config import resolve_config
from core.evaluation.recommendation import chunks, rank_targets, user_metrics

SIZE, DROPOUT, EPOCHS = 64, 0.3, 20


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.sasrec_speed", description=__doc__)
    parser.add_argument("--data", default="../shared/data/movielens-latest-small", help="a folder of items and events")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    overrides = {"data.path": arguments.data}
    config = resolve_config(RecommenderConfig, SPEC.configs / "cpu.yaml", overrides).config
    data = load_shop(config, lambda *_: None)
    best, seconds = plain(data, arguments.epochs)
    ours, our_seconds = suite(config, data)
    print(f"plain SASRec: best validation nDCG@10 {best:.4f} after {seconds:.1f} s")
    print(f"the suite's closed form: {ours:.4f} after {our_seconds:.1f} s")
    reached = f"{our_seconds / seconds:.2f} of its time" if ours >= best else "not reached by the closed form alone"
    print(f"ratio: {reached} (aim: at most 0.5)")


def plain(data: ShopData, epochs: int) -> tuple[float, float]:
    """The best of all epochs, and the seconds of training until then."""
    torch.manual_seed(0)
    liked = Liked(liked_histories(data)[0], len(data.catalogue))
    model = SasRec(liked.num_items, SIZE, DROPOUT)
    best, at, spent = -1.0, 0.0, 0.0
    started = time.monotonic()
    for epoch, _ in enumerate(train_epochs(model, liked, epochs), 1):
        spent += time.monotonic() - started
        figures, _ = measure(scorer_of(model, liked.num_items), splits_of(data)["validation"])
        found = float(np.nanmean(figures["ndcg@10"]))
        print(f"epoch {epoch}: {found:.4f} after {spent:.1f} s", flush=True)
        if found > best:
            best, at = found, spent
        started = time.monotonic()
    return best, at


def suite(config: RecommenderConfig, data: ShopData) -> tuple[float, float]:
    """What the closed form reaches, and its seconds."""
    started = time.monotonic()
    torch.manual_seed(0)
    model = build_model(config, data.schema).eval()  # type: ignore[arg-type]
    start_model(config, data, model)
    seconds = time.monotonic() - started
    examples = splits_of(data)["validation"]
    task = build_task(config, data.schema)  # type: ignore[arg-type]
    table = model.vectors().detach()  # type: ignore[operator]
    users = user_vectors(model, task, examples, table)  # type: ignore[arg-type]
    targets_ND = targets_of(model, table)  # type: ignore[arg-type]
    ranks = []
    for part in chunks(len(examples)):
        shown = examples[part]
        scores = users[part] @ targets_ND.T
        ranks.extend(rank_targets(scores, [one["seen"] for one in shown], [one["targets"] for one in shown])[0])
    return float(np.nanmean(user_metrics(ranks)["ndcg@10"])), seconds


if __name__ == "__main__":
    main()
