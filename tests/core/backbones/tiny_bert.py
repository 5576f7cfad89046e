"""A BERT of a few thousand weights with a vocabulary of some words, made in a folder; nothing is downloaded."""

import json
from pathlib import Path

import torch

WORDS = ("where", "is", "my", "parcel", "refund", "the", "money", "please", "?", "cancel", "##led", "订", "单")
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)
HIDDEN = 16


def make_tiny_bert(folder: Path, *, has_fast_tokenizer: bool = True) -> Path:
    """A folder as `save_pretrained` leaves it; without a fast tokenizer it has a vocab.txt only."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
    )
    BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    if has_fast_tokenizer:
        BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    else:
        settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder
