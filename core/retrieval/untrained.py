"""The encoders that can be trained, each with what turns texts into its arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from core.backbones.text_bag import TextBag
from core.data.hashed_units import IDS, WEIGHTS, hash_units, trim_units, unit_rarity
from core.data.tokens import TOKENS, TokenEncoder
from core.data.unit_config import UnitConfig
from core.retrieval.encoder_config import EncoderConfig
from core.tasks.task import Arrays, ArraySpec


@dataclass(frozen=True)
class Untrained:
    """An encoder before its training.

    Args:
        module: Arrays to unit vectors.
        tokenise: Texts to these arrays.
        specs: Of the arrays.
        trim: Cuts off padding of the arrays whose names begin with a prefix.
        facts: What `load_encoder` needs to turn texts into arrays, by field of `EncoderFacts`.
        tokenizer: Content of tokenizer.json; empty = it has none.
    """

    module: nn.Module
    tokenise: Callable[[Sequence[str]], Arrays]
    specs: tuple[ArraySpec, ...]
    trim: Callable[[Mapping[str, Any], str], dict[str, Any]]
    facts: Mapping[str, Any]
    tokenizer: str = ""


def build_untrained(config: EncoderConfig, texts: Sequence[str], seed: int) -> Untrained:
    """The encoder of a config.

    Args:
        config: Which one.
        texts: That the rarity of words is counted in.
        seed: Of its random vectors.

    Raises:
        UserError: A pretrained model cannot be had.
    """
    return _build_bag(config, texts, seed) if config.encoder == "bag" else _build_transformer(config)


def unit_specs(config: UnitConfig) -> tuple[ArraySpec, ArraySpec]:
    """The arrays of a bag of units."""
    ids = ArraySpec(
        name=IDS, shape=("batch", "length"), dtype="int32", range=(0, config.buckets), meaning="Units; 0 = none."
    )
    weights = ArraySpec(name=WEIGHTS, shape=("batch", "length"), dtype="float32", meaning="1 + ln(count) of each unit.")
    return ids, weights


def _build_bag(config: EncoderConfig, texts: Sequence[str], seed: int) -> Untrained:
    units = config.bag.units
    module = TextBag(config.bag, unit_rarity(hash_units(texts, units)[IDS], units.buckets), seed)
    return Untrained(
        module, lambda asked: hash_units(asked, units), unit_specs(units), trim_units, {"units": units.model_dump()}
    )


def _build_transformer(config: EncoderConfig) -> Untrained:
    from core.backbones.sentence_encoder import build_sentence_encoder
    from core.backbones.transformer_files import load_text_encoder

    found, length = load_text_encoder(config.transformer.name), config.transformer.max_tokens
    encoder = TokenEncoder(found.tokenizer, length)
    highest = encoder.num_tokens - 1
    spec = ArraySpec(
        name=TOKENS, shape=("batch", "length"), dtype="int32", range=(0, highest), meaning="Tokens, padded."
    )

    def trim(batch: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        return {**batch, prefix + TOKENS: encoder.trim({TOKENS: batch[prefix + TOKENS]})[TOKENS]}

    module = build_sentence_encoder(config.transformer, found)
    return Untrained(module, encoder.encode, (spec,), trim, {"max_tokens": length}, found.tokenizer)
