"""Settings of the dialogue: when a person takes over, how it asks back, small talk, phrases, the optional LLM."""

from pydantic import Field

from core.config import Record


class LlmConfig(Record):
    """An optional language model that words the answer; only the passages found are given to it."""

    endpoint: str = ""
    """Base URL of an OpenAI-compatible API, such as http://localhost:8000/v1; empty = none, answers are assembled."""
    model: str = "default"
    """Name of the model at that endpoint."""
    api_key_env: str = ""
    """Environment variable that holds the key; empty = no key."""
    timeout_s: float = Field(default=10.0, gt=0)
    """Seconds that the whole answer may take; then the assembled answer is given."""
    max_tokens: int = Field(default=400, ge=1)
    """Longest answer, in tokens."""
    temperature: float = Field(default=0.0, ge=0)
    """Sampling temperature."""
    max_passages: int = Field(default=4, ge=1)
    """Passages given to it."""
    stream: bool = True
    """Ask for the answer piece by piece."""


class SmallTalk(Record):
    """What is said to a message that asks nothing."""

    en: tuple[str, ...]
    """Replies in English, taken in turn."""
    zh: tuple[str, ...]
    """Replies in Chinese, taken in turn."""


class DialogueConfig(Record):
    """How the bot converses."""

    fallback_limit: int = Field(default=2, ge=1)
    """Turns in a row without an answer after which a person takes over."""
    clarify_options: int = Field(default=3, ge=2, le=9)
    """Most meanings offered in a "did you mean"."""
    max_follow_ups: int = Field(default=3, ge=0)
    """Most questions suggested after an answer."""
    max_message_chars: int = Field(default=2000, ge=20)
    """Characters of a message that are read; the rest is cut, and the reply says so."""
    products: tuple[str, ...] = ()
    """Names of products, as customers write them, that fill {product} in answers."""
    small_talk: dict[str, SmallTalk] = {}
    """Intent label to replies, beside the known ones for greeting, thanks and goodbye."""
    handoff_labels: tuple[str, ...] = ()
    """Intent labels that ask for a person, beside the known spellings such as talk_to_human."""
    handoff_phrases: tuple[str, ...] = ()
    """Words that ask for a person, beside the known ones."""
    crisis_phrases: tuple[str, ...] = ()
    """Words of somebody in danger, beside the known ones: answered with care and handed to a person at once."""
    llm: LlmConfig = LlmConfig()
