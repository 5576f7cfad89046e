"""Finds the texts of a data set: a table, a folder of tables, class folders, CLINC's JSON, or the hub."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from core.data.hub_sets import is_saved_set, load_hub_tables
from core.data.module import SplitName
from core.data.report import Rejected
from core.data.split import as_split
from core.data.tables import is_table, read_table, read_utf8
from core.data.text_config import TextDataConfig
from core.data.text_rows import FoundTexts, TextRow
from core.data.text_tables import as_label, best_first, read_rows, with_answers_as_labels
from core.errors import UserError

HUB = "hub:"
ALLOWED = (
    "A CSV, TSV, JSONL, JSON or Parquet table, a folder of such tables, a folder of classes with .txt files, or hub:ID."
)


def find_texts(config: TextDataConfig, path: str) -> FoundTexts:
    """The rows of a data set, each with a label; where there are answers only, these are the labels.

    Args:
        config: Columns, and labels that mean out of scope.
        path: A file, a folder, or hub:ID.

    Raises:
        UserError: Nothing is there, or it holds no texts.
    """
    found = with_answers_as_labels(find_rows(config, path))
    if not found.rows:
        first = f" ({found.rejected[0].sentence})" if found.rejected else ""
        raise UserError(f"{path} holds no text with a label{first}.", ALLOWED, "Add some, or name the columns.")
    return FoundTexts(path, found.rows, found.notes, found.rejected)


def find_rows(config: TextDataConfig, path: str) -> FoundTexts:
    """The rows of a data set as they stand, those with the best answers first.

    Raises:
        UserError: Nothing is there, or it has no column of texts.
    """
    if path.startswith(HUB):
        return _from_hub(path.removeprefix(HUB), config)
    place = Path(path).expanduser()
    if not place.exists():
        raise UserError(f"There is nothing at {path}.", ALLOWED, "Correct --data.")
    return _from_folder(place, config) if place.is_dir() else _from_file(place, config)


def _from_file(path: Path, config: TextDataConfig, split: SplitName | None = None) -> FoundTexts:
    if path.suffix.lower() == ".json":
        content = _read_json(path)
        if isinstance(content, dict):
            return _from_splits(path, content, config)
    return read_rows(path.name, best_first(read_table(path), config), config, split)


def _from_splits(path: Path, content: dict[str, Any], config: TextDataConfig) -> FoundTexts:
    """A JSON object of splits, each a list of [text, label] pairs, as CLINC150 has it, or of objects."""
    found = FoundTexts(path.name, [])
    for name, items in content.items():
        is_outside = name.startswith(("oos_", "ood_"))
        split = as_split(name.removeprefix("oos_").removeprefix("ood_"))
        if split is None or not isinstance(items, list):
            found.notes.append(f"{path.name}: {name} is not used: it is no list of a split")
            continue
        if items and all(isinstance(item, dict) for item in items):
            part = read_rows(f"{path.name} {name}", pd.DataFrame(items, dtype=object), config, split)
            found.rows += part.rows
            found.rejected += part.rejected
            found.notes += [note for note in part.notes if note not in found.notes]
            continue
        for number, item in enumerate(items, 1):
            place = f"{path.name} {name} {number}"
            if not (isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item)):
                sentence = f"{place} is not [text, label]."
                found.rejected.append(Rejected(path=place, reason="no_pair", sentence=sentence))
            elif not item[0].strip():
                found.rejected.append(Rejected(path=place, reason="empty_text", sentence=f"{place} has no text."))
            else:
                label = "" if is_outside else as_label(item[1].strip(), config)
                found.rows.append(TextRow(item[0].strip(), label, split, place=place))
    return found


def _from_folder(folder: Path, config: TextDataConfig) -> FoundTexts:
    if is_saved_set(folder):
        return _from_hub(str(folder), config)
    tables = sorted(file for file in folder.iterdir() if file.is_file() and is_table(file))
    named = [file for file in tables if as_split(file.stem)]
    if named:
        return _merged(str(folder), [_from_file(file, config, as_split(file.stem)) for file in named], tables, named)
    if classes := sorted(folder.glob("*/*.txt")) or sorted(folder.glob("*/*/*.txt")):
        return _from_class_folders(folder, classes, config)
    if not tables:
        raise UserError(f"{folder} holds no texts.", ALLOWED, "Put a table into it, or name the file itself.")
    if len(tables) > 1:
        raise UserError(
            f"{folder} holds {len(tables)} tables: {', '.join(file.name for file in tables[:5])}.",
            "Tables of splits are called train, validation and test.",
            f"Rename them, or name one: --data {tables[0]}",
        )
    return _from_file(tables[0], config)


def _from_class_folders(folder: Path, files: list[Path], config: TextDataConfig) -> FoundTexts:
    """label/a.txt, or split/label/a.txt: one text a file."""
    found = FoundTexts(str(folder), [])
    for file in files:
        parts = file.relative_to(folder).parts
        label, split = as_label(parts[-2], config), as_split(parts[0]) if len(parts) == 3 else None
        text = read_utf8(file).strip()
        if text:
            found.rows.append(TextRow(text, label, split, place="/".join(parts)))
        else:
            name = "/".join(parts)
            found.rejected.append(Rejected(path=name, reason="empty_text", sentence=f"{name} has no text."))
    return found


def _from_hub(name: str, config: TextDataConfig) -> FoundTexts:
    parts = load_hub_tables(name)
    found = [
        read_rows(word, best_first(frame, config), config, as_split(word))
        for word, frame in parts.items()
        if as_split(word) or len(parts) == 1
    ]
    unused = [f"split {word} is not used" for word in parts if not as_split(word) and len(parts) > 1]
    merged = _merged(name, found, [], [])
    merged.notes += unused
    return merged


def _merged(source: str, parts: list[FoundTexts], tables: list[Path], used: list[Path]) -> FoundTexts:
    merged = FoundTexts(source, [])
    for part in parts:
        merged.rows += part.rows
        merged.rejected += part.rejected
        merged.notes += [note for note in part.notes if note not in merged.notes]
    merged.notes += [f"{file.name} is not used: its name is no split" for file in tables if file not in used]
    return merged


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_utf8(path))
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}: line {error.lineno} is not JSON ({error.msg}).",
            "A JSON list of objects, or an object of splits.",
            "Correct that line.",
        ) from None
