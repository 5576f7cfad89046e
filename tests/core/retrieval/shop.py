"""A small shop whose customers use other words than its team, and an encoder that has learnt them."""

from pathlib import Path

from rich.console import Console

from core.backbones.text_bag_config import TextBagConfig
from core.config import HardwareConfig
from core.hardware import HardwarePlan, Machine, plan_hardware
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.entry import Entry
from core.retrieval.knowledge_tables import Query
from core.retrieval.train_encoder import fit_encoder
from core.training.progress import FitResult

TEAM = (
    "shipment",
    "refund",
    "voucher",
    "invoice",
    "warranty",
    "account",
    "allergen",
    "pickup",
    "gift wrapping",
    "size",
)
CUSTOMERS = ("parcel", "money back", "coupon", "bill", "broken", "login", "nuts", "collect", "present", "fits")
FRAMES = (
    "where do I see my {}",
    "tell me of the {} please",
    "{} trouble",
    "I ask because of my {}",
    "is there {} help",
    "about {} now",
    "the {} again",
    "{}?",
)
OUT_OF_SCOPE = (
    "who won the football match",
    "sing a song for me",
    "what is the capital of Peru",
    "tell a joke",
    "2 + 2",
)


def make_entries() -> list[Entry]:
    return [
        Entry(
            entry_id=f"e{row}",
            question=f"What about {word} matters?",
            answer=f"Every {word} is looked after by team {row}.",
            language="en",
        )
        for row, word in enumerate(TEAM)
    ]


def make_queries(frames: tuple[str, ...]) -> list[Query]:
    return [
        Query(query=frame.format(word), entry_id=f"e{row}") for frame in frames for row, word in enumerate(CUSTOMERS)
    ]


TRAIN, VALIDATION = make_queries(FRAMES[:5]), make_queries(FRAMES[5:])


def make_config() -> EncoderConfig:
    config = EncoderConfig(bag=TextBagConfig.model_validate({"dimension": 64, "units": {"buckets": 2048}}))
    train = config.train.model_copy(update={"epochs": 6, "global_batch_size": 10})
    return config.model_copy(update={"train": train})


def make_plan(config: EncoderConfig) -> HardwarePlan:
    return plan_hardware(HardwareConfig(device="cpu", measure=False), config.train, Machine(cores=1))


def train(
    folder: Path, *, resume: bool = False, console: Console | None = None, **settings: object
) -> FitResult | None:
    """Writes folder/encoder."""
    config = make_config(**settings)
    return fit_encoder(
        make_entries(),
        TRAIN,
        VALIDATION,
        config,
        make_plan(config),
        work=folder / "work",
        target=folder / "encoder",
        seed=0,
        resume=resume,
        console=console,
    )
