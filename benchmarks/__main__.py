"""`python -m benchmarks`: every benchmark that takes under five minutes, one after the other; `--full` for all."""

import argparse
import subprocess
import sys
from pathlib import Path

APPS = ("medical_imaging", "customer_service")
SHORT = ("trainer_speed", "input_pipeline", "serving_speed", "faq_quality", "chat_load", "item_search")
LONG = (
    "intent_quality",
    "vector_index",
    "event_log_memory",
    "mask_quality",
    "skin_quality",
    "list_speed",
    "sasrec_speed",
)


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="also those that train for up to twenty minutes")
    names = SHORT + (LONG if parser.parse_args().full else ())
    for app in APPS:
        if not (Path("runs") / app / "latest").exists():
            subprocess.run([sys.executable, "-m", f"apps.{app}.train", "--config", "quick"], check=True)
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
