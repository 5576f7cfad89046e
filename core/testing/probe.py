"""Runs a module as `python -m` would, and tells which heavy packages it imported.

python -m core.testing.probe REPORT MODULE [ARGUMENT ...]
"""

import json
import runpy
import sys
from pathlib import Path

SERVING_HEAVY = ("torch", "transformers", "timm", "datasets", "accelerate")
"""What nothing right of the bundle may import."""
HEAVY = (*SERVING_HEAVY, "numpy", "pandas", "gradio", "onnxruntime", "sklearn", "scipy", "matplotlib", "PIL", "faiss")
"""What `--help` and the list of apps may not import."""


def imported(names: tuple[str, ...] = HEAVY) -> list[str]:
    """Which of these packages this process has imported."""
    return [name for name in names if name in sys.modules]


def probe(report: Path, module: str, arguments: list[str]) -> int:
    """Runs a module, writes the heavy packages it imported as JSON, and gives its exit code."""
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        report.write_text(json.dumps(imported()), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(probe(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
