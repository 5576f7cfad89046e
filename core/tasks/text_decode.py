"""Served outputs to typed answers about texts.

Shapes: B batch, K labels.
"""

from collections.abc import Sequence

import numpy as np

from core.data.text_units import fold
from core.data.vocabulary import TextEncoder
from core.evaluation.decision import DecisionPolicy
from core.tasks.task import Arrays
from core.tasks.text_answer import Contribution, TextAnswer
from core.tasks.text_contributions import list_contributions
from core.tasks.text_schema import TextSchema
from core.texts import Text

EMPTY = Text("The message holds no words.", "消息中没有文字。")


def decode_texts(
    outputs: Arrays, texts: Sequence[str], schema: TextSchema, policy: DecisionPolicy, units: TextEncoder | None
) -> list[TextAnswer]:
    """One answer for each text.

    Args:
        outputs: As the served graph gives them.
        texts: Raw.
        schema: Labels, and widths of the model's filters.
        policy: Of the bundle.
        units: Names the n-grams that contributed; None = the model has no contributions.
    """
    probabilities_BK, labels = outputs["probabilities"], schema.labels
    refusals = [() if fold(text).strip() else (EMPTY,) for text in texts]
    verdicts = policy.judge(probabilities_BK, outputs["novelty"], labels, refusals)
    answers = []
    for row, (text, verdict) in enumerate(zip(texts, verdicts, strict=True)):
        order_K = np.argsort(-probabilities_BK[row], kind="stable")
        ranking = tuple((labels[k], float(probabilities_BK[row, k])) for k in order_K)
        carried: tuple[Contribution, ...] = ()
        if units is not None and "contributions" in outputs:
            carried = list_contributions(text, outputs["contributions"][row], units, schema.widths)
        answers.append(TextAnswer(text, verdict, ranking, float(outputs["novelty"][row]), carried))
    return answers
