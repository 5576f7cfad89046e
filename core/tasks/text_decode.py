"""Served outputs to typed answers about texts.

Shapes: B batch, K labels.
"""

from collections.abc import Sequence

import numpy as np

from core.data.text_units import fold
from core.data.vocabulary import TextEncoder
from core.evaluation.decision import DecisionPolicy
from core.tasks.task import Arrays
from core.tasks.text_answer import TextAnswer
from core.texts import Text

EMPTY = Text("The message holds no words.", "消息中没有文字。")


def decode_texts(
    outputs: Arrays, texts: Sequence[str], labels: Sequence[str], policy: DecisionPolicy, units: TextEncoder | None
) -> list[TextAnswer]:
    """One answer for each text.

    Args:
        outputs: As the served graph gives them.
        texts: Raw.
        labels: The K labels.
        policy: Of the bundle.
        units: Names the n-grams that contributed; None = the model has no contributions.
    """
    probabilities_BK = outputs["probabilities"]
    refusals = [() if fold(text).strip() else (EMPTY,) for text in texts]
    verdicts = policy.judge(probabilities_BK, outputs["novelty"], labels, refusals)
    answers = []
    for row, (text, verdict) in enumerate(zip(texts, verdicts, strict=True)):
        order_K = np.argsort(-probabilities_BK[row], kind="stable")
        ranking = tuple((labels[k], float(probabilities_BK[row, k])) for k in order_K)
        answers.append(
            TextAnswer(text=text, verdict=verdict, ranking=ranking, novelty=float(outputs["novelty"][row]))
        )
    return answers
