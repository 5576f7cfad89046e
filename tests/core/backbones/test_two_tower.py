"""Towers of items and users: exact contributions, closed-form start, and what a history adds up to."""

import numpy as np
import pytest
import torch

from core.backbones.item_factors import Met, fit_item_factors
from core.backbones.recommender_config import ItemTextConfig, RecommenderModelConfig, UserTowerConfig
from core.backbones.text_cnn import sum_rows
from core.backbones.two_tower import ItemGraph, TwoTower, ranks_of
from core.data.vocabulary import UNITS, TextEncoder, learn_vocabulary
from core.data.vocabulary_config import Vocabulary, VocabularyConfig

TEXT = ItemTextConfig(
    title_words=4, tag_words=4, description_words=4, vector_size=8, filters=6, dimension=6, trained_items=3,
    vocabulary=VocabularyConfig(max_phrase=1, max_parts=6, min_count=1, max_words=4, max_units=500),
)  # fmt: skip
CONFIG = RecommenderModelConfig(dimension=8, text=TEXT)
TITLES = ["red tea pot", "green tea cup", "wool blanket", "cotton sheet", "steel pan", "steel knife"]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return learn_vocabulary(TITLES, TEXT.vocabulary)


def make_towers(vocabulary: Vocabulary, config: RecommenderModelConfig = CONFIG) -> TwoTower:
    torch.manual_seed(0)
    towers = TwoTower(config, vocabulary, len(TITLES), (1.0, 0.5), max_history=5)
    units = np.concatenate([TextEncoder(vocabulary).encode(TITLES)[UNITS]] * 3, axis=1)
    liked = [np.array([0, 1, 2]), np.array([0, 1]), np.array([4, 5, 0])]
    met = [Met(rows, np.ones(len(rows), np.bool_)) for rows in liked]
    factors = fit_item_factors(met, len(TITLES), config)
    counts = np.array([3, 2, 1, 0, 1, 1])
    towers.start(units, counts, counts > 0, np.array([4]))
    towers.begin_at(factors)
    with torch.no_grad():
        for parameter in towers.text.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        towers.text.bag[0] = 0
    return towers.eval()


def test_contributions_and_what_is_no_word_sum_to_the_score(vocabulary: Vocabulary) -> None:
    towers = make_towers(vocabulary)
    user = torch.randn(len(TITLES), CONFIG.dimension + 1)
    found = ItemGraph(towers)(units=towers.units[1:], user=user)
    score = (towers.targets(found["vector"]) * user).sum(dim=1)
    told = TEXT.dimension
    heard = torch.cat([torch.zeros(len(user), told), user[:, :told], user[:, -1:]], dim=1)
    rest = towers.text.lengths(towers.text.log_lengths(towers.units[1:].long())) + towers.text.deep.bias
    without_words = (rest * heard).sum(dim=1)
    torch.testing.assert_close(found["contributions"].sum(dim=(1, 2)) + without_words, score, rtol=1e-4, atol=1e-4)


def test_transformer_reads_words_in_their_order_and_bag_shares_stay_exact(vocabulary: Vocabulary) -> None:
    text = TEXT.model_copy(update={"kind": "transformer", "heads": 2})
    towers = make_towers(vocabulary, CONFIG.model_copy(update={"text": text}))
    units = towers.units[1:2].long()
    filled = int((units[0] > 0).any(dim=1).sum())
    assert filled >= 2
    turned = units.clone()
    turned[0, :2] = units[0, [1, 0]]
    with torch.no_grad():
        assert not torch.allclose(towers.text(units), towers.text(turned))
        wanted = torch.randn(1, towers.text.deep.out_features)
        shares = towers.text.contributions(units, wanted)
        bag = sum_rows(towers.text.bag, units.flatten(1), towers.text.weights(units).flatten(1))
    assert shares.shape == units.shape
    torch.testing.assert_close(shares.sum(), (bag * wanted).sum(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_last_place_is_what_the_whole_history_says_and_padding_says_nothing(kind: str, vocabulary: Vocabulary) -> None:
    config = CONFIG.model_copy(update={"user": UserTowerConfig(kind=kind, heads=2)})
    towers = make_towers(vocabulary, config)
    source, ages = torch.randn(2, 4, CONFIG.dimension), torch.rand(2, 4)
    kinds, liked = torch.tensor([[1, 2, 3, 1], [2, 1, 1, 1]]), torch.tensor([[True, True, False, True]] * 2)
    whole = towers.user(source, kinds, ages, liked)[:, -1]
    torch.testing.assert_close(towers.user.last(source, kinds, ages, liked), whole)
    padded = [
        torch.nn.functional.pad(part, (0, 0, 1, 0) if part.ndim == 3 else (1, 0))
        for part in (source, kinds, ages, liked)
    ]
    torch.testing.assert_close(towers.user.last(*padded), whole, rtol=1e-4, atol=1e-5)


def test_attention_begins_as_the_closed_form_says(vocabulary: Vocabulary) -> None:
    towers = make_towers(vocabulary)
    source = torch.randn(1, 3, CONFIG.dimension)
    liked = torch.tensor([[True, False, True]])
    kinds = torch.tensor([[1, 4, 2]])  # liked at full strength, disliked and liked at half strength
    old, recent = CONFIG.user.old_share, CONFIG.user.recent_events
    first = old + (1 - old) * np.exp(-1 / recent)
    said = first * source[0, 0] + CONFIG.user.disliked_share * 0.5 * first * source[0, 1] + 0.5 * source[0, 2]
    taste = source[0, 0] + 0.5 * source[0, 2]
    said[1::2] = taste[1::2]
    found = towers.user.last(source, kinds, torch.zeros(1, 3), liked)[0]
    torch.testing.assert_close(found, said, rtol=0.01, atol=0.01)


def test_disliked_items_and_the_users_place_are_ranked_last_among_equals() -> None:
    scores = torch.tensor([[-torch.inf, 3.0, 1.0, 3.0, -torch.inf]])
    assert ranks_of(scores, torch.tensor([[1, 2, 3]])).tolist() == [[1.0, 2.0, 1.0]]


def test_items_told_by_text_alone_have_no_vector_of_an_id(vocabulary: Vocabulary) -> None:
    towers = make_towers(vocabulary)
    nothing = torch.zeros(3, TEXT.dimension)
    vectors = towers.vectors()
    torch.testing.assert_close(vectors[1:4], towers.row(towers.ids[1:4], nothing))
    told = towers.read(towers.units[4:5], towers.pictures[4:5])
    torch.testing.assert_close(vectors[4:5], towers.row(told, nothing[:1]))
    towers.share_texts(2.0, 10.0)
    said = towers.told(torch.tensor([1, 2, 3]))[:, : TEXT.dimension]
    torch.testing.assert_close(towers.vectors()[1:4], towers.row(towers.ids[1:4], said))
    torch.testing.assert_close(towers.vectors()[4:5], towers.row(told, nothing[:1]))


def test_texts_of_known_items_speak_beside_ids_the_less_the_more_is_known(vocabulary: Vocabulary) -> None:
    towers = make_towers(vocabulary)

    def user(*numbers: int, by_text: bool) -> torch.Tensor:
        towers.share_texts(2.0 if by_text else 0.0, 3.0)
        items = torch.tensor([numbers])
        rows = (towers.vectors()[items], (items > 0).long(), torch.zeros(items.shape), items > 0)
        return towers.serve(*rows)["user"][:, :-1]

    said = user(1, by_text=True) - user(1, by_text=False)
    told = torch.nn.functional.pad(towers.told(torch.tensor([1]))[:, : TEXT.dimension], (0, 2))
    torch.testing.assert_close(said, 2 / (1 + (1 / 3) ** 2) * told)
    torch.testing.assert_close(user(0, 0, 1, by_text=True), user(1, by_text=True))  # padding is no event
    of_three = user(3, 3, 3, by_text=True) - user(3, 3, 3, by_text=False)
    of_one = user(3, by_text=True) - user(3, by_text=False)
    assert of_three.norm() < 0.6 * 3 * of_one.norm()


def test_settled_texts_say_of_known_items_on_average_what_their_ids_say(vocabulary: Vocabulary) -> None:
    towers = make_towers(vocabulary)
    known = towers.trained_text.nonzero().squeeze(1)
    before = towers.told(known)
    for _ in range(2):  # once more changes nothing
        towers.settle()
        after = towers.told(known)
        part, rest = slice(0, TEXT.dimension), slice(CONFIG.dimension, None)
        torch.testing.assert_close(after[:, part].mean(dim=0), towers.ids[known, part].mean(dim=0))
        torch.testing.assert_close(after[:, rest], before[:, rest])
        assert (after - after.mean(dim=0)).norm() > (before - before.mean(dim=0)).norm()


def test_training_step_moves_texts_and_leaves_ids_that_are_not_learnt(vocabulary: Vocabulary) -> None:
    towers = make_towers(vocabulary).train()
    items = torch.tensor([[0, 1, 2, 3], [5, 6, 1, 2]])
    liked, kinds = items > 0, (items > 0).long()
    outputs = towers(items, kinds, torch.zeros(2, 4), liked, items[:, :1], items[:, :1])
    loss = (outputs["user"] @ outputs["compared"][:, :-1].T).square().mean() + outputs["told"].square().mean()
    loss.backward()
    assert towers.ids.grad is None
    assert towers.text.deep.weight.grad is not None
    assert len(outputs["told"]) == TEXT.trained_items
    assert not towers.trained_text[5]  # held out
