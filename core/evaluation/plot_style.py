"""One look for every plot: size, colours, fonts that know Chinese, and how a figure becomes bytes.

matplotlib is imported inside functions and drawn without pyplot, so that no window, no global figure and no import
cost reaches a server.
"""

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ImageFormat = Literal["png", "svg"]

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PALETTE = (BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#8A6D00", "#444444", "#7B5CD6", "#A0522D")
"""Okabe and Ito 2008 (told apart by colour-blind readers), its yellow darkened, two more added."""
INK, FAINT, GRID = "#1f2328", "#59636e", "#d8dee4"
FONTS = (
    "Noto Sans",
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Heiti SC",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)
"""Tried in this order for every character; those that a machine lacks are skipped."""
DOTS_PER_INCH = 160
LINE_STYLES = ("-", "--", ":", "-.")


@cache
def installed_fonts() -> tuple[str, ...]:
    """Which of `FONTS` this machine has."""
    from matplotlib.font_manager import fontManager

    names = set(fontManager.get_font_names())
    return tuple(font for font in FONTS if font in names)


def look() -> Any:
    """matplotlib's settings of the suite's look (it types their names as literals, hence Any)."""
    return {
        "font.family": list(installed_fonts()) or ["sans-serif"],
        "font.size": 10,
        "axes.titlesize": 11.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": False,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "text.color": INK,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.8,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.hashsalt": "plot",
    }


class Canvas:
    """A figure in the suite's look; draw on `axes` inside the `with`, then take `render()`.

    Args:
        width: In inches; 6 inches are drawn 960 pixels wide.
        height: In inches.
        rows: Axes above each other.
        columns: Axes beside each other.
        ratios: Relative heights of the rows.
    """

    def __init__(
        self, width: float = 6.0, height: float = 4.2, rows: int = 1, columns: int = 1, ratios: tuple[float, ...] = ()
    ) -> None:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._context = matplotlib.rc_context(look())
        with matplotlib.rc_context(look()):
            self.figure: Figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
            FigureCanvasAgg(self.figure)
            grid = self.figure.subplots(rows, columns, squeeze=False, height_ratios=ratios or None)
        self.grid: list[list[Axes]] = grid.tolist()

    def __enter__(self) -> "Canvas":
        self._context.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)

    @property
    def axes(self) -> "Axes":
        """The first axes."""
        return self.grid[0][0]

    def render(self, image_format: ImageFormat = "png") -> bytes:
        """The finished picture; characters that no font knows become boxes without a warning."""
        buffer = io.BytesIO()
        metadata: dict[str, Any] = {"Software": None} if image_format == "png" else {"Date": None, "Creator": None}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.figure.savefig(buffer, format=image_format, metadata=metadata)
        return buffer.getvalue()


def shorten(text: str, length: int = 24) -> str:
    """A label that fits beside an axis; wide characters count double; $ is no formula."""
    width, kept = 0, ""
    for character in text:
        width += 2 if ord(character) > 0x2E7F else 1
        if width > length:
            return kept.replace("$", r"\$") + "…"
        kept += character
    return kept.replace("$", r"\$")
