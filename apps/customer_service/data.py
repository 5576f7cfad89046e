"""The questions of this app: loading, the sample, corrections from use, and what a model learns of them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from apps.customer_service.app import SPEC, CustomerServiceConfig
from core.app import Progress
from core.backbones.text_cnn_config import WordVectorConfig
from core.data.module import DataModule, Example
from core.data.text_rows import FoundTexts, TextRow
from core.data.utterances import CORRECTION, LoadedTexts, load_texts
from core.data.vocabulary import learn_vocabulary
from core.errors import UserError
from core.tasks.text_schema import TextSchema
from core.texts import LANGUAGES

SAMPLE = Path(__file__).parent / "sample"


def load_questions(config: CustomerServiceConfig, progress: Progress) -> DataModule:
    """The data set of a config, with the schema learnt from its training split."""
    loaded = load_texts(
        config.data,
        seed=config.seed,
        sample=read_sample,
        corrections=_corrections(config.data.corrections),
        times=config.data.correction_times,
    )
    schema = learn_schema(config, loaded)
    splits = dict(loaded.splits)
    if config.distill.teacher:
        from core.optimization.distill import taught_examples

        near = _near_words(config, schema) if config.distill.replacements else None
        taught = taught_examples(
            splits["train"], loaded.labels, config.distill, SPEC, near=near, seed=config.seed, progress=progress
        )
        splits["train"] = [_as_corrected(example, loaded.labels) for example in taught]
    return DataModule(splits, schema, loaded.report, loaded.fingerprint)


def _as_corrected(example: Example, labels: Sequence[str]) -> Example:
    """The example as it is; of one that a person has corrected no teacher's opinion counts."""
    if example["path"] != CORRECTION:
        return example
    certain = (
        [float(label == example["label"]) for label in labels] if example["label"] else [1 / len(labels)] * len(labels)
    )
    return {**example, "soft_label": certain}


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
        pretrained = config.model.transformer
        if not (pretrained.name or pretrained.pretrained):  # a finished model has these facts in its schema
            return schema
        from core.backbones.transformer_files import load_text_encoder

        facts = load_text_encoder(config.model.transformer.name)
        found = {"tokenizer": facts.tokenizer, "architecture": facts.architecture}
        return schema.model_copy(update={**found, "max_tokens": config.model.transformer.max_tokens})
    if config.model.encoder == "recurrent":
        return schema.model_copy(update={"vocabulary": learn_vocabulary(texts, config.model.recurrent.vocabulary)})
    cnn = config.model.text_cnn
    vocabulary = learn_vocabulary(texts, cnn.vocabulary, _more_words(cnn.word_vectors))
    return schema.model_copy(update={"vocabulary": vocabulary, "widths": cnn.widths})


def _more_words(config: WordVectorConfig) -> tuple[str, ...]:
    """Words that the training texts need not hold."""
    if not (config.name and config.pretrained):
        return ()
    from core.backbones.word_vectors import known_words

    return known_words(config.name, config.max_words)


def _near_words(config: CustomerServiceConfig, schema: TextSchema) -> dict[str, tuple[str, ...]]:
    """Neighbours of the words of training texts."""
    cnn = config.model.text_cnn
    if schema.vocabulary is None or not cnn.word_vectors.name:
        raise UserError(
            f"distill.replacements is {config.distill.replacements}, but nothing says which words are near.",
            "model.text_cnn.word_vectors.name names a pretrained encoder.",
            "Give it, or set distill.replacements to 0.",
        )
    from core.backbones.word_vectors import load_word_vectors, near_words

    words = schema.vocabulary.words
    seen = words[: schema.vocabulary.num_seen_words]
    return near_words(seen, words, load_word_vectors(cnn.word_vectors.name, words, cnn.vector_size))


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


def _corrections(store: str) -> list[TextRow] | None:
    """Examples that the team labelled on the page; None = no store is named.

    Raises:
        UserError: The store does not exist or cannot be opened.
    """
    if not store:
        return None
    file = Path(store.removeprefix("sqlite:///")).expanduser()
    if "://" not in str(file) and not file.is_file():
        raise UserError(
            f"There is no store {store}, which data.corrections names.",
            "The store of a page, such as runs/customer_service/store.sqlite, or the URL of a database.",
            "Correct --data.corrections.",
        )
    from core.serving.conversations import Conversations
    from core.serving.store import Store

    try:
        opened = Store(store)
    except UserError as error:
        raise UserError(error.what, error.allowed, error.fix.replace("--store", "--data.corrections")) from None
    try:
        examples = Conversations(opened, lambda text: text).examples(SPEC.name)
    finally:
        opened.close()
    return [TextRow(example.text, example.label, "train", place=CORRECTION) for example in examples]
