"""The catalogue of the sample shop: 112 products in four makes each, in English and Chinese, written by the project."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps.recommender.sample.simulate import simulate_events
from core.data.catalogue import Catalogue, make_catalogue
from core.data.interactions import Interactions

HERE = Path(__file__).parent
ENDINGS = (0.0, 0.5, 0.9)
OUT_OF_STOCK = 23
"""Every so many products one is sold out."""


class Product(NamedTuple):
    """A line of products.tsv; the last column names the makes of its category that suit it."""

    category: str
    category_zh: str
    slug: str
    name: str
    name_zh: str
    price: str
    text: str
    text_zh: str
    tags: str
    tags_zh: str
    goes_with: str
    makes: str


class Make(NamedTuple):
    """A line of variants.tsv."""

    category: str
    slug: str
    name: str
    name_zh: str
    text: str
    text_zh: str
    tags: str
    tags_zh: str
    factor: str


def read_shop() -> Interactions:
    """Items and events of the sample shop."""
    catalogue = read_sample_items()
    log = simulate_events(catalogue, companions(catalogue), seed=0)
    return Interactions("sample (made by the project)", catalogue, log, ("visitors and what they do are simulated",))


def read_sample_items() -> Catalogue:
    """448 products; texts in both languages, so that interests in either find them."""
    makes = read_makes()
    pairs = [
        (product, makes[product.category, slug]) for product in read_products() for slug in product.makes.split(",")
    ]
    return make_catalogue(
        {
            "item_id": [f"{product.slug}-{make.slug}" for product, make in pairs],
            "title": [f"{make.name} {product.name[0].lower()}{product.name[1:]}" for product, make in pairs],
            "description": [f"{product.text} {make.text} {product.text_zh}{make.text_zh}" for product, make in pairs],
            "tags": [_joined(product.tags, make.tags, product.tags_zh, make.tags_zh) for product, make in pairs],
            "category": [product.category.replace("_", " & ") for product, _ in pairs],
            "price": [_price(product, make, row) for row, (product, make) in enumerate(pairs)],
            "in_stock": [row % OUT_OF_STOCK != OUT_OF_STOCK - 1 for row in range(len(pairs))],
        },
        {
            "title_zh": [f"{make.name_zh}{product.name_zh}" for product, make in pairs],
            "description_en": [f"{product.text} {make.text}" for product, make in pairs],
            "description_zh": [f"{product.text_zh}{make.text_zh}" for product, make in pairs],
            "category_zh": [product.category_zh for product, _ in pairs],
        },
    )


def read_products() -> list[Product]:
    """What is sold, whatever it is made of."""
    return [Product(*line) for line in _lines("products.tsv")]


def read_makes() -> dict[tuple[str, str], Make]:
    """What products can be made of, in which colour or edition, by category and slug."""
    return {(make.category, make.slug): make for make in (Make(*line) for line in _lines("variants.tsv"))}


def companions(catalogue: Catalogue) -> list[list[int]]:
    """For each item the rows of what is bought after it, in whatever make."""
    goes_with = {product.slug: product.goes_with.split(",") for product in read_products()}
    of_slug: dict[str, list[int]] = {}
    for row, item_id in enumerate(catalogue.ids):
        of_slug.setdefault(item_id.split("-")[0], []).append(row)
    return [
        [row for slug in goes_with[item_id.split("-")[0]] for row in of_slug.get(slug, ())] for item_id in catalogue.ids
    ]


def _lines(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def _joined(*tags: str) -> str:
    return "|".join(dict.fromkeys(tag.replace("_", " ") for part in tags for tag in part.split(",")))


def _price(product: Product, make: Make, row: int) -> float:
    return float(np.floor(float(product.price) * float(make.factor)) + ENDINGS[row % len(ENDINGS)])
