"""What all tests share: no network, one cache, one model trained small on sample data, the real data sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

# Set before any library reads them; subprocesses inherit them.
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}

ROOT = Path(__file__).resolve().parent.parent
QUICK = [
    "--config",
    "quick",
    "--train.epochs",
    "10",
    "--hardware.precision",
    "fp32",
    "--hardware.channels-last",
    "true",
]
SHOP = ["--config", "quick", "--train.epochs", "1"]
SUPPORT = ["--config", "quick", "--train.epochs", "10", "--hardware.precision", "fp32"]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all test processes of this session."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session", autouse=True)
def _one_cache(shared_folder: Path) -> None:
    os.environ["AI_APP_SUITE_CACHE"] = str(shared_folder / "cache")


def run_command(
    *words: str, cwd: Path | None = None, timeout_s: float = 300, **env: str
) -> subprocess.CompletedProcess[str]:
    """`python -m ...` as a user would type it."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def trained_once(run: Path, app: str, settings: list[str]) -> Path:
    """A finished run of an app, trained on sample data by the command line, by whichever test process comes first."""
    with FileLock(run.with_suffix(".lock")):
        if not (run / "bundle" / "bundle.json").exists():
            done = run_command(f"apps.{app}.train", *settings, "--output-dir", str(run), cwd=run.parent)
            assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="session")
def quick_bundle(shared_folder: Path) -> Path:
    """A finished run of medical_imaging, trained small."""
    return trained_once(shared_folder / "quick_run", "medical_imaging", QUICK)


@pytest.fixture(scope="session")
def support_bundle(shared_folder: Path) -> Path:
    """A finished run of customer_service, trained small."""
    return trained_once(shared_folder / "support_run", "customer_service", SUPPORT)


@pytest.fixture(scope="session")
def shop_bundle(shared_folder: Path) -> Path:
    """A finished run of the recommender, trained small."""
    return trained_once(shared_folder / "shop_run", "recommender", SHOP)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("SUITE_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data sets are not at {folder} (name another folder with SUITE_REAL_DATA)")
    return folder
