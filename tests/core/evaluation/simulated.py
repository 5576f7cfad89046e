"""Made-up classifiers whose behaviour is known."""

import numpy as np
from hypothesis import settings

STEADY = settings(deadline=None, derandomize=True, max_examples=80)
"""The same cases in every run, however slow the machine."""

LABELS = ("melanoma", "nevus", "keratosis", "normal 正常")


def simulate(num_examples, num_labels=4, seed=0, sharpness=1.0):
    """(logits, targets); softmax of logits / sharpness is the true probability of each target."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(num_examples, num_labels)) * 2
    noise = random.gumbel(size=logits.shape)
    return logits * sharpness, np.argmax(logits + noise, axis=1)
