"""The recommender app keeps the contract of all apps."""

from pathlib import Path

from apps.recommender.app import SPEC
from core.testing.contract import AppContract


class TestRecommender(AppContract):
    spec = SPEC
    quick_overrides = ("--train.epochs", "2", "--data.limit", "120")

    def example_inputs(self, folder: Path) -> list[str]:
        return [
            "user=visitor-003&k=3",
            "history=teapot-glass,tent-light",
            "interests=给喜欢喝茶的人 & a <b>gift</b>",
            "item=novel-pocket",
            "k=4",
        ]
