"""Two ways to do the same, measured in turns so that a noisy machine meets both alike."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Rates (higher is better) of ours and theirs, round by round."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def line(self, what: str, our_name: str, their_name: str, unit: str, aim: str) -> str:
        """One row of the benchmark's table."""
        ratios = [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
        return (
            f"{what}: {our_name} {statistics.median(self.ours):,.1f} {unit}, {their_name} "
            f"{statistics.median(self.theirs):,.1f} {unit}, ratio {self.ratio:.2f} "
            f"[{min(ratios):.2f}, {max(ratios):.2f}] over {len(ratios)} rounds (aim {aim})"
        )


def compare(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> Comparison:
    """Runs both in turns, the first round unmeasured; each gives a rate."""
    ours(), theirs()
    results: list[tuple[float, float]] = []
    for number in range(rounds):
        # Who goes first changes, so that neither always meets a warm or a busy machine.
        if number % 2:
            b, a = theirs(), ours()
        else:
            a, b = ours(), theirs()
        results.append((a, b))
    return Comparison([a for a, _ in results], [b for _, b in results])
