"""Finds the images of a data set, not yet decoded, whatever its form: class folders, table, npz, hub."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.data.image_cells import FileIndex
from core.data.image_config import ImageDataConfig
from core.data.image_files import IMAGE_SUFFIXES
from core.data.image_folders import Folder, check_folder, scan_folder
from core.data.image_masks import FoundMasks, find_masks, read_voc
from core.data.image_rows import FoundImages, ImageRow
from core.data.image_tables import (
    ImageTable,
    describe,
    image_column,
    is_purer,
    load_image_table,
    table_rows,
    with_image_column,
)
from core.data.module import SplitName
from core.data.report import Rejected
from core.data.split import as_split
from core.data.tables import is_table
from core.errors import UsageError, UserError

HUB_PREFIX = "hub:"
SAVED_DATASET_FILES = ("state.json", "dataset_dict.json")
FORMS = "Data is class folders, a folder with a table, a table, an .npz file, DICOM in class folders, or hub:ID."


def find_images(config: ImageDataConfig, path: str) -> FoundImages:
    """Finds the rows of a data set without decoding an image.

    Args:
        config: Columns, masks.
        path: A folder, a file, or hub:ID.

    Raises:
        UserError: Nothing is there, or it has no labels; says what would be right.
    """
    found = _find(config, path)
    unlabelled = [row for row in found.rows if row.label is None]
    if found.rows and len(unlabelled) == len(found.rows):
        raise UserError(
            f"No image in {path} has a label.",
            "A label is the folder that an image lies in, or a column of a table (label, class, dx, ...).",
            "Sort the images into class folders, or name the column: --data.columns.label NAME.",
        )
    found.rejected += [Rejected(path=row.path, reason="no_label", sentence="It has no label.") for row in unlabelled]
    found.rows = sorted((row for row in found.rows if row.label is not None), key=lambda row: row.path)
    if not found.rows:
        first = f" ({found.rejected[0].path}: {found.rejected[0].sentence})" if found.rejected else ""
        raise UserError(f"No usable image was found in {path}{first}.", FORMS, "Correct --data.")
    return found


def _find(config: ImageDataConfig, path: str) -> FoundImages:
    if path.startswith(HUB_PREFIX):
        from core.data.hub_images import find_hub_images

        return find_hub_images(path.removeprefix(HUB_PREFIX), config)
    root = Path(path).expanduser()
    check_folder(root)
    if root.is_dir():
        return _in_folder(root, config)
    if root.suffix.lower() == ".npz":
        return _in_npz(root, config)
    if is_table(root):
        return _in_table_file(root, config)
    raise UserError(f"{root} is one file, and no table.", FORMS, "Give the folder that holds the images.")


def _in_folder(root: Path, config: ImageDataConfig) -> FoundImages:
    if any((root / name).is_file() for name in SAVED_DATASET_FILES):
        from core.data.hub_images import find_hub_images

        return find_hub_images(str(root), config)
    mask_folder = [] if config.masks in ("auto", "none") else [root / config.masks, Path(config.masks)]
    folder = scan_folder(root, mask_folder)
    arrays = sorted(root.glob("*.npz"))
    if not folder.images and len(arrays) == 1:
        return _in_npz(arrays[0], config)
    if not folder.images and not folder.tables:
        raise UserError(f"{root} holds no images.", FORMS, f"Images end in {', '.join(sorted(IMAGE_SUFFIXES))}.")
    index = FileIndex(root, folder.images)
    tables, notes = _choose_tables(folder.tables, config, index)
    found = _combine(root, folder, tables, config, index)
    found.notes[:0] = [*folder.notes, *notes]
    return _with_masks(found, root, config)


def _in_table_file(path: Path, config: ImageDataConfig) -> FoundImages:
    table = load_image_table(path, config.columns, as_split(path.stem))
    root = path.parent
    index = FileIndex(root, [])
    column, count = image_column(table, index, config.columns.image)
    if count < len(table.rows):  # ids, or names without their folder: the files must be listed
        index = FileIndex(root, scan_folder(root).images)
        column, count = image_column(table, index, config.columns.image)
    if column is None:
        raise _no_image_column(table)
    found = _from_tables(root, [with_image_column(table, column)], index)
    found.source = str(path)
    return _with_masks(found, root, config)


def _in_npz(path: Path, config: ImageDataConfig) -> FoundImages:
    from core.data.npz_images import find_npz_images

    _check_no_columns(config, f"{path} is an .npz file")
    return find_npz_images(path)


def _choose_tables(
    paths: Sequence[Path], config: ImageDataConfig, index: FileIndex
) -> tuple[list[ImageTable], list[str]]:
    """The tables that name images: those that are called like splits, else the one that names most."""
    matches: list[tuple[int, ImageTable]] = []
    notes: dict[str, str] = {}
    errors: list[UserError] = []
    for path in paths:
        try:
            table = load_image_table(path, config.columns, _split_of(path))
        except UserError as error:
            errors.append(error)
            notes[path.name] = error.what
            continue
        column, count = image_column(table, index, config.columns.image)
        notes[path.name] = "it names no image here" if column is None else "another table names more"
        if column is not None:
            matches.append((count, with_image_column(table, column)))
    by_split = [table for _, table in matches if table.split]
    used = by_split or [table for _, table in sorted(matches, key=lambda match: (-match[0], len(match[1].rows)))[:1]]
    if not used and errors and (any(config.columns.model_dump().values()) or not index.has_labels):
        raise errors[0]
    names = {table.name for table in used}
    return used, [f"{name} is not used: {why}" for name, why in notes.items() if name not in names]


def _split_of(path: Path) -> SplitName | None:
    """train.csv and train-00000-of-00002.parquet are of the training split."""
    return as_split(path.stem) or as_split(path.stem.split("-")[0])


def _combine(
    root: Path, folder: Folder, tables: Sequence[ImageTable], config: ImageDataConfig, index: FileIndex
) -> FoundImages:
    if not tables:
        if not folder.images:
            raise UserError(f"{root} holds no images that its tables name.", FORMS, "Give the folder that holds both.")
        _check_no_columns(config, f"{root} has no table that names its images")
        return _from_folders(root, folder)
    if folder.images and len(tables) == 1:
        cells = {image.name: row for row in tables[0].rows if (image := index.find(str(tables[0].cell(row, "image"))))}
        labels = [
            tables[0].word(cells[image.name], "label") if image.name in cells else None for image in folder.images
        ]
        in_classes = config.columns.label is None and index.has_labels
        if in_classes and is_purer(folder.images, labels):
            return _joined(root, folder, tables[0], cells)
    return _from_tables(root, tables, index)


def _from_folders(root: Path, folder: Folder) -> FoundImages:
    placed = [image for image in folder.images if image.label]
    if placed and folder.empty_classes:
        raise UserError(
            f"The class folder {folder.empty_classes[0]} in {root} holds no image.",
            "Each folder beside the images is a class and holds at least one.",
            "Fill it, or remove it.",
        )
    found = FoundImages(
        str(root), [ImageRow(i.name, i.path, label=i.label, split=i.split) for i in placed or folder.images]
    )
    loose = len(folder.images) - len(placed)
    if placed and loose:
        found.notes.append(f"{loose} images lie in no class folder and are ignored")
    return found


def _joined(root: Path, folder: Folder, table: ImageTable, cells: Mapping[str, Mapping[str, object]]) -> FoundImages:
    """Class folders with a table beside them: folders say label and split, the table says the rest."""
    found = _from_folders(root, folder)
    found.notes += table.notes
    known = [row for row in found.rows if row.path in cells]
    spoken = {row.path: describe(replace(row, label=None, split=None), table, cells[row.path]) for row in known}
    folders = {row.label for row in found.rows}
    said = {row.label for row in spoken.values()} - {None}
    if said and not said & folders:
        found.notes.append(
            f"{table.name} spells labels otherwise ({', '.join(sorted(map(str, said))[:3])}, ...): the folder counts"
        )
    else:
        found.notes += _disagreement(table, "label", [(row.label, spoken[row.path].label) for row in known])
    found.notes += _disagreement(table, "split", [(row.split, spoken[row.path].split) for row in known])
    found.rows = [describe(row, table, cells[row.path]) if row.path in cells else row for row in found.rows]
    if len(known) < len(found.rows):
        found.notes.append(f"{len(found.rows) - len(known)} images have no row in {table.name}")
    if len(cells) < len(table.rows):
        found.notes.append(f"{len(table.rows) - len(cells)} rows of {table.name} have no image here, or a second row")
    return found


def _disagreement(table: ImageTable, role: str, pairs: Sequence[tuple[str | None, str | None]]) -> list[str]:
    different = Counter(pair for pair in pairs if pair[0] and pair[1] and pair[0] != pair[1])
    if not different:
        return []
    first, second = different.most_common(1)[0][0]
    count = sum(different.values())
    return [
        f"{table.name} gives {count} images another {role} than their folder ({second} in {first}): the folder counts"
    ]


def _from_tables(root: Path, tables: Sequence[ImageTable], index: FileIndex) -> FoundImages:
    found = FoundImages(str(root), [])
    for table in tables:
        part = table_rows(table, index)
        found.rows += part.rows
        found.notes += part.notes
        found.rejected += part.rejected
    twice = [name for name, count in Counter(row.path for row in found.rows).items() if count > 1]
    if twice:
        raise UserError(
            f"{twice[0]} stands in two tables.", "An image belongs to one split.", "Remove it from one table."
        )
    return found


def _with_masks(found: FoundImages, root: Path, config: ImageDataConfig) -> FoundImages:
    """Adds masks found as files; boxes where there is no mask; a label where only the box file names it."""
    if config.masks == "none":
        found.rows = [replace(row, mask=None, boxes=()) for row in found.rows]
        return found
    masks = find_masks(root, config.masks)
    found.rows = [_with_boxes(_with_mask(row, root, masks), masks) for row in found.rows]
    return found


def _with_mask(row: ImageRow, root: Path, masks: FoundMasks) -> ImageRow:
    """The mask that the table names, if it is there; else the one named like the image."""
    if row.mask is not None and not isinstance(row.mask, Path):
        return row
    named = root / row.mask if row.mask else None
    is_there = named is not None and named.is_file()
    return replace(row, mask=named if is_there else masks.mask_of(row.path) or named)


def _with_boxes(row: ImageRow, masks: FoundMasks) -> ImageRow:
    xml = masks.xml_of(row.path)
    if xml is None or (row.label and (row.mask or row.boxes)):
        return row
    boxes, names = read_voc(xml)
    sizes = [(xmax - xmin) * (ymax - ymin) for xmin, ymin, xmax, ymax in boxes]
    largest = names[sizes.index(max(sizes))] if sizes else None
    return replace(row, boxes=row.boxes or tuple(boxes), label=row.label or largest or None)


def _check_no_columns(config: ImageDataConfig, why: str) -> None:
    given = [role for role, column in config.columns.model_dump().items() if column]
    if given:
        raise UsageError(
            f"--data.columns.{given[0]} is set, but {why}.",
            "Columns belong to a table.",
            "Leave it out, or give the table.",
        )


def _no_image_column(table: ImageTable) -> UserError:
    columns = ", ".join(list(table.rows[0])[:12])
    return UserError(
        f"{table.name} has no column whose cells name image files.",
        f"Its columns: {columns}. Paths are relative to the table's folder; ids are looked up as file names.",
        "Name the column: --data.columns.image NAME; or put the table beside the images.",
    )
