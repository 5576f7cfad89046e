"""Which text answers which query: pairs in, vectors that lie close out.

Shapes: B pairs of a batch, N pairs, D dimensions, T texts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from core.data.module import Example
from core.evaluation.decision import DecisionPolicy
from core.evaluation.evaluation import Evaluation
from core.evaluation.ranking import ranked_gains, ranking_metrics
from core.tasks.task import Arrays, ArraySpec, Task

if TYPE_CHECKING:
    from torch import Tensor

Trim = Callable[[Mapping[str, Any], str], dict[str, Any]]


class MatchTask(Task):
    """A query and a text that answers it; examples hold `query`, `text`, and `label`, the number of the entry.

    An example with `is_query` false is no query: its text is only one more that may be mistaken for the right one.

    Args:
        tokenise: Texts to the encoder's arrays, one row each.
        specs: Of these arrays.
        trim: Cuts padding off the arrays whose names begin with a prefix.
    """

    def __init__(
        self, tokenise: Callable[[Sequence[str]], Arrays], specs: Sequence[ArraySpec], trim: Trim | None = None
    ) -> None:
        self.tokenise, self.specs, self.trim_one = tokenise, tuple(specs), trim

    @property
    def inputs(self) -> tuple[ArraySpec, ...]:
        return tuple(
            spec.model_copy(update={"name": f"{prefix}_{spec.name}", "shape": (spec.shape[0], f"{prefix}_length")})
            for prefix in ("query", "text")
            for spec in self.specs
        )

    @property
    def outputs(self) -> tuple[ArraySpec, ...]:
        return tuple(
            ArraySpec(name=f"{prefix}_vector", shape=("batch", "dimension"), dtype="float32", meaning="Unit vector.")
            for prefix in ("query", "text")
        )

    def encode(self, examples: Sequence[Example]) -> Arrays:
        arrays = {
            f"{prefix}_{name}": array
            for prefix in ("query", "text")
            for name, array in self.tokenise([str(example[prefix]) for example in examples]).items()
        }
        arrays["label"] = np.array([example["label"] for example in examples], np.int64)
        arrays["is_query"] = np.array([example.get("is_query", True) for example in examples], np.bool_)
        return arrays

    def trim(self, batch: Any) -> Any:
        for prefix in ("query_", "text_") if self.trim_one else ():
            assert self.trim_one is not None
            batch = self.trim_one(batch, prefix)
        return batch

    def loss(self, outputs: "dict[str, Tensor]", batch: "dict[str, Tensor]") -> "Tensor":
        """Each query must choose its text among those of the batch, and each text its query.

        Pairs of the same entry are no mistakes of each other. Cut into smaller micro batches there is less to choose
        from, so that the micro batch counts here.

        Source: van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018 (InfoNCE);
            both ways as in Radford et al., Learning Transferable Visual Models, ICML 2021.
        """
        import torch
        import torch.nn.functional as F

        similarity_BB = outputs["query_vector"] @ outputs["text_vector"].T * outputs["scale"]
        label_B = batch["label"]
        pair_B = torch.arange(len(label_B), device=label_B.device)
        is_same_BB = (label_B[:, None] == label_B) & (pair_B[:, None] != pair_B)
        similarity_BB = similarity_BB.masked_fill(is_same_BB, -torch.inf)
        return (F.cross_entropy(similarity_BB, pair_B) + F.cross_entropy(similarity_BB.T, pair_B)) / 2

    def evaluate(
        self,
        outputs: Arrays,
        arrays: Arrays,
        policy: DecisionPolicy | None = None,
        examples: Sequence[Example] = (),
        *,
        resamples: int = 0,
    ) -> Evaluation:
        """How high the right entry stands among all entries of the split."""
        is_query_N = arrays["is_query"]
        scores_NE, right_NE = entry_scores(
            outputs["query_vector"][is_query_N], arrays["label"][is_query_N], outputs["text_vector"], arrays["label"]
        )
        gains_NE = ranked_gains(scores_NE, right_NE)
        return Evaluation(ranking_metrics(gains_NE, ndcg_depths=(), resamples=resamples))

    def decode(
        self, outputs: Arrays, arrays: Arrays, policy: DecisionPolicy, examples: Sequence[Example] = ()
    ) -> NoReturn:
        raise AssertionError("vectors are no answer: a knowledge base is searched with them")


def entry_scores(
    query_ND: npt.NDArray[np.float32],
    label_N: npt.NDArray[np.int64],
    text_TD: npt.NDArray[np.float32],
    label_T: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Cosine of each query with the best text of each entry, and which entry is the right one."""
    order_T = np.argsort(label_T, kind="stable")
    entries_E, first_E = np.unique(label_T[order_T], return_index=True)
    scores_NE = np.maximum.reduceat(query_ND @ text_TD[order_T].T, first_E, axis=1)
    return scores_NE, entries_E[None] == label_N[:, None]
