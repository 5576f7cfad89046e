"""What the arrays of a problem mean: the contract between data, model, trainer, bundle and page."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from core.config import Record
from core.data.module import Example
from core.evaluation.decision import DecisionPolicy
from core.evaluation.evaluation import Evaluation

if TYPE_CHECKING:
    from torch import Tensor

Arrays = dict[str, npt.NDArray[Any]]
"""Name to array; the first axis is the example."""
Batch = TypeVar("Batch", bound=dict[str, Any])


class ArraySpec(Record):
    """One input or output of a served model, as bundle.json states it."""

    name: str
    """Name in the graph."""
    shape: tuple[int | str, ...]
    """Sizes, or symbols such as `batch`."""
    dtype: str
    """numpy name."""
    range: tuple[float, float] | None = None
    """Smallest and largest value; none = unbounded."""
    meaning: str
    """One sentence."""


class Answer(Protocol):
    """What a decoded prediction offers to programs; pages read its typed fields."""

    def to_json(self) -> dict[str, Any]: ...


class Task(ABC):
    """encode and decode serve training, evaluation, export and the page alike.

    Everything speaks numpy except `augment` and `loss`, which speak torch and import it themselves.
    """

    labels: tuple[str, ...] = ()
    """Names of the classes, where the task has classes."""
    novelty: Literal["features", "answers"] = "features"
    """What tells that an input is unlike the training data: how far its features lie, or how little answers fit it."""
    num_draws: int = 0
    """Uniform random numbers that `augment` needs for each example."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[ArraySpec, ...]:
        """The arrays that the model takes; what `encode` gives beyond them are targets."""

    @property
    def served_inputs(self) -> tuple[ArraySpec, ...]:
        """The arrays that the served graph takes, where they are others than in training."""
        return self.inputs

    @property
    @abstractmethod
    def outputs(self) -> tuple[ArraySpec, ...]:
        """The arrays that the served graph gives."""

    def open_assets(self, folder: Path) -> None:
        """Reads what serving needs beside config and schema, once it is made; `folder` need not be there."""
        del folder

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> Arrays:
        """Raw examples to arrays: inputs always, targets where the examples carry them.

        Raises:
            UserError: An example cannot be read.
        """

    def strata(self, arrays: Arrays) -> "npt.NDArray[np.int64] | None":
        """The class of each example, -1 where it belongs to none of them; None = the task has no classes."""
        return None

    def lengths(self, arrays: Arrays) -> "npt.NDArray[np.int64] | None":
        """How long each example is, so that those of a batch are alike; None = all are of one size."""
        return None

    def trim(self, batch: Batch) -> Batch:
        """Cuts off padding that no example of a batch needs; arrays and tensors alike."""
        return batch

    def as_served(self, batch: Arrays) -> Arrays:
        """What `encode` gave as the served graph takes it; see `served_inputs`."""
        return batch

    def is_measurable(self, example: Example) -> bool:
        """Whether an example's truth is one that this task can be measured against."""
        return example.get("label") in self.labels

    def picture(self, arrays: Arrays, row: int) -> bytes | None:
        """An encoded example as a PNG, for the contact sheet of the worst errors; None = it has no picture."""
        return None

    def augment(self, batch: "dict[str, Tensor]", draws: "Tensor", progress: float) -> "dict[str, Tensor]":
        """Varies a training batch.

        Args:
            batch: Inputs and targets.
            draws: (B, num_draws) uniform in [0, 1), the only randomness.
            progress: Share of the epochs done, in [0, 1).
        """
        return batch

    @abstractmethod
    def loss(self, outputs: "dict[str, Tensor]", batch: "dict[str, Tensor]") -> "Tensor":
        """Mean loss over the examples of a batch, so that it adds up over micro batches and processes."""

    @abstractmethod
    def evaluate(
        self,
        outputs: Arrays,
        arrays: Arrays,
        policy: DecisionPolicy | None = None,
        examples: Sequence[Example] = (),
        *,
        resamples: int = 0,
    ) -> Evaluation:
        """Metrics with intervals, tables and curves of served outputs against the targets in `arrays`.

        Args:
            outputs: As the served graph gives them (see `outputs`).
            arrays: As `encode` gives them, targets included.
            policy: Adds what the policy refused and its prediction sets; None while training.
            examples: Raw, for intervals by group and for subgroup tables; empty while training.
            resamples: Bootstrap resamples; 0 = no intervals (low = high = value).
        """

    @abstractmethod
    def decode(
        self, outputs: Arrays, arrays: Arrays, policy: DecisionPolicy, examples: Sequence[Example] = ()
    ) -> Sequence[Answer]:
        """Served outputs to typed answers, each answered, unsure or refused by the policy.

        Args:
            outputs: As the served graph gives them.
            arrays: As `encode` gives them.
            policy: Of the bundle.
            examples: Raw, for answers that point into them.
        """
