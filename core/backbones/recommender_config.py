"""Settings of a model that ranks items for users; importing this loads no network."""

from typing import Literal

from pydantic import Field

from core.config import ModelConfig, Record
from core.data.vocabulary_config import VocabularyConfig


class ItemTextConfig(Record):
    """A TextCNN, or a Transformer, over the title, tags and description of an item, beside a bag of all units."""

    kind: Literal["cnn", "transformer"] = "cnn"
    """What reads the words in their order. Of a Transformer no word's share can be told; of the bag's it can."""
    layers: int = Field(default=2, ge=1)
    """Layers of the Transformer."""
    heads: int = Field(default=2, ge=1)
    """Heads of each layer; they divide `vector_size`."""
    title_words: int = Field(default=12, ge=1)
    """Words of a title that are read."""
    tag_words: int = Field(default=20, ge=1)
    """Words of tags and category that are read."""
    description_words: int = Field(default=40, ge=1)
    """Words of a description that are read."""
    vocabulary: VocabularyConfig = VocabularyConfig(max_phrase=1, max_parts=12, min_count=2, max_units=30_000)
    """What counts as a unit of a text; `max_words` follows from the three fields."""
    vector_size: int = Field(default=64, ge=1)
    """Length of the vector of a word or of one of its parts."""
    filters: int = Field(default=64, ge=1)
    """Filters of each width."""
    widths: tuple[int, ...] = (1, 2, 3)
    """Words that each kind of filter looks at."""
    field_shares: tuple[float, float, float] = (0.8, 0.7, 0.5)
    """How much title, tags and description count in the bag of all units, at first."""
    ridge: float = Field(default=30.0, gt=0)
    """Ridge of the bag's start in closed form; larger = a new item is told less by single words."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Dropout of the filters' features in training."""
    unit_dropout: float = Field(default=0.5, ge=0, lt=1)
    """Share of the units of a text that are left out in training, so that it is not learnt by heart."""
    dimension: int = Field(default=128, ge=1)
    """Numbers of an item's two vectors that its text tells, the first and strongest ones; the others are then 0."""
    trained_items: int = Field(default=1024, ge=1)
    """Items whose text is read in a training step; the others stand with the vector of their id."""
    held_out_share: float = Field(default=0.1, ge=0, lt=0.5)
    """Share of the items whose texts are never trained on: they show how well a new item is ranked."""


class ItemPictureConfig(Record):
    """Pictures of items, read by a frozen backbone and fused with the texts."""

    enabled: bool = False
    """Read the column of pictures."""
    backbone: str = "resnet18"
    """alexnet or any timm name."""
    pretrained: bool | str = False
    """true = weights of that name from the hub, false = none: colours and coarse textures only, or a file's path."""
    image_px: int = Field(default=64, ge=32)
    """Side of the square that pictures are brought to."""
    share: float = Field(default=1.0, gt=0)
    """How much likeness of pictures counts beside that of texts, at first."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of the pictures that are left out in training, so that texts are learnt too."""


class StartConfig(Record):
    """A linear model of items in closed form, which the vectors of ids start from."""

    enabled: bool = True
    """Start from it; else from random vectors, which then must learn."""
    taste_ridge: float = Field(default=200.0, gt=0)
    """Ridge of what goes with what, whenever (EASE)."""
    sequence_ridge: float = Field(default=500.0, gt=0)
    """Ridge of what comes after what."""
    taste_share: float = Field(default=0.3, ge=0)
    """How much the former counts beside the latter."""
    text_weight: float = Field(default=10.0, ge=0)
    """How much likeness of texts counts in what goes with what, beside users who like both."""
    next_events: float = Field(default=2.0, gt=0)
    """How far ahead the latter looks: the weight of a later liking falls by e over so many."""


class UserTowerConfig(Record):
    """What a history says about a user."""

    kind: Literal["attention", "transformer"] = "attention"
    """Attention over the history by kind, recency and content; or a causal Transformer (SASRec)."""
    recent_events: float = Field(default=5.0, gt=0)
    """Attention, at first: as for what comes next, the weight of a liking falls by e over so many later ones."""
    old_share: float = Field(default=0.1, gt=0, lt=1)
    """Attention, at first: the weight falls down to this share of the newest one's."""
    disliked_share: float = Field(default=0.4, ge=0, le=1)
    """Attention, at first: how much what was met and not liked counts: it tells what one comes across."""
    dismissed_share: float = Field(default=0.3, ge=0, le=1)
    """Attention, at first: how much a kind of event of negative weight speaks against what is like its item."""
    layers: int = Field(default=2, ge=1)
    """Layers of the Transformer."""
    heads: int = Field(default=2, ge=1)
    """Heads of each layer."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Dropout of the Transformer, and share of a history that attention forgets in training."""


class RecommenderModelConfig(ModelConfig):
    """Items and users as vectors whose dot product is the score."""

    dimension: int = Field(default=512, ge=4, multiple_of=2)
    """Length of the vectors."""
    text: ItemTextConfig = ItemTextConfig()
    picture: ItemPictureConfig = ItemPictureConfig()
    user: UserTowerConfig = UserTowerConfig()
    start: StartConfig = StartConfig()
    learn_ids: bool = False
    """Train the vectors of ids, and how a history is weighted, on from their start; small data is learnt by heart."""
    softmax: Literal["auto", "full", "sampled"] = "auto"
    """What a liked item must be told from: all items, or those of the batch and some drawn; auto = all up to 50,000."""
    drawn_items: int = Field(default=4096, ge=0)
    """Items drawn at random beside those of the batch, where not all are compared."""
    text_loss: float = Field(default=0.3, ge=0)
    """How much it counts that an item's text gives the vector of its id."""
