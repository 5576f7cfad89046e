"""Which items suit a user: histories in, ranked lists out.

Shapes: B users, L events of a history, S seen items, T targets, N items of the catalogue, D dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.data.event_log import UNKNOWN_TIME
from core.data.module import Example
from core.errors import UserError
from core.evaluation.decision import DecisionPolicy
from core.evaluation.evaluation import Evaluation
from core.evaluation.recommendation import (
    DEPTH,
    chunks,
    estimate_users,
    list_metrics,
    rank_targets,
    user_metrics,
)
from core.tasks.recommend_schema import RecommendSchema
from core.tasks.task import Arrays, ArraySpec, Batch, Task

if TYPE_CHECKING:
    from torch import Tensor

VECTORS, COUNTS = "item_vectors.npy", "item_likings.npy"
"""Files in assets/: vectors of all items (N + 1, 2 D + 1) and their likings in training (N,)."""
DAY_S = 86_400
SHOWN = 10


@dataclass(frozen=True)
class Recommended:
    """A ranked list for one user.

    Args:
        rows: Of the items in the catalogue, the best first.
        scores: Of the same.
    """

    rows: tuple[int, ...]
    scores: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"rows": list(self.rows), "scores": [round(score, 4) for score in self.scores]}


class RecommendTask(Task):
    """Histories as arrays, and ranked lists back; examples are those of core.data.interaction_splits.

    Args:
        schema: Learnt from the training split.
        text_loss: How much it counts that a text gives its id's vector.
    """

    def __init__(self, schema: RecommendSchema, text_loss: float = 0.0) -> None:
        self.schema, self.text_loss = schema, text_loss
        self.vectors: npt.NDArray[np.float32] | None = None
        self.likings: npt.NDArray[np.int64] | None = None

    @property
    def inputs(self) -> tuple[ArraySpec, ...]:
        def spec(name: str, dtype: str, meaning: str, size: int | str = "length") -> ArraySpec:
            return ArraySpec(name=name, shape=("batch", size), dtype=dtype, meaning=meaning)

        return (
            spec("items", "int32", "Row + 1 of the items of a history, oldest first; 0 = padding before them."),
            *self._beside(),
            spec("seen", "int32", "Row + 1 of what is not ranked; 0 = none.", "seen"),
            spec("targets", "int32", "Row + 1 of what came to be liked; 0 = none.", "targets"),
        )

    @property
    def served_inputs(self) -> tuple[ArraySpec, ...]:
        history = ArraySpec(
            name="history",
            shape=("batch", "length", "vector"),
            dtype="float32",
            meaning="Vectors of the items of a history, oldest first; zeros = padding before them.",
        )
        return (history, *self._beside())

    @staticmethod
    def _beside() -> tuple[ArraySpec, ...]:
        told = (
            (
                "kinds",
                "int32",
                "Kind of each event + 1, more by the number of kinds where it was disliked; 0 = padding.",
            ),
            ("ages", "float32", "ln(1 + days) before the newest event."),
            ("liked", "bool", "Whether the user liked the item."),
        )
        return tuple(
            ArraySpec(name=name, shape=("batch", "length"), dtype=dtype, meaning=meaning)
            for name, dtype, meaning in told
        )

    @property
    def outputs(self) -> tuple[ArraySpec, ...]:
        meaning = "Times the target half of an item's vector it gives the score; the last number meets the bias."
        return (ArraySpec(name="user", shape=("batch", "dimension"), dtype="float32", meaning=meaning),)

    def open_assets(self, folder: Path) -> None:
        """Reads the vectors of the items; before they are made there are none."""
        if not (folder / VECTORS).is_file():
            return
        vectors, likings = (np.load(folder / name, allow_pickle=False) for name in (VECTORS, COUNTS))
        if len(vectors) != self.schema.num_items + 1 or len(likings) != self.schema.num_items:
            raise UserError(
                f"{folder} holds vectors of {len(vectors) - 1:,} items, the model knows {self.schema.num_items:,}.",
                "Model and items come from one training.",
                "Copy the bundle again from where it came, or export it again.",
            )
        self.vectors, self.likings = vectors, likings

    def encode(self, examples: Sequence[Example]) -> Arrays:
        shape = (len(examples), self.schema.max_history)
        is_held_out = any(len(example.get("targets", ())) for example in examples)
        widths = (self.schema.max_seen, self.schema.max_targets) if is_held_out else (1, 1)
        arrays: Arrays = {
            "items": np.zeros(shape, np.int32),
            "kinds": np.zeros(shape, np.int32),
            "ages": np.zeros(shape, np.float32),
            "liked": np.zeros(shape, np.bool_),
            "seen": np.zeros((len(examples), widths[0]), np.int32),
            "targets": np.zeros((len(examples), widths[1]), np.int32),
        }
        for at, example in enumerate(examples):
            rows = np.asarray(example["rows"])[-self.schema.max_history :]
            if not len(rows):
                continue
            weights, times = (np.asarray(example[name])[-len(rows) :] for name in ("weights", "times"))
            kinds = np.asarray(example["kinds"])[-len(rows) :].astype(np.int32) + 1
            arrays["items"][at, -len(rows) :] = rows + 1
            arrays["kinds"][at, -len(rows) :] = np.where(weights > 0, kinds, kinds + len(self.schema.kinds))
            arrays["liked"][at, -len(rows) :] = weights > 0
            arrays["ages"][at, -len(rows) :] = np.where(
                times == UNKNOWN_TIME, 0.0, np.log1p(np.maximum(0, times[-1] - times) / DAY_S)
            )
            targets = np.asarray(example.get("targets", ()))[: self.schema.max_targets]
            if len(targets):
                seen = np.asarray(example["seen"])[: self.schema.max_seen]
                arrays["seen"][at, : len(seen)] = seen + 1
                arrays["targets"][at, : len(targets)] = targets + 1
        return arrays

    def as_served(self, batch: Arrays) -> Arrays:
        assert self.vectors is not None, "items are opened before anything is served"
        return {**batch, "history": self.vectors[batch["items"]]}

    def lengths(self, arrays: Arrays) -> npt.NDArray[np.int64]:
        return np.asarray((arrays["items"] > 0).sum(axis=1), np.int64)

    def trim(self, batch: Batch) -> Batch:
        """Cuts off the padding before the histories."""
        longest = max(2, int((batch["items"] > 0).sum(1).max()))
        trimmed = {name: batch[name][:, -longest:] for name in ("items", "kinds", "ages", "liked")}
        return {**batch, **trimmed}  # type: ignore[return-value]

    def is_measurable(self, example: Example) -> bool:
        return len(example.get("targets", ())) > 0

    def loss(self, outputs: "dict[str, Tensor]", batch: "dict[str, Tensor]") -> "Tensor":
        from core.tasks.recommend_loss import recommend_loss

        return recommend_loss(outputs, batch, self.text_loss)

    def evaluate(
        self,
        outputs: Arrays,
        arrays: Arrays,
        policy: DecisionPolicy | None = None,
        examples: Sequence[Example] = (),
        *,
        resamples: int = 0,
    ) -> Evaluation:
        """Ranks among all items that a user has not seen; what lists show only of served outputs."""
        targets_BT = arrays["targets"]
        if "ranks" in outputs:
            found = estimate_users(user_metrics(_per_user(outputs["ranks"], targets_BT)), 0)
            new = estimate_users(user_metrics(_per_user(outputs["new_ranks"], targets_BT)), 0)
            return Evaluation({**found, "new_ndcg@10": new["ndcg@10"]})
        ranks, top_UK = self.rank(outputs["user"], arrays)
        metrics = estimate_users(user_metrics(ranks), resamples)
        assert self.vectors is not None
        assert self.likings is not None
        targets_ND = self._targets(outputs["user"])[:, :-1]
        shown = list_metrics(top_UK[:, :SHOWN], self.likings, targets_ND, resamples)
        return Evaluation({**metrics, **shown})

    def rank(self, user_BD: npt.NDArray[np.float32], arrays: Arrays) -> tuple[list[Any], npt.NDArray[np.int64]]:
        """Rank of each target among all unseen items, user by user, and the rows of the best items of each."""
        target_ND = self._targets(user_BD)
        ranks: list[Any] = []
        tops = []
        for part in chunks(len(user_BD)):
            seen = [row[row > 0] - 1 for row in arrays["seen"][part]]
            wanted = [row[row > 0] - 1 for row in arrays["targets"][part]]
            found, top_UK = rank_targets(user_BD[part] @ target_ND.T, seen, wanted)
            ranks.extend(found)
            tops.append(top_UK)
        return ranks, np.concatenate(tops) if tops else np.zeros((0, DEPTH), np.int64)

    def decode(
        self, outputs: Arrays, arrays: Arrays, policy: DecisionPolicy, examples: Sequence[Example] = ()
    ) -> list[Recommended]:
        """The best items of each user that are not in the history."""
        answers = []
        for user_D, items_L in zip(outputs["user"], arrays["items"], strict=True):
            scores_N = self._targets(outputs["user"]) @ user_D
            scores_N[items_L[items_L > 0] - 1] = -np.inf
            best = np.argsort(-scores_N, kind="stable")[:SHOWN]
            best = best[np.isfinite(scores_N[best])]
            answers.append(Recommended(tuple(map(int, best)), tuple(map(float, scores_N[best]))))
        return answers

    def _targets(self, user_BD: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, D + 1): what the vectors of users are multiplied with."""
        assert self.vectors is not None, "items are opened before anything is ranked"
        return self.vectors[1:, -user_BD.shape[1] :]


def _per_user(ranks_BT: npt.NDArray[Any], targets_BT: npt.NDArray[Any]) -> list[npt.NDArray[np.int64]]:
    """Ranks of the targets that there are; below 0 stands what was not ranked."""
    width = ranks_BT.shape[1]
    padded = np.full(targets_BT.shape, -1, np.int64)
    padded[:, :width] = ranks_BT
    return [ranks[(wanted > 0) & (ranks >= 0)] for ranks, wanted in zip(padded, targets_BT, strict=True)]
