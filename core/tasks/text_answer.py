"""The typed answer for one text: which label, how sure, which n-grams carried it, and may one rely on it."""

from dataclasses import dataclass
from typing import Any

from core.evaluation.decision import Verdict


@dataclass(frozen=True)
class Contribution:
    """What one n-gram of the text added to the logit of the first label.

    Args:
        ngram: As it stands in the text.
        start: First character of it in the text.
        end: One past its last character.
        weight: Added to the logit; negative speaks against the label.
    """

    ngram: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class TextAnswer:
    """Everything the suite says about one text.

    Args:
        text: As it was judged.
        verdict: Answered, unsure (with the set of labels) or refused (out of scope), with reasons.
        ranking: (label, calibrated probability), most probable first.
        novelty: Out-of-scope score; higher is stranger.
        contributions: For the first label, the largest first; empty for models that have none.
    """

    text: str
    verdict: Verdict
    ranking: tuple[tuple[str, float], ...]
    novelty: float
    contributions: tuple[Contribution, ...] = ()

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.ranking[0][0]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; the five most probable labels."""
        return {
            **self.verdict.to_json(),
            "label": self.label,
            "probability": round(self.ranking[0][1], 4),
            "ranking": [{"label": label, "probability": round(share, 4)} for label, share in self.ranking[:5]],
            "novelty": round(self.novelty, 4),
            "contributions": [
                {"ngram": part.ngram, "start": part.start, "end": part.end, "weight": round(part.weight, 4)}
                for part in self.contributions
            ],
        }
