"""The customer service app keeps the contract of all apps."""

from pathlib import Path

from apps.customer_service.app import SPEC
from core.testing.contract import AppContract


class TestCustomerService(AppContract):
    spec = SPEC
    quick_overrides = ("--train.epochs", "2", "--data.limit", "200", "--search.train.epochs", "2")
    plots = ("training", "confusion", "reliability", "confidence")

    def example_inputs(self, folder: Path) -> list[str]:
        return ["where is my parcel", "怎么退货?", "<b>bold</b> \N{SLIGHTLY SMILING FACE}"]
