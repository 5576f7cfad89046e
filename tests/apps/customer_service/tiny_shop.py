"""Tiny data of a shop, and runs of the app on them, as its command line makes them."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from apps.customer_service.app import SPEC
from core.cli import app_main
from core.serving.conversations import Conversations
from core.serving.store import Store

TINY = (
    *("--device", "cpu", "--hardware.measure", "false", "--hardware.precision", "fp32"),
    *("--train.epochs", "10", "--train.global_batch_size", "16", "--train.learning_rate", "1e-2"),
    *("--train.warmup_epochs", "0", "--train.freeze_backbone_epochs", "0", "--train.ema_decay", "0"),
    *("--train.trackers", "[]"),
    *("--search.bag.units.buckets", "2048", "--search.bag.dimension", "64"),
    *("--search.train.epochs", "4", "--search.train.global_batch_size", "16"),
)
"""Settings that make any preset small."""
PHRASES = {
    "track": ("where is {}", "track {}", "when will {} arrive", "has {} been shipped"),
    "refund": ("refund {}", "money back for {}", "pay me back for {}", "reimburse {}"),
    "cancel": ("cancel {}", "stop {}", "call off {}", "do not send {}"),
}
THINGS = ("my parcel", "the order", "my shoes", "a lamp", "the book", "my coat")
UTTERANCES = [
    {"text": phrase.format(thing), "intent": intent}
    for intent, phrases in PHRASES.items()
    for phrase in phrases
    for thing in THINGS
]
PLANETS = ("mars", "venus", "the moon")
STRANGE = [
    f"{what} {thing}" for what in ("sing about", "who painted", "rain on") for thing in ("mars", "whales", "jazz")
]
ASKED = {
    "f1": ("Where is my parcel?", "Open Orders and choose Track."),
    "f2": ("How do I get my money back?", "We refund within five days."),
    "f3": ("Can I cancel an order?", "Yes, until it is packed."),
    "f4": ("Which shoe sizes do you have?", "Every size from 35 to 47."),
    "f5": ("Do you wrap gifts?", "We wrap gifts for two euros."),
    "f6": ("When are you open?", "Weekdays from nine to six."),
}
ENTRY_OF = {"track": "f1", "refund": "f2", "cancel": "f3"}


def run_app(verb: str, *argv: str | Path) -> int:
    """The exit code of a verb, run in this process."""
    return app_main(SPEC, verb, [str(word) for word in argv])


def train_tiny(data: Path | str, run: Path, *more: str | Path, config: str = "cpu") -> Path:
    """Trains ten short epochs in this process; gives the folder of the run."""
    before = Path.cwd()
    run.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(run.parent)
    try:
        code = run_app("train", "--config", config, *TINY, "--data", data, "--output-dir", run, *more)
    finally:
        os.chdir(before)
    assert code == 0
    return run


def train_shop(shared_folder: Path) -> Path:
    """The run that many tests ask: on columns of other names, with knowledge and queries that name no split."""
    folder = shared_folder / "tiny_shop"
    with FileLock(shared_folder / "tiny_shop.lock"):
        if not (folder / "run" / "bundle" / "bundle.json").exists():
            data = write_utterances(folder / "chats.csv", text="was", intent="wozu")
            faq, queries = write_faq(folder / "faq.csv"), write_queries(folder / "queries.jsonl")
            columns = ("--data.columns.text", "was", "--data.columns.label", "wozu")
            train_tiny(data, folder / "run", *columns, "--knowledge.path", faq, *FAQ_COLUMNS, *queries)
    return folder / "run"


def write_table(file: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A CSV or JSONL table."""
    import pandas as pd

    file.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(list(rows))
    if file.suffix == ".csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_json(file, orient="records", lines=True, force_ascii=False)
    return file


def write_utterances(file: Path, *, text: str = "text", intent: str = "intent") -> Path:
    """Three intents with texts out of scope, under names of columns."""
    rows = [*UTTERANCES, *({"text": said, "intent": "oos"} for said in STRANGE)]
    return write_table(
        file, [{"number": str(n), text: row["text"], intent: row["intent"]} for n, row in enumerate(rows)]
    )


def write_faq(file: Path) -> Path:
    """Six entries in columns that have to be mapped."""
    rows = [
        {"id": entry_id, "q": question, "a": answer, "link": f"https://help.shop.example/{entry_id}"}
        for entry_id, (question, answer) in ASKED.items()
    ]
    return write_table(file, rows)


def write_queries(file: Path, *, split: bool = False) -> tuple[str | Path, ...]:
    """A table of what customers asked for, and the settings that name it."""
    rows = [
        {"asked": f"{start} {row['text']}", "entry": ENTRY_OF[row["intent"]]}
        for row in UTTERANCES
        for start in ("hello,", "please tell me:")
    ]
    parts = ("train", "train", "train", "dev", "test")
    named = [{**row, "part": parts[number % 5]} if split else row for number, row in enumerate(rows)]
    columns = {"query": "asked", "entry_id": "entry", **({"split": "part"} if split else {})}
    words = [word for role, name in columns.items() for word in (f"--knowledge.query_columns.{role}", name)]
    return "--knowledge.queries", write_table(file, named), *words, "--search.min_queries", "20"


FAQ_COLUMNS = (
    "--knowledge.columns.question",
    "q",
    "--knowledge.columns.answer",
    "a",
    "--knowledge.columns.url",
    "link",
)


def label_text(store: Path, *examples: tuple[str, str]) -> Path:
    """Keeps labelled examples, as the page does."""
    opened = Store(str(store))
    conversations = Conversations(opened, lambda text: text)
    for text, label in examples:
        conversations.add_example(SPEC.name, text, label, "unanswered")
    opened.close()
    return store


def read(run: Path, name: str) -> Any:
    """A JSON file of a run."""
    return json.loads((run / name).read_text(encoding="utf-8"))


def log_of(run: Path) -> str:
    """What the training said, in one line: the console wraps it."""
    return " ".join((run / "train.log").read_text(encoding="utf-8").split())
