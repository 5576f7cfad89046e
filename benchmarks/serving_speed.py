"""One image to probabilities and heat map: the bundle against PyTorch with the grad-cam package.

Both start from the same JPEG bytes and run the same weights on the same cores. What a user would
write instead: decode, resize, forward in PyTorch, then Grad-CAM by a backward pass. The bundle
gives the map in the same pass; for a net that ends in global average pooling both maps are the same.
"""

import argparse
import io
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from apps.medical_imaging.app import SPEC
from benchmarks.side_by_side import compare
from core.data.image_files import read_image, to_square
from core.export.exporter import load_graph
from core.serving.predictor import Predictor, load_predictor

REPEATS, ROUNDS = 40, 5
START_UP = """
import sys, time
started = time.perf_counter()
from pathlib import Path
from apps.medical_imaging.app import SPEC
from core.serving.predictor import load_predictor
predictor = load_predictor(Path(sys.argv[1]), SPEC)
loaded = time.perf_counter() - started
predictor.predict([{"image": Path(sys.argv[2]).read_bytes()}])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(loaded, int(peak.split()[1]) / 1024)
"""


class Logits(nn.Module):
    """The bundle's network as the grad-cam package wants it: an image in, logits out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.model(image)["logits"]
        return logits


def median_ms(action: Any) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def grad_cam_of(predictor: Predictor) -> Any:
    """The peer: PyTorch in eager mode with Grad-CAM on the last feature map."""
    recipe = SPEC.recipe(predictor.bundle.manifest.recipe)
    graph = load_graph(predictor.bundle, recipe.build_model(predictor.config, predictor.schema), predictor.policy)
    network: Any = graph.model
    last = list(network.backbone.body.children())[-1]
    cam = GradCAM(model=Logits(network), target_layers=[last])
    side = predictor.schema.image_px  # type: ignore[attr-defined]

    def explain(content: bytes) -> tuple[int, Any]:
        pixels = torch.tensor(to_square(read_image(content), side))[None].float()
        with torch.no_grad():
            label = int(network(pixels)["logits"].argmax())
        return label, cam(input_tensor=pixels, targets=[ClassifierOutputTarget(label)])

    return explain


def make_image() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (18, 18, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((450, 450), Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", default=Path("runs/medical_imaging/latest"), help="a finished run")
    run = parser.parse_args().run
    predictor, content = load_predictor(run, SPEC), make_image()
    explain = grad_cam_of(predictor)
    comparison = compare(
        lambda: 1000 / median_ms(lambda: predictor.predict([{"image": content}])),
        lambda: 1000 / median_ms(lambda: explain(content)),
        ROUNDS,
    )
    backbone = predictor.config.model.backbone  # type: ignore[attr-defined]
    print(comparison.line(f"serving with heat map, {backbone}", "bundle", "grad-cam", "images/s", "at least 5"))
    picture = run / ".benchmark.jpg"
    picture.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", START_UP, str(run), str(picture)], capture_output=True, text=True, check=True
    )
    picture.unlink()
    seconds, megabytes = map(float, done.stdout.split())
    print(f"start-up: import and load {seconds:.2f} s (aim under 2), peak {megabytes:.0f} MiB (aim under 400)")


if __name__ == "__main__":
    main()
