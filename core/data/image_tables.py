"""Tables beside images: which table matches, which row belongs to which file, what the row says."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.columns import as_known_word, as_word, map_columns, normalise
from core.data.image_cells import FileIndex, locate_cell
from core.data.image_config import ImageColumns
from core.data.image_folders import ImageFile
from core.data.image_rows import IMAGE_SYNONYMS, Box, Content, FoundImages, ImageRow
from core.data.module import SplitName
from core.data.report import Rejected
from core.data.split import as_split
from core.data.tables import read_table
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

BOX_SIDES = ("xmin", "ymin", "xmax", "ymax")
SEXES = {"m": "male", "f": "female", "man": "male", "woman": "female"}
MAX_AGE = 130


@dataclass(frozen=True)
class ImageTable:
    """A table whose columns are known by role.

    Args:
        name: File name, for messages.
        rows: One mapping of column to cell a row.
        columns: Role to column.
        split: Named by the file, e.g. train.csv.
    """

    name: str
    rows: list[dict[str, Any]]
    columns: Mapping[str, str]
    notes: tuple[str, ...]
    split: SplitName | None = None

    def cell(self, row: Mapping[str, Any], role: str) -> Any:
        """The cell of a role, or None."""
        return row.get(self.columns[role]) if role in self.columns else None

    def word(self, row: Mapping[str, Any], role: str) -> str | None:
        """The cell of a role as a word, or None when it is empty; `unknown` is a label, but no group, age or sex."""
        cell = self.cell(row, role)
        return as_word(cell) if role in ("label", "image") else as_known_word(cell)


def load_image_table(path: Path, columns: ImageColumns, split: SplitName | None = None) -> ImageTable:
    """Reads a table and finds out what its columns are."""
    return make_image_table(path.name, read_table(path), columns, split)


def make_image_table(
    name: str, frame: "pd.DataFrame", columns: ImageColumns, split: SplitName | None = None
) -> ImageTable:
    """A table whose columns are mapped to roles."""
    rows: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
    names = [str(column) for column in frame.columns]

    def holds_splits(column: str) -> bool:
        words = {word for row in rows if (word := as_known_word(row[column]))}
        return bool(words) and all(as_split(word) for word in words)

    mapped = map_columns(names, columns.model_dump(), IMAGE_SYNONYMS, {"split": holds_splits})
    sides = [side for side in BOX_SIDES if side in mapped.columns]
    kept = {role: column for role, column in mapped.columns.items() if role not in BOX_SIDES or len(sides) == 4}
    return ImageTable(name, rows, kept, tuple(f"{name}: {note}" for note in mapped.notes), split)


def image_column(table: ImageTable, index: FileIndex, given: str | None) -> tuple[str | None, int]:
    """The column that holds or names most images, and how many rows it finds one for."""
    spellings = {normalise(name) for name in IMAGE_SYNONYMS["image"]}
    columns = list(table.rows[0]) if table.rows else []
    candidates = [given] if given else [name for name in columns if normalise(name) in spellings]
    best: tuple[str | None, int] = (None, 0)
    for column in candidates:
        found = sum(locate_cell(row.get(column), 0, table.name, index) is not None for row in table.rows)
        if found > best[1]:
            best = (column, found)
    return best


def with_image_column(table: ImageTable, column: str) -> ImageTable:
    """The table with another column as its image column; no other role keeps that column."""
    columns = {role: name for role, name in table.columns.items() if name != column} | {"image": column}
    notes = tuple(note for note in table.notes if not note.endswith(" is read as image"))
    note = () if normalise(column) == "image" else (f"{table.name}: column {column} is read as image",)
    return replace(table, columns=columns, notes=(*notes, *note))


def table_rows(table: ImageTable, index: FileIndex) -> FoundImages:
    """One image row a table row; rows of one image are joined, and left out if their labels differ."""
    found = FoundImages(table.name, [], list(table.notes))
    by_path: dict[str, list[ImageRow]] = defaultdict(list)
    for number, cells in enumerate(table.rows, 1):
        base = locate_cell(table.cell(cells, "image"), number, table.name, index)
        if base is None:
            found.rejected.append(_missing(table, table.word(cells, "image"), number))
        else:
            by_path[base.path].append(describe(base, table, cells))
    for path, rows in by_path.items():
        joined = _joined(rows)
        if joined is None:
            sentence = f"{table.name} gives it several labels: {', '.join(sorted({str(row.label) for row in rows}))}."
            found.rejected.append(Rejected(path=path, reason="conflicting_label", sentence=sentence))
        else:
            found.rows.append(joined)
    return found


def describe(base: ImageRow, table: ImageTable, cells: Mapping[str, Any]) -> ImageRow:
    """Adds what a table row says; what is known already stays."""
    return replace(
        base,
        label=base.label or table.word(cells, "label"),
        split=base.split or _split(table, cells),
        group=base.group or table.word(cells, "group"),
        mask=base.mask or _mask(table, cells),
        boxes=base.boxes or _boxes(table, cells),
        age=_age(table.word(cells, "age")),
        sex=_lower(table.word(cells, "sex"), SEXES),
        site=_lower(table.word(cells, "site"), {}),
    )


def is_purer(images: Sequence[ImageFile], labels: Sequence[str | None]) -> bool:
    """Whether folders are classes, judged by a table's labels: each folder then holds (nearly) one label.

    Folders like part_1 and part_2 hold all labels alike; class folders hold one each, even if spelt otherwise.
    """
    pairs = [(image.label, label) for image, label in zip(images, labels, strict=True) if image.label and label]
    if not pairs:
        return True
    by_folder: dict[str, Counter[str]] = defaultdict(Counter)
    for folder, label in pairs:
        by_folder[folder][label] += 1
    purity = sum(max(counts.values()) for counts in by_folder.values()) / len(pairs)
    baseline = max(Counter(label for _, label in pairs).values()) / len(pairs)
    return len(by_folder) > 1 and purity - baseline >= 0.5 * (1 - baseline)


def _missing(table: ImageTable, name: str | None, number: int) -> Rejected:
    row = f"{table.name} row {number}"
    sentence = f"{row} names an image that is not there." if name else f"{row} names no image."
    return Rejected(path=name or row, reason="missing", sentence=sentence)


def _mask(table: ImageTable, cells: Mapping[str, Any]) -> Content | None:
    """Mask of a row: bytes, or a path still relative to the data set."""
    cell = table.cell(cells, "mask")
    if isinstance(cell, dict):
        cell = cell.get("bytes") or cell.get("path")
    if isinstance(cell, bytes):
        data = cell
        return lambda: data
    word = as_known_word(cell)
    return Path(word.replace("\\", "/")) if word else None


def _split(table: ImageTable, cells: Mapping[str, Any]) -> SplitName | None:
    word = table.word(cells, "split")
    if word is None:
        return table.split
    split = as_split(word)
    if split is None:
        raise UserError(
            f"{table.name}: `{word}` in column {table.columns['split']} is no split.",
            "Splits are train, validation (valid, val, dev) and test.",
            "Correct the cells, or name another column: --data.columns.split NAME.",
        )
    return split


def _boxes(table: ImageTable, cells: Mapping[str, Any]) -> tuple[Box, ...]:
    words = [table.word(cells, side) for side in BOX_SIDES]
    try:
        numbers = [float(word) for word in words if word is not None]
    except ValueError:
        raise UserError(
            f"{table.name}: the box {words} is not four numbers.", "Boxes are in pixels.", "Correct the row."
        ) from None
    return ((numbers[0], numbers[1], numbers[2], numbers[3]),) if len(numbers) == 4 else ()


def _age(word: str | None) -> float | None:
    try:
        age = float(word) if word else math.nan
    except ValueError:
        return None
    return age if 0 <= age <= MAX_AGE else None


def _lower(word: str | None, spellings: Mapping[str, str]) -> str | None:
    return spellings.get(word.casefold(), word.casefold()) if word else None


def _joined(rows: Sequence[ImageRow]) -> ImageRow | None:
    if len({row.label for row in rows}) > 1:
        return None
    boxes = dict.fromkeys(box for row in rows for box in row.boxes)
    return replace(rows[0], boxes=tuple(boxes))
