"""Checkpoints that are whole or absent, and what damage is found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from faults.train_worker import make_model
from safetensors.torch import load_file
from torch import nn

from core.errors import UserError
from core.training.checkpoint import Checkpoint, find_damage, load_latest, save_checkpoint, save_weights
from core.training.optim import build_optimizer, load_optimizer

from .small_run import make_config

ROOT = Path(__file__).resolve().parents[3]
FILES = ("average.safetensors", "manifest.json", "model.safetensors", "optimizer.safetensors", "progress.json")


def make_checkpoint(value: float = 1.0) -> Checkpoint:
    model = {"weight": torch.full((3, 4), value), "count": torch.tensor(7), "half": torch.ones(2, dtype=torch.bfloat16)}
    optimizer = {
        "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.full((3, 4), value)}, 1: {"plain": 5}},
        "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99), "params": [0, 1], "fused": True}],
    }
    return Checkpoint(model, {"weight": torch.zeros(3, 4)}, optimizer, {"step": 3, "best_value": -float("inf")})


def damage(folder: Path, how: str) -> None:
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    if how == "truncated":
        file.write_bytes(content[:-7])
    elif how == "flipped bit":
        content[-5] ^= 1
        file.write_bytes(content)
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "missing file":
        file.unlink()
    elif how == "missing manifest":
        (folder / "manifest.json").unlink()
    else:
        (folder / "manifest.json").write_text(how)


DAMAGES = {
    "truncated": "model.safetensors has another checksum",
    "flipped bit": "model.safetensors has another checksum",
    "empty": "model.safetensors has another checksum",
    "missing file": "model.safetensors is missing",
    "missing manifest": "manifest.json is missing or not JSON",
    '{"model.safe': "manifest.json is missing or not JSON",
    "[]": "manifest.json does not list the files of a checkpoint",
    "{}": "manifest.json does not list the files of a checkpoint",
}


def test_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = make_checkpoint()
    path = save_checkpoint(tmp_path, 3, saved)
    assert path.name == "step-000000003"
    assert sorted(file.name for file in path.iterdir()) == sorted(FILES)
    found = load_latest(tmp_path)
    assert found is not None
    step, loaded, warnings = found
    assert (step, warnings) == (3, [])
    assert loaded.progress == saved.progress
    for one, other in ((saved.model, loaded.model), (saved.average, loaded.average)):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) and one[name].dtype == other[name].dtype for name in one)
    state = loaded.optimizer["state"]
    assert torch.equal(state[0]["exp_avg"], saved.optimizer["state"][0]["exp_avg"])
    assert state[0]["step"] == 3
    assert state[1] == {"plain": 5}
    assert loaded.optimizer["param_groups"][0]["lr"] == 0.1


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_latest(tmp_path / "nowhere") is None


def test_last_two_are_kept_and_the_newest_is_loaded(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        save_checkpoint(tmp_path, step, make_checkpoint(step))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000002", "step-000000010"]
    found = load_latest(tmp_path)
    assert found is not None
    assert found[0] == 10
    assert found[1].model["weight"][0, 0] == 10


def test_what_a_killed_writer_left_is_ignored_and_then_removed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, make_checkpoint(1))
    half = tmp_path / ".step-000000002.4242.aside"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    found = load_latest(tmp_path)
    assert found is not None
    assert found[0] == 1
    save_checkpoint(tmp_path, 2, make_checkpoint(2))
    assert not half.exists()


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_checkpoint_is_passed_over_with_a_warning_that_names_it(tmp_path: Path, how: str) -> None:
    save_checkpoint(tmp_path, 1, make_checkpoint(1))
    newest = save_checkpoint(tmp_path, 2, make_checkpoint(2))
    damage(newest, how)
    assert find_damage(newest) == DAMAGES[how]
    found = load_latest(tmp_path)
    assert found is not None
    step, checkpoint, warnings = found
    assert step == 1
    assert checkpoint.model["weight"][0, 0] == 1
    assert warnings == [
        f"Checkpoint step-000000002 is damaged ({DAMAGES[how]}); the one before it is used.",
    ]


@pytest.mark.parametrize("how", DAMAGES)
def test_no_whole_checkpoint_is_an_error_that_names_the_damage(tmp_path: Path, how: str) -> None:
    for step in (1, 2):
        damage(save_checkpoint(tmp_path, step, make_checkpoint(step)), how)
    with pytest.raises(UserError, match=r"No checkpoint in .* is whole") as caught:
        load_latest(tmp_path)
    assert "step-000000001" in caught.value.what
    assert "step-000000002" in caught.value.what
    assert DAMAGES[how] in caught.value.what


def test_checkpoint_holds_nothing_that_can_execute(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 1, make_checkpoint())
    for file in path.iterdir():
        content = file.read_bytes()
        if file.suffix == ".safetensors":
            header = int.from_bytes(content[:8], "little")
            json.loads(content[8 : 8 + header])
        else:
            json.loads(content)


def test_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"step 1 could not be saved in .*file"):
        save_checkpoint(tmp_path / "file", 1, make_checkpoint())


FULL_DISK = """
import resource, sys
from pathlib import Path
import torch
from core.errors import UserError
from core.training.checkpoint import Checkpoint, save_checkpoint, save_weights
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
large = {"weight": torch.zeros(100_000)}
for write in (
    lambda: save_checkpoint(folder, 2, Checkpoint(large, {}, {"state": {}, "param_groups": []}, {"step": 2})),
    lambda: save_checkpoint(folder, 2, Checkpoint({}, {}, {"state": {}, "param_groups": []}, {"x": "y" * 400_000})),
    lambda: save_weights(folder / "best.safetensors", large),
):
    try:
        write()
    except UserError as error:
        print(error, end="\\n\\n")
"""


def test_full_disk_is_a_clear_error_and_what_was_there_stays(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, make_checkpoint(1))
    save_weights(tmp_path / "best.safetensors", {"weight": torch.ones(2)})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    # No file may grow beyond 100,000 bytes: writing fails in the middle, as on a full disk.
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), "100000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    messages = done.stdout.strip().split("\n\n")
    assert len(messages) == 3, done.stdout
    for message in messages:
        assert "could not be saved" in message
        assert "File too large" in message
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    found = load_latest(tmp_path)
    assert found is not None
    assert found[0] == 1


def test_weights_are_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "best.safetensors"
    for value in (1.0, 2.0):
        save_weights(file, {"weight": torch.full((2,), value)})
    assert [path.name for path in tmp_path.iterdir()] == ["best.safetensors"]
    assert load_file(file)["weight"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_optimizer_state_keeps_its_layout_in_memory_and_the_next_step_its_bits(tmp_path: Path, optimizer: str) -> None:
    config = make_config(optimizer=optimizer)

    def build() -> tuple[nn.Module, Any]:
        model = make_model().to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        return model, build_optimizer(model, config)

    def step(model: nn.Module, built: Any, seed: int) -> None:
        torch.manual_seed(seed)
        for parameter in model.parameters():
            parameter.grad = torch.empty_like(parameter).copy_(torch.randn(parameter.shape))
        built.step()

    model, built = build()
    step(model, built, 0)
    save_checkpoint(tmp_path, 1, Checkpoint(model.state_dict(), {}, built.state_dict(), {}))
    found = load_latest(tmp_path)
    assert found is not None
    other, restored = build()
    other.load_state_dict(found[1].model)
    load_optimizer(restored, found[1].optimizer)
    moments = [name for name in built.state[next(model.parameters())] if name != "step"]
    assert moments
    strided = 0
    for parameter, values in restored.state.items():
        for name in moments:
            assert values[name].stride() == parameter.stride()
            strided += not values[name].is_contiguous()
    assert strided
    step(model, built, 1)
    step(other, restored, 1)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
