"""The skin lesion app keeps the contract of all apps."""

from pathlib import Path

from PIL import Image

from apps.medical_imaging.app import SPEC
from core.testing.contract import AppContract


class TestMedicalImaging(AppContract):
    spec = SPEC
    quick_overrides = ("--train.epochs", "2", "--data.limit", "60", "--data.image_px", "32")
    plots = ("training", "confusion", "reliability", "confidence")

    def example_inputs(self, folder: Path) -> list[str]:
        for name, colour in (("one.png", "tan"), ("病灶 two.jpg", "brown")):
            Image.new("RGB", (80, 60), colour).save(folder / name)
        return [str(file) for file in sorted(folder.iterdir())]
