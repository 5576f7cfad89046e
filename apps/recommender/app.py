"""What the app is: read this first. It names the pieces; the work is in core and in the modules beside this one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.recommender.list_config import ListConfig
from core.app import AppSpec, AssetJob, Comparison, Progress, Recipe
from core.backbones.recommender_config import RecommenderModelConfig
from core.config import Config
from core.data.interaction_config import InteractionConfig
from core.tasks.recommend_schema import RecommendSchema
from core.texts import Text

if TYPE_CHECKING:
    import gradio as gr
    from torch import nn

    from core.data.module import DataModule, Example
    from core.evaluation.evaluation import Evaluation
    from core.serving.predictor import Predictor
    from core.serving.store import Store
    from core.tasks.recommend import RecommendTask


class RecommenderConfig(Config):
    """A run of this app."""

    data: InteractionConfig = InteractionConfig()
    model: RecommenderModelConfig = RecommenderModelConfig()
    lists: ListConfig = ListConfig()


def build_data(config: RecommenderConfig, progress: Progress) -> "DataModule":
    """Reads, checks and splits items and events."""
    from apps.recommender.data import load_shop

    return load_shop(config, progress)


def build_task(config: RecommenderConfig, schema: RecommendSchema) -> "RecommendTask":
    """Histories as arrays, and ranked lists back."""
    from core.tasks.recommend import RecommendTask

    return RecommendTask(schema, config.model.text_loss)


def build_model(config: RecommenderConfig, schema: RecommendSchema) -> "nn.Module":
    """Towers of items and users."""
    from core.backbones.two_tower import TwoTower

    return TwoTower(config.model, schema.vocabulary, schema.num_items, schema.strengths, schema.max_history)


def start_model(config: RecommenderConfig, data: "DataModule", model: "nn.Module") -> None:
    """Texts of the items, and vectors in closed form."""
    from apps.recommender.start import start_towers

    start_towers(config, data, model)


def make_assets(job: AssetJob) -> "Mapping[str, Evaluation]":
    """Vectors and texts of the items, the histories of known users, and how well new items and users are served."""
    from apps.recommender.assets import make_items

    return make_items(job)


def compare(asked: Comparison) -> "Evaluation":
    """Popularity, neighbours, EASE, ALS, BPR and SASRec beside the model."""
    from apps.recommender.baselines.compare import compare_baselines

    return compare_baselines(asked)


def build_page(predictor: "Predictor", store: "Store") -> "gr.Blocks":
    """Lists for visitors, and how good they are."""
    from apps.recommender.ui import build_recommender_page

    return build_recommender_page(predictor, store)


def build_answerer(predictor: "Predictor") -> Callable[[str], dict[str, Any]]:
    """A ranked list for one question."""
    from apps.recommender.answer import build_recommender_answers

    return build_recommender_answers(predictor)


def read_input(text: str) -> "Example":
    """Only histories can be encoded; questions go to `build_answerer`."""
    raise AssertionError(text)


SPEC = AppSpec(
    name="recommender",
    title=Text("Recommender", "商品推荐"),
    summary=Text(
        "Ranks what a shop offers for each visitor, new ones and new items too, with the reason for every suggestion.",
        "为每位访客（包括新访客）排序商品（包括新商品），并说明每条推荐的理由。",
    ),
    limits=(
        Text(
            "It repeats what people did: what was shown little was liked little, and stays so unless you explore.",
            "它会重复人们过去的行为：展示少的商品获得的喜欢也少，若不做探索便会一直如此。",
        ),
        Text(
            "It must not decide on credit, jobs, housing, health or prices for a person.",
            "不得用于决定个人的信贷、就业、住房、医疗或价格。",
        ),
        Text(
            "Behaviour is personal data: tell people that it is used, and let them refuse.",
            "行为数据属于个人信息：应告知用户其用途，并允许拒绝。",
        ),
    ),
    recipes=(
        Recipe(
            "rank",
            RecommenderConfig,
            RecommendSchema,
            build_data,
            build_task,
            build_model,
            start_model=start_model,
            make_assets=make_assets,
            compare=compare,
        ),
    ),
    configs=Path(__file__).parent / "configs",
    build_page=build_page,
    read_input=read_input,
    build_answerer=build_answerer,
    asks=(
        ("user", "a user of the data, by id"),
        ("history", "ids of items that somebody had to do with, oldest first, separated by commas"),
        ("interests", "what somebody looks for, in words"),
        ("item", "an item to start from, by id"),
        ("k", "length of the list; default: 10"),
    ),
)
