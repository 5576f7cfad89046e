"""Whom a SYNTHETIC lesion belongs to: age, sex, site and skin tone, likelier together as in the clinic."""

from dataclasses import dataclass

import numpy as np

SITES = (
    "back",
    "abdomen",
    "chest",
    "trunk",
    "upper extremity",
    "lower extremity",
    "face",
    "scalp",
    "neck",
    "ear",
    "hand",
    "foot",
)
TONES = ("I", "II", "III", "IV", "V", "VI")


@dataclass(frozen=True)
class Habit:
    """Who gets a lesion of one class: age (mean and deviation, years), share of men, weights of `SITES` and `TONES`."""

    age_mean: float
    age_deviation: float
    male_share: float
    sites: tuple[int, ...]
    tones: tuple[int, ...]


HABITS: dict[str, Habit] = {
    "healthy_skin": Habit(48, 19, 0.50, (4, 3, 2, 3, 4, 4, 2, 1, 1, 1, 2, 2), (3, 4, 4, 4, 3, 3)),
    "nevus": Habit(42, 15, 0.49, (7, 4, 3, 4, 4, 5, 2, 1, 1, 1, 1, 1), (3, 5, 5, 4, 2, 2)),
    "melanoma": Habit(62, 14, 0.57, (8, 2, 2, 3, 4, 5, 3, 1, 1, 1, 1, 2), (6, 7, 4, 2, 1, 1)),
    "seborrheic_keratosis": Habit(66, 11, 0.52, (7, 3, 3, 4, 2, 3, 5, 2, 2, 1, 1, 0), (3, 5, 5, 4, 2, 2)),
    "basal_cell_carcinoma": Habit(68, 12, 0.60, (4, 1, 2, 2, 2, 2, 9, 2, 3, 2, 1, 0), (6, 7, 5, 2, 1, 1)),
    "vascular_lesion": Habit(52, 17, 0.47, (4, 5, 3, 4, 3, 3, 3, 1, 1, 1, 2, 1), (4, 5, 4, 3, 2, 2)),
}
LABELS = tuple(HABITS)
MALIGNANT = ("melanoma", "basal_cell_carcinoma")


@dataclass(frozen=True)
class Patient:
    """One person; age and sex are None where nobody wrote them down, though the painter knows the age."""

    true_age: float
    age: int | None
    sex: str | None
    site: str
    tone: str


def draw_patient(rng: np.random.Generator, label: str) -> Patient:
    """A patient with a lesion of that class; ages are rounded to five years, as registries do."""
    habit = HABITS[label]
    age = float(np.clip(rng.normal(habit.age_mean, habit.age_deviation), 5, 90))
    sex = "male" if rng.random() < habit.male_share else "female"
    sites, tones = np.array(habit.sites), np.array(habit.tones)
    return Patient(
        true_age=age,
        age=None if rng.random() < 0.06 else 5 * round(age / 5),
        sex=None if rng.random() < 0.04 else sex,
        site=SITES[rng.choice(len(SITES), p=sites / sites.sum())],
        tone=TONES[rng.choice(len(TONES), p=tones / tones.sum())],
    )
