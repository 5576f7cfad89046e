"""The training loop: epochs of steps, validation after each, checkpoints that a kill cannot break.

It calls accelerate for what differs between one CPU and many GPUs (device, processes, precision,
loss scaling) and keeps the rest in sight.
"""

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from rich.console import Console
from torch import Tensor, nn

from core.config import TrainConfig
from core.data.randomness import step_seed
from core.errors import UserError
from core.hardware import HardwarePlan
from core.tasks.task import Arrays, Task
from core.training.batches import Batch, TrainBatches, split_batch
from core.training.checkpoint import Checkpoint, load_latest, save_checkpoint, save_weights, saving
from core.training.memory import halved, is_out_of_memory, memory_mb
from core.training.optim import (
    WeightAverage,
    build_optimizer,
    clip_gradients,
    evaluated_weights,
    learning_rate_at,
    load_optimizer,
    set_frozen,
    set_learning_rate,
)
from core.training.process import build_accelerator, machine_settings, signals_kept
from core.training.progress import FitResult, Progress, is_better, monitored
from core.training.run_log import RunLog, append_metrics
from core.training.validation import mean_over_processes, validate

MAX_RECOVERIES = 3
FINITE_CHECK_STEPS = 50
"""Steps between two looks at the loss: each look waits for the device."""


def fit(
    model: nn.Module,
    task: Task,
    train: Arrays,
    validation: Arrays,
    *,
    config: TrainConfig,
    plan: HardwarePlan,
    seed: int,
    folder: Path,
    resume: bool = False,
    console: Console | None = None,
) -> FitResult:
    """Trains a model in place; it ends with the weights of its best epoch.

    Args:
        model: Untrained or pretrained.
        task: Augmentation, loss, metrics.
        train: Encoded training split.
        validation: Encoded validation split; chooses the best epoch.
        config: The science.
        plan: The plumbing.
        seed: Everything random follows from it.
        folder: Of the run; checkpoints, metrics.csv and tracker files go there.
        resume: Go on from the newest whole checkpoint, if there is one.
        console: Where progress is shown; None = nowhere.

    Raises:
        UserError: The loss stays not finite, a batch of the smallest size does not fit, or the disk is full.
    """
    with machine_settings(plan, config):
        trainer = Trainer(model, task, train, validation, config, plan, seed, folder, console)
        if resume:
            trainer.restore()
        return trainer.run()


class Trainer:
    """One training run; see `fit`."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        train: Arrays,
        validation: Arrays,
        config: TrainConfig,
        plan: HardwarePlan,
        seed: int,
        folder: Path,
        console: Console | None,
    ) -> None:
        self.task, self.validation, self.config, self.plan = task, validation, config, plan
        self.seed, self.folder = seed, folder
        self.console = console if plan.is_main else None
        self.accelerator = build_accelerator(plan, config, folder)
        if plan.channels_last:
            model = model.to(memory_format=torch.channels_last)
        self.model = model.to(self.accelerator.device)
        set_frozen(self.model, is_frozen=False)
        optimizer = build_optimizer(self.model, config)
        self.prepared, prepared_optimizer = self.accelerator.prepare(self._compiled(), optimizer)
        # accelerate's wrappers of step and backward matter where a loss is scaled (fp16); elsewhere they would
        # only cost a small net a tenth of its time.
        is_scaled = self.accelerator.scaler is not None
        self.optimizer = prepared_optimizer if is_scaled else optimizer
        self.backward = self.accelerator.backward if is_scaled else torch.Tensor.backward
        self.average = WeightAverage(self.model, config.ema_decay) if config.ema_decay else None
        self.batches = TrainBatches(
            train,
            task,
            global_batch_size=config.global_batch_size,
            seed=seed,
            rank=plan.rank,
            num_processes=plan.num_processes,
            device=self.accelerator.device,
            balance=config.balanced_sampling,
            epochs=config.epochs,
        )
        self.inputs = tuple(spec.name for spec in task.inputs)
        self.progress = Progress()
        self.signals: list[int] = []
        self.examples_per_second = 0.0

    # ---- the loop -------------------------------------------------------------------------------

    def run(self) -> FitResult:
        """Epoch after epoch until the end, the time limit, or no more gain."""
        config, per_epoch = self.config, self.batches.steps_per_epoch
        stopped_by = f"all {config.epochs} epochs done"
        # One window over all epochs: between two of them a signal would find nobody who saves.
        with RunLog(self.console, config.epochs * per_epoch, self.progress.step) as self.log, signals_kept() as signals:
            self.signals = signals
            # An epoch is over when it stands in the history: one stopped just before its validation goes on there.
            while len(self.progress.history) < config.epochs:
                if reason := self._reason_to_stop():
                    stopped_by = reason
                    break
                try:
                    self._train_epoch(len(self.progress.history))
                except _LossNotFinite:
                    self._recover()
                if self.signals:
                    self._stop_early()
        self._load_best()
        # In place: a wrapped forward pass would take its number format along into the exported graph.
        self.accelerator.unwrap_model(self.prepared, keep_fp32_wrapper=False)
        # Not end_training: it ends the group of processes too, which may have more to train.
        for tracker in self.accelerator.trackers:
            tracker.finish()
        return FitResult(
            history=self.progress.history,
            best_epoch=self.progress.best_epoch,
            seconds=self.progress.seconds,
            examples_per_second=self.examples_per_second,
            plan=self.plan,
            stopped_by=stopped_by,
        )

    def _train_epoch(self, epoch: int) -> None:
        per_epoch, progress, config = self.batches.steps_per_epoch, self.progress, self.config
        set_frozen(self.model, is_frozen=epoch < config.freeze_backbone_epochs)
        self.prepared.train()
        first_step = progress.step - epoch * per_epoch
        loss_sum = torch.tensor(progress.loss_sum, dtype=torch.float64, device=self.accelerator.device)
        started, done_before = time.monotonic(), progress.seconds
        for micro_batches in self.batches.epoch(epoch, first_step, lambda: self.plan.micro_batch_size):
            loss_sum += self._step(micro_batches)
            progress.step += 1
            in_epoch = progress.step - epoch * per_epoch
            if self.signals:
                progress.loss_sum, progress.seconds = loss_sum.item(), done_before + time.monotonic() - started
                self._stop_early()
            if self.log.is_due():
                self._show(loss_sum.item() / in_epoch, in_epoch - first_step, time.monotonic() - started)
            is_checkpoint = config.checkpoint_every_steps and progress.step % config.checkpoint_every_steps == 0
            if in_epoch < per_epoch and (is_checkpoint or in_epoch % FINITE_CHECK_STEPS == 0):
                progress.loss_sum = self._finite(loss_sum)
                progress.seconds = done_before + time.monotonic() - started
                if is_checkpoint:
                    self._save()
        elapsed = time.monotonic() - started
        progress.loss_sum = self._finite(loss_sum)
        self.examples_per_second = (per_epoch - first_step) * self.batches.batch_size / max(elapsed, 1e-9)
        progress.seconds = done_before + elapsed
        self._end_epoch(epoch)

    def _step(self, micro_batches: list[Batch]) -> Tensor:
        """One optimiser step; gives the loss as a tensor on the device, and never waits for it."""
        step = self.progress.step
        rate = learning_rate_at(step, self.config, self.batches.steps_per_epoch) * self.progress.learning_rate_scale
        set_learning_rate(self.optimizer, rate)
        while True:
            try:
                loss = self._accumulate(micro_batches, step)
                break
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                micro_batches = self._halve(micro_batches)
        if self.config.gradient_clip_norm:
            self.accelerator.unscale_gradients()
            clip_gradients(self.prepared.parameters(), self.config.gradient_clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average:
            self.average.update(self.model, step)
        return loss

    def _accumulate(self, micro_batches: list[Batch], step: int) -> Tensor:
        """Forward and backward over the micro batches; their losses add up to the mean over the batch."""
        losses = []
        for number, batch in enumerate(micro_batches):
            self._seed_dropout(step, number)
            share = len(batch[self.inputs[0]]) / self.batches.share
            is_last = number == len(micro_batches) - 1
            with contextlib.nullcontext() if is_last else self.accelerator.no_sync(self.prepared):
                outputs = self.prepared(**{name: batch[name] for name in self.inputs})
                loss = self.task.loss(outputs, batch)
                self.backward(loss if share == 1 else loss * share)
            losses.append(loss.detach() * share)
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def _end_epoch(self, epoch: int) -> None:
        progress = self.progress
        started = time.monotonic()
        row = {
            "epoch": float(epoch + 1),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "train_loss": progress.loss_sum / self.batches.steps_per_epoch,
            **{f"validation_{name}": value for name, value in self._validated().items()},
            "examples_per_second": self.examples_per_second,
        }
        progress.seconds += time.monotonic() - started
        progress.history = [*progress.history, row]
        progress.loss_sum = 0.0
        self._keep_best(epoch, row)
        self.accelerator.log({name: value for name, value in row.items() if name != "epoch"}, step=epoch + 1)
        if self.plan.is_main:
            with saving("metrics.csv", self.folder):
                append_metrics(self.folder / "metrics.csv", progress.history)
        self._save()
        best = " best so far" if progress.best_epoch == epoch else ""
        shown = [f"train_loss {row['train_loss']:.4f}", f"validation_loss {row['validation_loss']:.4f}"]
        if self.config.monitor != "loss":
            shown.append(f"validation_{self.config.monitor} {row[f'validation_{self.config.monitor}']:.4f}")
        self.log.say(
            f"epoch {epoch + 1}/{self.config.epochs} {' '.join(shown)} {self.examples_per_second:.0f} examples/s{best}"
        )

    # ---- the best weights ------------------------------------------------------------------------

    def _validated(self) -> dict[str, float]:
        with evaluated_weights(self.model, self.average):
            return validate(self.model, self.task, self.validation, self.plan, self.accelerator)

    def _keep_best(self, epoch: int, row: Mapping[str, float]) -> None:
        value = monitored(row, self.config.monitor)
        if is_better(value, self.progress):
            self.progress.best_value, self.progress.best_epoch = value, epoch
            if self.plan.is_main:
                save_weights(self._best_file, self.average.state if self.average else self.model.state_dict())

    @property
    def _best_file(self) -> Path:
        folder = self.folder / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "best.safetensors"

    def _load_best(self) -> None:
        from safetensors.torch import load_file

        self.accelerator.wait_for_everyone()
        self.model.load_state_dict(load_file(self._best_file))
        self.model.eval()

    # ---- when it goes wrong ----------------------------------------------------------------------

    def restore(self) -> bool:
        """Goes back to the newest whole checkpoint; False if there is none."""
        found = load_latest(self.folder / "checkpoints")
        if found is None:
            return False
        _, checkpoint, warnings = found
        for warning in warnings:
            if self.console:
                self.console.print(warning, soft_wrap=True)
        self.model.load_state_dict(checkpoint.model)
        if self.average:
            for name, value in checkpoint.average.items():
                self.average.state[name].copy_(value)
        load_optimizer(self.optimizer, checkpoint.optimizer)
        self.progress = Progress(**checkpoint.progress)
        return True

    def _recover(self) -> None:
        recoveries = self.progress.recoveries + 1
        if recoveries > MAX_RECOVERIES:
            raise UserError(
                f"The loss became infinite or not a number {recoveries} times, at last near step {self.progress.step}.",
                f"Training goes back to the last checkpoint at half the learning rate {MAX_RECOVERIES} times at most.",
                f"Lower train.learning_rate (now {self.config.learning_rate}), or set hardware.precision=fp32.",
            )
        scale = 0.5**recoveries
        if not self.restore():
            raise UserError(
                f"The loss became infinite or not a number before the first checkpoint (step {self.progress.step}).",
                "There is nothing to go back to.",
                f"Lower train.learning_rate (now {self.config.learning_rate}), or lengthen train.warmup_epochs.",
            )
        self.progress.recoveries, self.progress.learning_rate_scale = recoveries, scale
        self.log.say(f"Loss not finite: back to step {self.progress.step} with {scale:g} of the learning rate.")

    def _halve(self, micro_batches: list[Batch]) -> list[Batch]:
        self.optimizer.zero_grad()
        if self.accelerator.device.type == "cuda":
            torch.cuda.empty_cache()
        self.plan = halved(self.plan, self.config, self.batches.share, self.progress.step)
        size = self.plan.micro_batch_size
        self.log.say(f"Out of memory: micro batch {size}, accumulation {self.plan.accumulation_steps}.")
        return [part for batch in micro_batches for part in split_batch(batch, size)]

    # ---- small things ----------------------------------------------------------------------------

    def _reason_to_stop(self) -> str | None:
        config, progress = self.config, self.progress
        if progress.step != len(progress.history) * self.batches.steps_per_epoch:
            return None
        if config.max_minutes and progress.seconds > config.max_minutes * 60:
            return f"train.max_minutes = {config.max_minutes:g} reached"
        idle = len(progress.history) - 1 - progress.best_epoch
        if config.early_stopping_epochs and progress.history and idle >= config.early_stopping_epochs:
            return f"no better {config.monitor} for {idle} epochs"
        return None

    def _save(self) -> None:
        self._save_here()
        self.accelerator.wait_for_everyone()

    def _save_here(self) -> None:
        """The first process saves; the others do nothing."""
        if self.plan.is_main:
            average = self.average.state if self.average else {}
            state = Checkpoint(self.model.state_dict(), average, self.optimizer.state_dict(), asdict(self.progress))
            save_checkpoint(self.folder / "checkpoints", self.progress.step, state)

    def _stop_early(self) -> NoReturn:
        """Saves where training stands and ends; waits for no other process, which may have gone already."""
        if math.isfinite(self.progress.loss_sum) and self._has_finite_weights():
            self._save_here()
        self.log.say(f"Interrupted after step {self.progress.step}; go on with --resume {self.folder}.")
        raise KeyboardInterrupt

    def _compiled(self) -> nn.Module:
        if not self.plan.compile:
            return self.model
        compiled: Any = torch.compile(self.model)
        return cast(nn.Module, compiled)

    def _seed_dropout(self, step: int, micro_batch: int) -> None:
        value = step_seed(self.seed, step, self.plan.rank, micro_batch)
        torch.default_generator.manual_seed(value)
        if self.accelerator.device.type == "cuda":
            torch.cuda.manual_seed(value)

    def _finite(self, loss_sum: Tensor) -> float:
        """The loss summed so far, the mean over processes; all of them learn together that it is not finite.

        Weights count as well: the step after a finite loss may have spoilt them, and they are about to be kept.
        """
        value = loss_sum.item() if self._has_finite_weights() else math.nan
        if self.plan.num_processes > 1:
            value = mean_over_processes(value, self.accelerator)
        if not math.isfinite(value):
            raise _LossNotFinite
        return value

    def _has_finite_weights(self) -> bool:
        norms = torch._foreach_norm(list(self.model.parameters()))
        return bool(torch.stack(norms).isfinite().all())

    def _show(self, mean_loss: float, steps: int, seconds: float) -> None:
        facts = {
            "loss": f"{mean_loss:.4f}",
            "rate": f"{steps * self.batches.batch_size / max(seconds, 1e-9):.0f}/s",
            "memory": f"{memory_mb(self.accelerator.device):.0f} MiB",
        }
        if self.progress.history and self.config.monitor != "loss":
            facts[self.config.monitor] = f"{self.progress.history[-1][f'validation_{self.config.monitor}']:.3f}"
        self.log.show(self.progress.step, facts)


class _LossNotFinite(Exception):
    """The loss of an epoch so far is infinite or not a number."""
