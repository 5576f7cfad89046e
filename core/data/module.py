"""A data set ready for training: raw examples by split, the schema learnt from them, the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.config import Record
from core.data.report import DataReport

Example = Mapping[str, Any]
SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class DataModule:
    """Raw examples, their splits, the data report and the schema.

    Args:
        splits: Raw examples of each split. For images an example holds `image` (anything that
            `read_image` reads) and, where known, `label`, `mask`, `box`, `group`, `age`, `sex`, `site`.
        schema: Facts found in the training split, enough to rebuild the task without the data.
        report: What was found, rejected and suspected.
        fingerprint: SHA-256 over the content, the same for the same data.
    """

    splits: Mapping[SplitName, Sequence[Example]]
    schema: Record
    report: DataReport
    fingerprint: str
