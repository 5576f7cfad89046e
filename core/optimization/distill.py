"""A small model learns what a large one says: a teacher's bundle gives soft labels, through ONNX Runtime.

Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015.

Shapes: N texts, K labels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.app import AppSpec, Progress
from core.data.columns import as_word, map_columns
from core.data.module import Example
from core.data.tables import read_table, read_utf8
from core.data.text_rows import TEXT_SYNONYMS
from core.errors import UserError
from core.optimization.distill_config import DistillConfig
from core.optimization.variations import replace_words, vary_texts
from core.serving.predictor import Predictor, load_predictor

SoftLabels = npt.NDArray[np.float16]
BATCH = 64
SHOWN_LABELS = 3


def taught_examples(
    examples: Sequence[Example],
    labels: Sequence[str],
    config: DistillConfig,
    spec: AppSpec,
    *,
    near: Mapping[str, Sequence[str]] | None = None,
    seed: int,
    progress: Progress,
) -> list[Example]:
    """Training examples with a teacher's opinion (`soft_label`), and after them texts that only it has labelled.

    Args:
        examples: The training split; each holds `text` and `label` (empty = out of scope).
        labels: The K labels in the student's order.
        config: The teacher and what else it is asked about.
        spec: The app of both models.
        near: Neighbours of words, for replacements.
        seed: Draws the variations.
        progress: Called with (done, total) texts.

    Raises:
        UserError: No bundle of this app, other labels, or a table that cannot be read.
    """
    texts = [str(example["text"]) for example in examples]
    more = unlabelled_texts(Path(config.unlabelled).expanduser()) if config.unlabelled else []
    if config.variations:
        more += vary_texts(texts, [str(example["label"]) for example in examples], config.variations, seed=seed)
    if config.replacements:
        assert near is not None
        more += replace_words([*texts, *more], near, config.replacements, seed=seed)
    known = set(texts)
    more = [text for text in dict.fromkeys(more) if text not in known]
    soft_NK = soft_labels(
        Path(config.teacher), spec, labels, [*texts, *more], temperature=config.temperature, progress=progress
    )
    everything: list[Example] = [*examples, *({"text": text, "label": "", "path": "unlabelled"} for text in more)]
    return [{**example, "soft_label": soft_K} for example, soft_K in zip(everything, soft_NK, strict=True)]


def soft_labels(
    teacher: Path,
    spec: AppSpec,
    labels: Sequence[str],
    texts: Sequence[str],
    *,
    temperature: float = 1.0,
    progress: Progress,
) -> SoftLabels:
    """A teacher's probabilities (N, K), in the order of the student's labels.

    Args:
        teacher: A run or a bundle.
        spec: Its app.
        labels: The K labels.
        texts: To judge.
        temperature: Above 1 flattens them.
        progress: Called with (done, total) texts.

    Raises:
        UserError: Not a whole bundle of this app, or its labels are others.
    """
    predictor = load_predictor(teacher.expanduser(), spec)
    column_K = _columns(teacher, predictor.task.labels, labels)
    probabilities_NK = _probabilities(predictor, texts, progress)[:, column_K].astype(np.float64)
    softened_NK = probabilities_NK ** (1 / temperature)
    return np.asarray(softened_NK / softened_NK.sum(axis=1, keepdims=True), np.float16)


def unlabelled_texts(path: Path) -> list[str]:
    """The texts of a table, of which other columns are left aside, or the lines of a .txt file.

    Raises:
        UserError: It cannot be read, or has no column of texts.
    """
    if path.suffix.lower() == ".txt":
        texts = read_utf8(path).splitlines()
    else:
        table = read_table(path)
        names = [str(name) for name in table.columns]
        column = map_columns(names, {}, {"text": TEXT_SYNONYMS["text"]}).columns.get("text")
        if column is None:
            raise UserError(
                f"{path} has no column of texts; its columns: {', '.join(names)}.",
                "Texts are in a column called text, utterance, question, message or the like.",
                "Rename it.",
            )
        texts = [as_word(cell) or "" for cell in table[column]]
    return [text.strip() for text in texts if text.strip()]


def _columns(teacher: Path, theirs: Sequence[str], ours: Sequence[str]) -> npt.NDArray[np.int64]:
    """Where each of our labels stands among the teacher's."""
    if set(theirs) != set(ours):
        missing, extra = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
        raise UserError(
            f"The teacher {teacher} has other labels: "
            + "; ".join(
                f"{len(names)} {word} ({', '.join(names[:SHOWN_LABELS])}{', ...' if len(names) > SHOWN_LABELS else ''})"
                for word, names in (("missing", missing), ("more", extra))
                if names
            )
            + ".",
            "A teacher was trained on the same labels as its student.",
            "Train a teacher on this data, or give the data that it was trained on.",
        )
    place = {label: column for column, label in enumerate(theirs)}
    return np.array([place[label] for label in ours], np.int64)


def _probabilities(predictor: Predictor, texts: Sequence[str], progress: Progress) -> npt.NDArray[np.float32]:
    """Of all texts, those of like length together: a batch is as slow as its longest text."""
    task = predictor.task
    arrays = task.encode([{"text": text} for text in texts])
    length_N = task.lengths(arrays)
    order_N = np.arange(len(texts)) if length_N is None else np.argsort(length_N, kind="stable")
    probabilities_NK = np.empty((len(texts), len(task.labels)), np.float32)
    for start in range(0, len(texts), BATCH):
        rows = order_N[start : start + BATCH]
        batch = task.trim({name: array[rows] for name, array in arrays.items()})
        probabilities_NK[rows] = predictor.session.run(batch)["probabilities"]
        progress(start + len(rows), len(texts))
    return probabilities_NK
