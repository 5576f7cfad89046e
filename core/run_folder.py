"""The folder of a run: where it is, whether it may be written, and how a stopped run is found again."""

import datetime
from pathlib import Path
from typing import Any

import yaml

from core.config import Config, dump_config
from core.errors import UsageError, UserError
from core.files import new_file

CONFIG, FINGERPRINT = "config.yaml", "data_fingerprint.txt"


def choose_folder(runs: Path, app: str, config_name: str, output_dir: Path | None, resume: str | None) -> Path:
    """Where this run writes.

    Args:
        runs: Folder of all runs.
        app: Name of the app.
        config_name: Of the preset or file, for the folder's name.
        output_dir: As asked for.
        resume: None, `auto`, or the folder of the run to go on with.

    Raises:
        UserError: The folder holds another run, there is nothing to resume, or it cannot be written.
    """
    if resume not in (None, "auto"):
        folder = Path(str(resume))
        if not (folder / CONFIG).is_file():
            raise UserError(
                f"{folder} holds no run to resume: it has no {CONFIG}.", "The folder of a run.", f"See {runs / app}."
            )
        return writable(folder)
    if output_dir is None and resume == "auto" and (found := _newest_unfinished(runs / app)):
        return found
    folder = output_dir or _new_name(runs / app, config_name)
    if resume is None and (folder / CONFIG).exists():
        raise UserError(
            f"{folder} holds a run already.",
            "A new run needs a new folder.",
            "Use --resume auto to go on with it, or another --output-dir.",
        )
    return writable(folder)


def choose_result_folder(run: Path, bundle: Path, name: str, output_dir: Path | None) -> Path:
    """Where results of a finished run or a bundle go: in the run, or beside the bundle, in which nothing may be added.

    Args:
        run: As asked for.
        bundle: What it led to.
        name: What the results are.
        output_dir: As asked for.

    Raises:
        UserError: It cannot be written.
    """
    is_bundle = run.resolve() == bundle.resolve()
    beside = run.resolve().with_name(f"{run.resolve().name}-{name}") if is_bundle else run / name
    return writable(output_dir or beside)


def check_replaceable(folder: Path, mark: str) -> None:
    """Raises UserError if a folder holds anything but what an export left, which a new one may replace."""
    if any(folder.iterdir()) and not (folder / mark).is_file():
        raise UserError(
            f"The output folder {folder} holds other files, which a bundle would replace.",
            "A new folder, an empty one, or an older bundle.",
            f"Give another --output-dir, such as {folder / 'bundle'}.",
        )


def writable(folder: Path) -> Path:
    """The folder, made if need be; UserError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"The output folder {folder} cannot be written: {error.strerror}.",
            "A folder on a disk with room, which this user may write to.",
            "Give another --output-dir.",
        ) from None
    return folder


def as_measured(folder: Path, config: Config) -> Config:
    """The config with those `auto` choices filled in that the run in this folder measured when it began."""
    file = folder / CONFIG
    if not file.is_file():
        return config
    before = yaml.safe_load(file.read_text(encoding="utf-8")).get("hardware", {})
    known = {name: before[name] for name, value in config.hardware if value == "auto" and name in before}
    return config.model_copy(update={"hardware": config.hardware.model_copy(update=known)})


def check_same_run(folder: Path, config: Config) -> None:
    """Raises UsageError if the folder holds a run of another config: going on would mix two runs."""
    file = folder / CONFIG
    if not file.is_file():
        return
    before, now = _flat(yaml.safe_load(file.read_text(encoding="utf-8"))), _flat(yaml.safe_load(dump_config(config)))
    # A setting that did not exist yet was as it is by default now.
    before = {**_flat(yaml.safe_load(dump_config(type(config)()))), **before}
    changed = [key for key in now if before.get(key) != now[key]]
    if changed:
        told = "; ".join(f"{key} was {before.get(key)!r} and is {now[key]!r}" for key in changed[:4])
        raise UsageError(
            f"The run in {folder} has another config: {told}.",
            "A run is resumed with the config it was started with.",
            f"Use --config {file} --resume {folder}, or start a new run.",
        )


def check_same_data(folder: Path, fingerprint: str) -> None:
    """Raises UserError if the folder holds a run on other data: what it has learnt does not fit these."""
    file = folder / FINGERPRINT
    if file.is_file() and file.read_text(encoding="utf-8").strip() != fingerprint:
        raise UserError(
            f"The data has changed since the run in {folder} was started.",
            "A run is resumed on the data it was started with.",
            "Bring that data back, or start a new run.",
        )


def save_once(folder: Path, name: str, text: str) -> None:
    """Writes a file of the run in one step."""
    with new_file(folder / name) as aside:
        aside.write_text(text, encoding="utf-8")


def link_latest(runs: Path, app: str, folder: Path) -> None:
    """Points runs/<app>/latest to a finished run."""
    link = runs / app / "latest"
    link.parent.mkdir(parents=True, exist_ok=True)
    aside = link.with_name(".latest.aside")
    aside.unlink(missing_ok=True)
    aside.symlink_to(folder.resolve(), target_is_directory=True)
    aside.replace(link)


def _new_name(folder: Path, config_name: str) -> Path:
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    return folder / f"{stamp}-{config_name}"


def _newest_unfinished(folder: Path) -> Path | None:
    runs = sorted(path.parent for path in folder.glob(f"*/{CONFIG}") if not path.parent.is_symlink())
    unfinished = [run for run in runs if not (run / "bundle" / "bundle.json").exists()]
    return unfinished[-1] if unfinished else None


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
