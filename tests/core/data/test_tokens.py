"""Texts to tokens by a tokenizer.json: padding, cutting, places in the text, texts of any kind."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from core.data.tokens import TokenEncoder
from core.errors import UserError

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "where", "is", "my", "parcel", "##s", "?", "订", "单")
PAD = 0


def make_json(*, has_padding: bool = True) -> str:
    ids = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    if has_padding:
        tokenizer.enable_padding(pad_id=PAD, pad_token="[PAD]")
    content: str = tokenizer.to_str()
    return content


@pytest.fixture(scope="module")
def encoder() -> TokenEncoder:
    return TokenEncoder(make_json(), 8)


def test_texts_become_padded_ids(encoder: TokenEncoder) -> None:
    tokens = encoder.encode(["Where is my parcels?", "订单", ""])["tokens"]
    assert tokens.dtype == np.int32
    assert tokens.tolist() == [[2, 4, 5, 6, 7, 8, 9, 3], [2, 10, 11, 3, 0, 0, 0, 0], [2, 3, 0, 0, 0, 0, 0, 0]]
    assert encoder.num_tokens == len(WORDS)


def test_long_text_is_cut_and_keeps_its_end_token(encoder: TokenEncoder) -> None:
    tokens = encoder.encode(["my " * 100_000])["tokens"]
    assert tokens.tolist() == [[2, 6, 6, 6, 6, 6, 6, 3]]


@pytest.mark.parametrize("text", ["\ud83d", "😀" * 50, "\x00\x07\x1b", "مرحبا", "\u202eabc", "[PAD] [PAD]", " " * 9])
def test_any_text_is_encoded(encoder: TokenEncoder, text: str) -> None:
    tokens = encoder.encode([text, "where"])["tokens"]
    assert tokens.shape == (2, 8)
    assert tokens[1].tolist() == encoder.encode(["where"])["tokens"][0].tolist()


def test_no_texts_give_no_rows(encoder: TokenEncoder) -> None:
    assert encoder.encode([])["tokens"].shape == (0, 8)


def test_spans_point_into_the_text(encoder: TokenEncoder) -> None:
    text = "Where is 订单 my \ud83d parcels?"
    spans = encoder.spans(text)
    assert [text[start:end] for start, end in spans] == ["", "Where", "is", "订", "单", "my", "\ud83d", ""]
    assert len(encoder.spans("my")) == 3


def test_trim_cuts_what_no_text_uses(encoder: TokenEncoder) -> None:
    arrays = encoder.encode(["where is", "my"]) | {"label": np.array([1, 0])}
    trimmed = encoder.trim(arrays)
    assert trimmed["tokens"].tolist() == [[2, 4, 5, 3], [2, 6, 3, 0]]
    assert trimmed["label"] is arrays["label"]
    tensors = encoder.trim({"tokens": torch.from_numpy(arrays["tokens"])})
    assert tensors["tokens"].tolist() == trimmed["tokens"].tolist()
    assert encoder.trim({"tokens": np.zeros((2, 8), np.int32)})["tokens"].shape == (2, 1)


def test_longer_maximum_only_adds_padding(encoder: TokenEncoder) -> None:
    longer = TokenEncoder(make_json(), 20).encode(["where is my"])["tokens"]
    assert longer.shape == (1, 20)
    assert longer[0, :8].tolist() == encoder.encode(["where is my"])["tokens"][0].tolist()


@pytest.mark.parametrize("content", ["", "{", '{"version": "1.0"}'])
def test_broken_tokenizer_is_told(content: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        TokenEncoder(content, 8)


def test_tokenizer_without_padding_is_told() -> None:
    with pytest.raises(UserError, match="states no padding"):
        TokenEncoder(make_json(has_padding=False), 8)


def test_tokens_need_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from core.data.tokens import TokenEncoder; TokenEncoder(sys.argv[1], 8).encode(['my']);"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code, make_json()], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
