"""Items whose pictures alone tell the taste: what is seen ranks new ones, in training and when they are added later."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.wish import Seen, Wish
from core.errors import UserError
from core.serving.predictor import load_predictor
from core.testing.commands import run_module

COLOURS = {"red": (200, 40, 40), "green": (40, 170, 60), "blue": (40, 60, 200), "yellow": (220, 200, 40)}
ITEMS, USERS, LIKED = 120, 160, 9
SETTINGS = ("--config", "quick", "--train.epochs", "2", "--data.cold_item_share", "0.2", "--model.dimension", "32")
SEEING = ("--model.picture.enabled", "true", "--model.picture.backbone", "resnet10t", "--model.picture.image_px", "32")


def colour_of(number: int) -> str:
    return list(COLOURS)[number % len(COLOURS)]


def draw(file: Path, colour: str, random: np.random.Generator) -> None:
    noise = random.normal(0, 12, (40, 40, 3))
    Image.fromarray(np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)).save(file)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Items called by number alone, one without a picture and one with a broken one; users who like one colour each."""
    folder, random = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    (folder / "pictures").mkdir()
    rows = []
    for number in range(ITEMS):
        draw(folder / "pictures" / f"{number}.png", colour_of(number), random)
        rows.append([f"i{number}", f"Thing {random.integers(10)}", f"pictures/{number}.png"])
    rows.append(["bare", "Thing without picture", ""])
    rows.append(["broken", "Thing with a broken picture", "pictures/broken.png"])
    (folder / "pictures" / "broken.png").write_bytes(b"no picture")
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["item_id", "title", "image"], *rows])
    with (folder / "events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "item_id", "event", "timestamp"])
        for user in range(USERS):
            own = [number for number in range(ITEMS) if number % len(COLOURS) == user % len(COLOURS)]
            for place, number in enumerate(random.choice(own, LIKED, replace=False)):
                writer.writerow([f"u{user}", f"i{number}", "click", 1_700_000_000 + 60 * place])
    return folder


def trained(shop: Path, name: str, *settings: str) -> tuple[Path, dict[str, Any], str]:
    run = shop.parent / f"{shop.name}_{name}"
    done = run_module(
        "apps.recommender.train", *SETTINGS, *settings, "--data", str(shop), "--output-dir", str(run), cwd=shop
    )
    assert done.code == 0, done.stderr
    metrics = json.loads((run / "metrics.json").read_text())
    return run, metrics, done.stderr


@pytest.fixture(scope="module")
def seeing(shop: Path) -> tuple[Path, dict[str, Any], str]:
    return trained(shop, "seeing", *SEEING)


def test_pictures_rank_new_items_where_texts_cannot(shop: Path, seeing: tuple[Path, dict[str, Any], str]) -> None:
    _, blind, _ = trained(shop, "blind")
    _, seen, told = seeing
    figure = "ndcg@10_among_new"
    assert _find(seen, figure) > 0.6
    assert _find(blind, figure) < _find(seen, figure) - 0.2
    assert "120 of 122 items have a picture that can be read" in told
    assert "broken.png" in told


def test_item_added_later_is_told_by_its_picture(seeing: tuple[Path, dict[str, Any], str], tmp_path: Path) -> None:
    recommender = Recommender(load_predictor(seeing[0], SPEC, threads=1), threads=1)
    random = np.random.default_rng(1)
    names = {colour: f"new-{colour}" for colour in COLOURS}
    for colour in COLOURS:
        draw(tmp_path / f"{colour}.png", colour, random)
    shown = [(name, {"title": "Thing", "image": str(tmp_path / f"{colour}.png")}) for colour, name in names.items()]
    recommender.store.put([*shown, ("new-bare", {"title": "Thing"})])
    new = set(names.values())
    for number, colour in enumerate(COLOURS):
        liked = tuple(Seen(f"i{number + len(COLOURS) * place}") for place in range(1, 6))
        liked = tuple(seen for seen in liked if recommender.store.items.likings[int(seen.item_id[1:])])
        found = [item.item_id for item in recommender.recommend(Wish(history=liked, k=120)).items]
        assert next(item for item in found if item in new) == names[colour]
    with pytest.raises(UserError, match="no file"):
        recommender.store.put([("x", {"image": str(tmp_path / "gone.png")})])
    assert recommender.store.items.catalogue.row_of("x") is None


def test_data_without_pictures_says_so(shop: Path, tmp_path: Path) -> None:
    shutil.copy(shop / "events.csv", tmp_path)
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"i{row},Thing\n" for row in range(ITEMS)))
    done = run_module("apps.recommender.train", *SETTINGS, *SEEING, "--data", str(tmp_path), cwd=tmp_path)
    assert done.code == 2
    assert "no pictures" in done.stderr


def _find(metrics: dict[str, Any], name: str) -> float:
    for key, value in metrics.items():
        if key == name:
            return float(value["value"])
        if isinstance(value, dict) and not np.isnan(found := _find(value, name)):
            return found
    return float("nan")
