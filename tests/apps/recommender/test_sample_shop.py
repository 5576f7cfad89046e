"""The catalogue of the sample shop: every item has a name of its own in both languages, and a make that exists."""

import re

import pytest

from apps.recommender.sample.shop import companions, read_makes, read_products, read_sample_items
from core.data.catalogue import Catalogue

CJK = re.compile(r"[\u3000-\u9fff]")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_sample_items()


def test_every_item_has_an_id_and_titles_of_its_own(catalogue: Catalogue) -> None:
    assert len(catalogue) == 448
    for names in (catalogue.ids, catalogue.titles, catalogue.more["title_zh"]):
        assert len(set(names)) == len(names)


def test_makes_of_each_product_exist_and_each_make_is_used() -> None:
    products, makes = read_products(), read_makes()
    assert len({product.slug for product in products}) == len(products)
    named = [(product.category, make) for product in products for make in product.makes.split(",")]
    assert set(named) == set(makes)
    assert all(len(set(product.makes.split(","))) == 4 for product in products)


def test_what_goes_with_a_product_is_offered(catalogue: Catalogue) -> None:
    slugs = {product.slug for product in read_products()}
    assert all(set(product.goes_with.split(",")) <= slugs - {product.slug} for product in read_products())
    assert all(companions(catalogue))


def test_titles_are_in_sentence_case_and_repeat_no_word(catalogue: Catalogue) -> None:
    for title in catalogue.titles:
        words = re.findall(r"[^\W\d_]+(?:'s)?", title)
        assert title[0].isupper()
        assert all(word.islower() for word in words[1:]), title
        assert len(set(map(str.lower, words))) == len(words), title


def test_each_language_is_written_in_its_own_words(catalogue: Catalogue) -> None:
    for english in (catalogue.titles, catalogue.more["description_en"]):
        assert not [text for text in english if CJK.search(text)]
    assert not [text for text in catalogue.more["title_zh"] if re.search("[A-Za-z ]", text)]
    assert all(text.endswith(".") for text in catalogue.more["description_en"])
    assert all(text.endswith("。") for text in catalogue.more["description_zh"])


def test_a_make_moves_a_price_but_not_out_of_reason(catalogue: Catalogue) -> None:
    usual = {product.slug: float(product.price) for product in read_products()}
    for item_id, price in zip(catalogue.ids, catalogue.prices, strict=True):
        assert 0.5 < price / usual[item_id.split("-")[0]] < 3
