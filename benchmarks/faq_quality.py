"""Quality of finding the right FAQ entry, beside plain BM25 on the same split, on real and on sample data.

Plain BM25 is bm25s over lower-cased words (jieba's for Chinese) of question and answer; with training queries also
over the same with the training queries added to their entries, which is the fair peer of what the suite does with them.
The suite searches by words where there are no training queries, and else with the encoder that it trains on them.
Weights and thresholds are chosen on validation queries, figures are of the test split. "No answer" is told by BM25's
best score and by the suite's novelty; its AUROC is that against the test queries of each of the other sets.
Intervals are bootstrapped over queries; MRR is also compared query by query.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bm25s
import jieba
import numpy as np
import numpy.typing as npt

from core.config import DecisionConfig, HardwareConfig
from core.evaluation.ranking import gains_of_lists, ranking_metrics, reciprocal_ranks
from core.evaluation.uncertainty import bootstrap_mean
from core.hardware import detect_machine, plan_hardware
from core.retrieval.encoder import load_encoder
from core.retrieval.encoder_config import EncoderConfig
from core.retrieval.entry import Entry
from core.retrieval.evaluate_retrieval import estimate_auroc
from core.retrieval.fit_knowledge import add_known_queries, fit_knowledge
from core.retrieval.knowledge_config import KnowledgeColumns, QueryColumns
from core.retrieval.knowledge_tables import Query, load_queries, read_entries
from core.retrieval.policy import search
from core.retrieval.train_encoder import fit_encoder

REAL_DATA = Path(os.environ.get("SUITE_REAL_DATA", "../shared/data"))
SAMPLE = Path("apps/customer_service/sample")
RESAMPLES, DEPTH = 1000, 10
Find = Callable[[str], tuple[list[str], float]]
"""A query to the ids found, best first, and how surely there is an answer."""


@dataclass(frozen=True)
class FaqSet:
    """Entries with queries by split, and whether they are Chinese."""

    name: str
    entries: list[Entry]
    queries: list[Query]
    is_chinese: bool

    def split(self, name: str) -> list[Query]:
        return [query for query in self.queries if (query.split or "test") == name]


def load_sets(folder: Path) -> list[FaqSet]:
    """StackFAQ and E.SUN where they are, and the sample in both languages."""
    found = [
        _read(
            f"sample {lang}",
            SAMPLE / "knowledge" / f"faq_{lang}.jsonl",
            SAMPLE / f"faq_queries_{lang}.jsonl",
            lang == "zh",
        )
        for lang in ("en", "zh")
    ]
    stack, esun = folder / "stackfaq", folder / "esun-bank-faq-zh"
    if stack.exists():
        found.append(_read("StackFAQ", stack / "faq.jsonl", stack / "queries.csv", False))
    if esun.exists():
        found.append(_read("E.SUN", esun / "faq.csv", esun / "queries.csv", True))
    return found


def _read(name: str, entries: Path, queries: Path, is_chinese: bool) -> FaqSet:
    found = read_entries(entries, KnowledgeColumns()).entries
    return FaqSet(name, found, load_queries(queries, QueryColumns(entry_id=_id_column(queries))), is_chinese)


def _id_column(queries: Path) -> str:
    return "entry_id" if queries.suffix == ".jsonl" else "faq_id"


def plain_bm25(entries: Sequence[Entry], is_chinese: bool) -> Find:
    """What one would write first."""

    def words(text: str) -> list[str]:
        cut = jieba.lcut(text.lower()) if is_chinese else re.findall(r"\w+", text.lower())
        return [word for word in cut if re.match(r"\w", word)]

    index = bm25s.BM25()
    texts = [" ".join((entry.question, entry.answer, *entry.known_queries)) for entry in entries]
    index.index([words(text) for text in texts], show_progress=False)

    def find(query: str) -> tuple[list[str], float]:
        known = [word for word in words(query) if word in index.vocab_dict]
        scores = index.get_scores(known) if known else np.zeros(len(entries))
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        return [entries[row].entry_id for row in order if scores[row] > 0], float(scores.max())

    return find


def suite(data: FaqSet, train: Sequence[Query], validation: Sequence[Query]) -> Find:
    """What the suite makes of the same entries and queries."""
    config = EncoderConfig()
    plan = plan_hardware(HardwareConfig(device="cpu", measure=False), config.train, detect_machine())
    with tempfile.TemporaryDirectory() as name:
        work, target, started = Path(name) / "work", Path(name) / "encoder", time.perf_counter()
        result = fit_encoder(data.entries, train, validation, config, plan, work=work, target=target, seed=0)
        encoder = load_encoder(target) if result else None
        fitted = fit_knowledge(data.entries, train, validation, encoder, DecisionConfig())
    if result:
        took, known = time.perf_counter() - started, "are" if fitted.knows_queries else "are not"
        print(f"  trained and fitted in {took:.0f} s; training queries {known} known queries of their entries")

    def find(query: str) -> tuple[list[str], float]:
        retrieval = search(fitted.knowledge, fitted.policy, query, limit=DEPTH)
        return [hit.entry.entry_id for hit in retrieval.hits], 1 - retrieval.novelty

    return find


def measure(name: str, find: Find, data: FaqSet, negatives: dict[str, list[str]]) -> npt.NDArray[np.float64]:
    """Prints a row; gives the reciprocal rank of each test query."""
    test = data.split("test")
    found = [find(query.query) for query in test]
    gains = gains_of_lists([ids for ids, _ in found], [{query.entry_id} for query in test], DEPTH)
    metrics = ranking_metrics(gains, recall_depths=(1,), ndcg_depths=(), resamples=RESAMPLES)
    cells = [f"{key} {value}" for key, value in metrics.items()]
    for other, texts in negatives.items():
        doubts = [-sure for _, sure in found], [-find(text)[1] for text in texts]
        cells.append(f"no answer ({other}) {estimate_auroc(*doubts, resamples=RESAMPLES)}")
    print(f"  {name:34}{'  '.join(cells)}", flush=True)
    return reciprocal_ranks(gains)


def compare(data: FaqSet, negatives: dict[str, list[str]]) -> None:
    """One set: BM25 and the suite without training queries, then with them where there are some."""
    train, validation = data.split("train"), data.split("validation")
    print(f"{data.name}: {len(data.entries)} entries, {len(train)}/{len(validation)}/{len(data.split('test'))} queries")
    plain = measure("plain BM25", plain_bm25(data.entries, data.is_chinese), data, negatives)
    rows = {"suite, no queries": suite(data, (), ())}
    if train:
        known = replace(data, entries=add_known_queries(data.entries, train))
        measure("plain BM25, training queries", plain_bm25(known.entries, data.is_chinese), known, negatives)
        rows["suite, training queries"] = suite(data, train, validation)
    for name, find in rows.items():
        gained = bootstrap_mean(measure(name, find, data, negatives) - plain, RESAMPLES, seed=0)
        print(f"  {'':34}MRR above plain BM25: {gained}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REAL_DATA)
    sets = load_sets(parser.parse_args().data)
    jieba.setLogLevel(60)
    for data in sets:
        negatives = {}
        for other in sets:
            if other is not data:
                negatives[other.name] = [query.query for query in other.split("test")]
        compare(data, negatives)


if __name__ == "__main__":
    main()
