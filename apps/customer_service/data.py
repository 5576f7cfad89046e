"""The questions of this app: loading, the sample, corrections from use, and what a model learns of them."""

import json
from collections.abc import Iterator
from pathlib import Path

from apps.customer_service.app import SPEC, CustomerServiceConfig
from core.app import Progress
from core.data.module import DataModule
from core.data.text_rows import FoundTexts, TextRow
from core.data.utterances import CORRECTION, LoadedTexts, load_texts
from core.data.vocabulary import learn_vocabulary
from core.tasks.text_schema import TextSchema
from core.texts import LANGUAGES

SAMPLE = Path(__file__).parent / "sample"


def load_questions(config: CustomerServiceConfig, progress: Progress) -> DataModule:
    """The data set of a config, with the schema learnt from its training split."""
    loaded = load_texts(config.data, seed=config.seed, sample=read_sample, more=_corrections(config.data.corrections))
    schema = learn_schema(config, loaded)
    splits = dict(loaded.splits)
    if config.distill.teacher:
        from core.optimization.distill import taught_examples

        splits["train"] = taught_examples(
            splits["train"], loaded.labels, config.distill, SPEC, seed=config.seed, progress=progress
        )
    return DataModule(splits, schema, loaded.report, loaded.fingerprint)


def learn_schema(config: CustomerServiceConfig, loaded: LoadedTexts) -> TextSchema:
    """The facts that a model of these questions is built on."""
    train = loaded.splits["train"]
    labels = [str(example["label"]) for example in train]
    texts = [str(example["text"]) for example in train]
    schema = TextSchema(
        labels=loaded.labels,
        label_counts=tuple(labels.count(label) for label in loaded.labels),
        num_out_of_scope=labels.count(""),
    )
    if config.model.encoder == "transformer":
        from core.backbones.transformer_files import load_text_encoder

        facts = load_text_encoder(config.model.transformer.name)
        found = {"tokenizer": facts.tokenizer, "architecture": facts.architecture}
        return schema.model_copy(update={**found, "max_tokens": config.model.transformer.max_tokens})
    if config.model.encoder == "recurrent":
        return schema.model_copy(update={"vocabulary": learn_vocabulary(texts, config.model.recurrent.vocabulary)})
    cnn = config.model.text_cnn
    return schema.model_copy(update={"vocabulary": learn_vocabulary(texts, cnn.vocabulary), "widths": cnn.widths})


def read_sample() -> FoundTexts:
    """The shop's questions in both languages, and what a shop cannot answer."""
    found = FoundTexts("sample (made by the project)", [])
    for language in LANGUAGES:
        for stem in ("utterances", "out_of_scope"):
            file = SAMPLE / f"{stem}_{language}.jsonl"
            for number, row in enumerate(_lines(file), 1):
                found.rows.append(TextRow(row["text"], row.get("intent", ""), None, place=f"{file.name} {number}"))
    return found


def _lines(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream)


def _corrections(store: str) -> list[TextRow]:
    """Examples that the team labelled on the page."""
    if not store:
        return []
    from core.serving.conversations import Conversations
    from core.serving.store import Store

    opened = Store(store)
    try:
        examples = Conversations(opened, lambda text: text).examples(SPEC.name)
    finally:
        opened.close()
    return [TextRow(example.text, example.label, "train", place=CORRECTION) for example in examples]
