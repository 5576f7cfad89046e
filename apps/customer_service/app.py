"""What the app is: read this first. It names the pieces; the work is in core and in the modules beside this one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from apps.customer_service.dialogue_config import DialogueConfig
from core.app import AppSpec, AssetJob, Progress, Recipe
from core.backbones.text_config import TextModelConfig
from core.config import Config, DecisionConfig
from core.data.text_config import TextDataConfig
from core.errors import UsageError
from core.optimization.distill_config import DistillConfig
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.knowledge_config import KnowledgeConfig
from core.tasks.text_schema import TextSchema
from core.texts import Text

if TYPE_CHECKING:
    import gradio as gr
    from torch import nn

    from core.data.module import DataModule, Example
    from core.evaluation.evaluation import Evaluation
    from core.serving.predictor import Predictor
    from core.serving.store import Store
    from core.tasks.text import TextTask


class SupportDataConfig(TextDataConfig):
    """Questions of customers with their intents."""

    corrections: str = ""
    """Store of a page (SQLite file or URL) whose labelled examples are added to the training split."""
    correction_times: int = Field(default=8, ge=1)
    """How often an epoch shows each of them, at most: they are few, and each is to change what the model says."""


class CustomerServiceConfig(Config):
    """A run of this app."""

    data: SupportDataConfig = SupportDataConfig()
    model: TextModelConfig = TextModelConfig()
    decision: DecisionConfig = DecisionConfig(coverage=0.95, accuracy_given_up=0.01)
    knowledge: KnowledgeConfig = KnowledgeConfig()
    distill: DistillConfig = DistillConfig()
    search: EncoderConfig = EncoderConfig()
    search_decision: DecisionConfig = DecisionConfig(coverage=0.8, accuracy_given_up=0.02)
    dialogue: DialogueConfig = DialogueConfig()


def build_data(config: CustomerServiceConfig, progress: Progress) -> "DataModule":
    """Reads, checks and splits the questions."""
    from apps.customer_service.data import load_questions

    return load_questions(config, progress)


def build_task(config: CustomerServiceConfig, schema: TextSchema) -> "TextTask":
    """Questions as arrays, and intents back."""
    from core.tasks.text import TextTask

    return TextTask(schema, config.train)


def build_model(config: CustomerServiceConfig, schema: TextSchema) -> "nn.Module":
    """The encoder that the config names, with a linear head."""
    from core.backbones.text_model import build_text_model

    return build_text_model(
        config.model,
        num_labels=len(schema.labels),
        vocabulary=schema.vocabulary,
        tokenizer=schema.tokenizer,
        architecture=schema.architecture,
    )


def make_assets(job: AssetJob) -> "Mapping[str, Evaluation]":
    """The knowledge base, the encoder that searches it, and when it has no answer."""
    from apps.customer_service.knowledge import make_knowledge

    return make_knowledge(job)


def check_training(config: CustomerServiceConfig, data: "DataModule") -> None:
    """Whether knowledge and queries can be read, and a teacher is there for what asks for one."""
    from apps.customer_service.knowledge import check_knowledge

    distill = config.distill
    if not distill.teacher and (distill.unlabelled or distill.variations or distill.replacements):
        raise UsageError(
            "distill.unlabelled, variations or replacements are set, but there is no teacher to label these texts.",
            "distill.teacher is a run or bundle of this app, such as one of the preset `transformer`.",
            "Give --distill.teacher RUN, or set the others to nothing.",
        )
    check_knowledge(config, data)


def build_page(predictor: "Predictor", store: "Store") -> "gr.Blocks":
    """The chat for customers, and what the team needs beside it."""
    from apps.customer_service.ui import open_support_page

    return open_support_page(predictor, store)


def build_answerer(predictor: "Predictor") -> Callable[[str], dict[str, Any]]:
    """What the bot says to the first message of a new chat."""
    from apps.customer_service.assistant import build_assistant
    from apps.customer_service.session import Session

    dialogue = build_assistant(predictor).dialogue
    return lambda text: dialogue.reply(Session(), text)[0].to_json()


def read_input(text: str) -> "Example":
    """A message as it stands."""
    return {"text": text}


SPEC = AppSpec(
    name="customer_service",
    title=Text("Customer service assistant", "智能客服助手"),
    summary=Text(
        "Understands what a customer wants, answers from your knowledge base with its sources, and hands over to a "
        "person when it should.",
        "理解客户的意图，依据您的知识库作答并给出来源，必要时转接人工。",
    ),
    limits=(
        Text(
            "It knows only the intents it was trained on and the entries of its knowledge base.",
            "它只认识训练过的意图，也只了解知识库中的条目。",
        ),
        Text(
            "An entry that is wrong is answered with all the same: whoever keeps the knowledge base answers for it.",
            "知识库中的错误内容也会被用来作答：内容由维护者负责。",
        ),
        Text(
            "It must not decide on contracts, claims, health or law; a person does.",
            "不得用于决定合同、索赔、医疗或法律事务；这些须由人工处理。",
        ),
        Text(
            "Masking personal data misses some: treat what is stored as personal all the same.",
            "个人信息脱敏可能有遗漏：存储的内容仍应按个人信息对待。",
        ),
    ),
    recipes=(
        Recipe(
            "intents",
            CustomerServiceConfig,
            TextSchema,
            build_data,
            build_task,
            build_model,
            make_assets=make_assets,
            check_training=check_training,
        ),
    ),
    configs=Path(__file__).parent / "configs",
    build_page=build_page,
    read_input=read_input,
    build_answerer=build_answerer,
)
