"""`python -m benchmarks`: every benchmark that takes under five minutes, one after the other; `--full` for all."""

import argparse
import subprocess
import sys
from pathlib import Path

RUN = Path("runs/medical_imaging/latest")
SHORT = ("trainer_speed", "input_pipeline", "serving_speed")
LONG = ("mask_quality", "skin_quality")


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="also those that train for up to twenty minutes")
    names = SHORT + (LONG if parser.parse_args().full else ())
    if not RUN.exists():
        subprocess.run([sys.executable, "-m", "apps.medical_imaging.train", "--config", "quick"], check=True)
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
