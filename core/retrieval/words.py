"""Text to search terms: English words without their endings; Chinese characters, pairs and words."""

import functools
import logging
import re
import unicodedata
import warnings
from contextlib import suppress
from typing import Any

from core.data.publish import default_cache_dir

# Han with its extensions, kana, hangul and Thai: scripts that are written without blanks, or with few.
CONTINUOUS = (
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3040-\u30ff\uac00-\ud7af\u0e00-\u0e7f"
)
RUN = re.compile(rf"[{CONTINUOUS}]+|(?:(?![{CONTINUOUS}])[^\W_])+(?:'[a-z]+)?")
MAX_WORD = 40
"""Longer runs are no words (keys, encoded data); their beginning stands for them."""

STOP_WORDS = frozenset(
    word
    for line in (
        "a an and any are as at be been being but by can could did do does for from had has have he her here him his",
        "how i if in into is it its just me my of on or our please shall she should so some than that the their them",
        "then there these they this those to us was we were what when where which while who whom why will with would",
        "you your am i'm i've i'd i'll it's that's there's what's don't doesn't didn't can't",
    )
    for word in line.split()
)
"""English words that say how one asks, and not what about."""


def search_terms(text: str) -> list[str]:
    """Terms of a text in their order, for indexing and for searching alike.

    Full-width and compatibility forms are folded (NFKC), case and English endings too. A Chinese run gives its
    characters and their pairs, by which Traditional Chinese and unknown words are found, and jieba's longer words.
    """
    terms: list[str] = []
    for run in RUN.findall(unicodedata.normalize("NFKC", text).lower().replace("’", "'")):
        if not run.isascii() and is_continuous(run[0]):
            terms += _continuous_terms(run)
        elif run not in STOP_WORDS:
            terms.append(stem(run[:MAX_WORD]))
    return terms


def is_continuous(character: str) -> bool:
    """Whether a character is of a script written without blanks."""
    return re.match(rf"[{CONTINUOUS}]", character) is not None


@functools.lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """An English word without its commonest endings: plural, -ing, -ed, -ion, -ly, final e.

    Source: the first steps of Porter, "An algorithm for suffix stripping", 1980, without those that join words of
    different meaning (university, universe).
    """
    word = re.sub(r"'[a-z]*$", "", word)
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return word
    word = _singular(word) if len(word) > 3 else word
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and re.search("[aeiouy]", rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    if len(word) > 5 and word.endswith("ly"):
        word = word[:-2]
    if len(word) > 5 and word.endswith(("tion", "sion")):
        word = word[:-3]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 4 and word.endswith("ll"):  # cancelled, cancel; installing, install
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") and word[-2] not in "aeiou" else word


def _singular(word: str) -> str:
    if word.endswith(("ies", "ied")):
        return word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _continuous_terms(run: str) -> list[str]:
    pairs = [run[start : start + 2] for start in range(len(run) - 1)]
    # Words of one or two characters are among the others already; counting them twice ranks worse (sample data,
    # validation: MRR 0.55 instead of 0.58; characters left out: 0.50).
    words = [word for word in _segmenter().cut_for_search(run) if len(word) > 2] if len(run) > 2 else []
    return [*run, *pairs, *words]


@functools.cache
def _segmenter() -> Any:
    """jieba's segmenter, quiet, with its dictionary cached in the suite's own folder."""
    with warnings.catch_warnings():
        # Its sources hold escapes that newer Pythons warn of.
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel(logging.CRITICAL + 1)
    segmenter = jieba.Tokenizer()
    with suppress(OSError):  # a home that cannot be written costs a second at each start
        folder = default_cache_dir() / "jieba"
        folder.mkdir(parents=True, exist_ok=True)
        segmenter.tmp_dir = str(folder)
    segmenter.initialize()
    return segmenter
