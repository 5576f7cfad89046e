"""A BERT of a few thousand weights with a vocabulary of some words, made in a folder; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import torch

WORDS = ("where", "is", "my", "parcel", "refund", "the", "money", "please", "?", "cancel", "##led", "订", "单")
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)
HIDDEN = 16


def make_tiny_bert(folder: Path, *, has_fast_tokenizer: bool = True) -> Path:
    """A folder as `save_pretrained` leaves it; without a fast tokenizer it has a vocab.txt only."""
    from transformers import BertModel, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    BertModel(_tiny_config()).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    if has_fast_tokenizer:
        BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    else:
        settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def make_tiny_cross_encoder(folder: Path, *, num_labels: int = 1) -> Path:
    """The same with a head that scores pairs of texts; its weights are large, so that scores differ."""
    from transformers import BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    model = BertForSequenceClassification(_tiny_config(num_labels=num_labels))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.5)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def _tiny_config(**more: int) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        **more,
    )
