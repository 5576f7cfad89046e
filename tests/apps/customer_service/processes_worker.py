"""Trains as the command line does, and leaves a checksum of this process's weights: python processes_worker.py ARGS."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from apps.customer_service.app import SPEC, CustomerServiceConfig
from core.cli import choose_config, parse_verb
from core.config import resolve_config
from core.hardware import current_rank
from core.run import leave_process_group, train

built: list[torch.nn.Module] = []


def build_model(config: CustomerServiceConfig, schema: Any) -> torch.nn.Module:
    """Remembers what it builds."""
    built.append(SPEC.recipes[0].build_model(config, schema))
    return built[-1]


if __name__ == "__main__":
    arguments, overrides = parse_verb(SPEC, "train", sys.argv[1:])
    resolved = resolve_config(CustomerServiceConfig, choose_config(SPEC, arguments.config, None)[0], overrides)
    recipe = replace(SPEC.recipes[0], build_model=build_model)
    train(SPEC, recipe, resolved, config_name="two", output_dir=arguments.output_dir)
    digest = hashlib.sha256()
    for _, value in sorted(built[0].state_dict().items()):
        digest.update(value.cpu().numpy().tobytes())
    Path(f"weights-{current_rank()}.txt").write_text(digest.hexdigest())
    leave_process_group()
