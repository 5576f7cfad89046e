"""What the toy app is; nothing in it is an image."""

from pathlib import Path
from typing import Any

from core.app import AppSpec, Progress, Recipe
from core.config import Config, ModelConfig, Record
from core.errors import UserError
from core.texts import Text


class PointModelConfig(ModelConfig):
    """Two layers."""

    hidden: int = 8
    """Units between them."""


class PointConfig(Config):
    """A run of the toy."""

    model: PointModelConfig = PointModelConfig()


class PointSchema(Record):
    """Learnt: the labels."""

    labels: tuple[str, ...]
    """Names of the two sides."""
    positive_labels: tuple[str, ...] = ()
    """None must not be missed."""


def build_data(config: PointConfig, progress: Progress) -> Any:
    from toy_points.data import load_points

    return load_points(config)


def build_task(config: PointConfig, schema: PointSchema) -> Any:
    from toy_points.task import PointTask

    return PointTask(schema.labels)


def build_model(config: PointConfig, schema: PointSchema) -> Any:
    from toy_points.model import PointModel

    return PointModel(config.model.hidden, len(schema.labels))


def build_page(predictor: Any, store: Any) -> Any:
    import gradio as gr

    with gr.Blocks(title=SPEC.title.en) as page:
        gr.Markdown(f"# {SPEC.title.en}")
    return page


def read_input(text: str) -> dict[str, Any]:
    """`x,y`."""
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        raise UserError(f"`{text}` is no point.", "A point is x,y.", "Give two numbers.") from None
    return {"point": (x, y)}


SPEC = AppSpec(
    name="toy_points",
    title=Text("Sides of a line", "直线的两侧"),
    summary=Text("Says on which side of a line a point lies.", "判断一个点位于直线的哪一侧。"),
    limits=(Text("For tests only.", "仅供测试。"),),
    recipes=(Recipe("classify", PointConfig, PointSchema, build_data, build_task, build_model),),
    configs=Path(__file__).parent / "configs",
    build_page=build_page,
    read_input=read_input,
    package="toy_points",
)
