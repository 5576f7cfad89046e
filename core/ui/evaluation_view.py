"""What a bundle says about its own quality, for the page: headline figures, the table of each label, plots."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.serving.predictor import Predictor
from core.texts import Language, Text
from core.ui.translations import inline
from core.ui.widgets import Tile, table, tiles

NO_FIGURES = Text("This bundle holds no evaluation.", "该模型包中没有评估结果。")
Names = Mapping[str, Text]


def read_evaluation(predictor: Predictor, part: str = "test") -> dict[str, Any]:
    """What the bundle says about its test examples, or another part; empty where it was not measured."""
    metrics = predictor.read_json("metrics.json")
    found = metrics.get(part) if isinstance(metrics, dict) else None
    return found if isinstance(found, dict) else {}


def read_table(evaluation: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The rows of a table of an evaluation; none where there is no such table."""
    found = evaluation.get("tables", {}).get(name)
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]] if found else []


def headline(metrics: Mapping[str, Any], names: Names, language: Language, *, digits: int = 2) -> str:
    """The figures that there are, in the order of the names, with so many digits after the point."""
    shown = [Tile(name.in_language(language), metrics[key]) for key, name in names.items() if key in metrics]
    return tiles(shown, digits=digits) if shown else f'<p class="quiet">{NO_FIGURES.in_language(language)}</p>'


def label_table(
    rows: list[dict[str, Any]], columns: Names, name_label: Callable[[str, Language], str], language: Language
) -> str:
    """The figures of each label.

    Args:
        rows: Of the table `per_label`.
        columns: Those to show, with their headings.
        name_label: A label in readable words.
        language: Of the page.
    """
    kept = [column for column in columns if rows and column in rows[0]]
    cells = [[name_label(str(row[key]), language) if key == "label" else row[key] for key in kept] for row in rows]
    return table([columns[key].in_language(language) for key in kept], cells, empty=NO_FIGURES.in_language(language))


def render_plots(predictor: Predictor, captions: Names) -> str:
    """The plots of the run, or drawn from the bundle's own curves where it lies elsewhere."""
    figures = []
    for name, picture in load_plots(predictor, captions).items():
        caption = captions.get(name, Text(name.replace("_", " "), name.replace("_", " ")))
        data = base64.b64encode(picture).decode()
        shown = f'<img alt="" src="data:image/png;base64,{data}">'
        figures.append(f"<figure><figcaption>{inline(caption)}</figcaption>{shown}</figure>")
    return f'<div class="plots">{"".join(figures)}</div>'


def load_plots(predictor: Predictor, captions: Names) -> dict[str, bytes]:
    """Name to PNG file, those with a caption first."""
    names = list(captions)
    folder = predictor.bundle.path.resolve().parent / "plots"

    def order(file: Path) -> tuple[int, str]:
        return (names.index(file.stem) if file.stem in names else len(names), file.stem)

    if files := sorted(folder.glob("*.png"), key=order):
        return {file.stem: file.read_bytes() for file in files}
    from core.evaluation.plots import draw_curves

    return draw_curves(read_evaluation(predictor).get("curves", {}))
