"""What the model thought of one message, as escaped HTML: decision, intents, the words that carried it, passages."""

from collections.abc import Mapping, Sequence

from apps.customer_service.reply import Reply
from apps.customer_service.ui.label_words import DECISIONS, KINDS, TONES, intent_word, reason_words
from apps.customer_service.ui.links import link
from core.evaluation.decision import Verdict
from core.retrieval.retrieval import Hit, Retrieval
from core.tasks.text_answer import Contribution, TextAnswer
from core.texts import Language, Text
from core.ui import forms
from core.ui.inert import inert
from core.ui.translations import in_both, inline
from core.ui.widgets import Bar, bars, bullets, facts, heading, table

STEPS = 6
SHOWN_INTENTS, SHOWN_WORDS, SHOWN_PASSAGES = 6, 12, 8
MESSAGE, REPLY, GATE = Text("Message", "消息"), Text("Reply", "回复"), Text("Decision", "判定")
JUDGED_AS = Text("Judged as", "实际判断的文本")
CONFIDENCE, WHY, MODEL = Text("Confidence", "置信度"), Text("Why", "原因"), Text("Language model", "语言模型")
INTENTS = Text("Intents, with calibrated probability", "意图（校准后的概率）")
NOVELTY = Text("How unlike what it knows", "新颖度")
CARRIED = Text("The words that carried the first intent", "支持第一意图的词语")
PART, WEIGHT = Text("N-gram", "片段"), Text("Added to the logit", "对得分的贡献")
NO_PARTS = Text("This model names no words.", "该模型不提供词语贡献。")
PASSAGES = Text("Passages found", "检索到的条目")
NO_PASSAGES = Text("Nothing was found.", "没有检索到条目。")
NOT_ASKED = Text("Neither intent model nor knowledge base was asked.", "未调用意图模型和知识库。")
PASSAGE, PROBABILITY = Text("Entry", "条目"), Text("Probability", "概率")
BY_WORDS, BY_VECTOR, BY_BOTH = Text("Words", "词语得分"), Text("Vector", "向量得分"), Text("Fused", "融合得分")
RERANKED = Text("Re-ranked", "重排得分")


def render_insight(message: str, reply: Reply, words: Mapping[str, Text]) -> str:
    """Everything about one message.

    Args:
        message: As the customer wrote it.
        reply: What came of it.
        words: Readable words of intents.
    """
    gate = in_both(lambda language: facts(_gate_facts(message, reply, language)))
    tone = TONES[reply.decision]
    tags = forms.tag(DECISIONS[reply.decision], tone) + forms.tag(KINDS[reply.kind])
    head = f'<section class="card"><div class="tags">{tags}</div>{gate}</section>'
    if reply.intent is None and reply.retrieval is None:
        return f'<div class="entries">{head}<p class="quiet">{inline(NOT_ASKED)}</p></div>'
    judged = f'<div class="beside">{_intent(reply.intent, words)}{_retrieval(reply.retrieval)}</div>'
    return f'<div class="entries">{head}{judged}</div>'


def highlight(text: str, parts: Sequence[Contribution]) -> str:
    """The text with its n-grams marked: the stronger, the more; a letter of several has their sum."""
    weights = [0.0] * len(text)
    for part in parts:
        for position in range(max(part.start, 0), min(part.end, len(text))):
            weights[position] += part.weight
    largest = max((abs(weight) for weight in weights), default=0.0) or 1.0
    # In a few steps, so that letters of like weight stand together.
    steps = [round(STEPS * weight / largest) for weight in weights]
    pieces, start = [], 0
    for end in range(1, len(text) + 1):
        if end == len(text) or steps[end] != steps[start]:
            pieces.append(_piece(text[start:end], steps[start] / STEPS))
            start = end
    return f'<p class="judged" dir="auto">{"".join(pieces)}</p>'


def _piece(text: str, strength: float) -> str:
    if not strength or not text.strip():
        return inert(text)
    kind = ' class="against"' if strength < 0 else ""
    return f'<mark{kind} style="--strength:{abs(strength):.2f}">{inert(text)}</mark>'


def _gate_facts(message: str, reply: Reply, language: Language) -> list[tuple[str, str]]:
    rows = [(MESSAGE, message[:1000]), (REPLY, reply.text[:1000])]
    if reply.query and reply.query != message:
        rows.append((JUDGED_AS, reply.query[:1000]))
    rows += [
        (CONFIDENCE, f"{reply.confidence:.3f}"),
        (WHY, reason_words(reply.reason).in_language(language)),
    ]
    if reply.llm:
        rows.append((MODEL, reply.llm))
    return [(name.in_language(language), value) for name, value in rows]


def _intent(intent: TextAnswer | None, words: Mapping[str, Text]) -> str:
    if intent is None:
        return ""

    def shown(language: Language) -> str:
        possible = intent.verdict.prediction_set
        rows = [
            Bar(intent_word(label, words, language), share, is_marked=label in possible)
            for label, share in intent.ranking[:SHOWN_INTENTS]
        ]
        novelty = f'<p class="quiet">{NOVELTY.in_language(language)}: {intent.novelty:.3f}</p>'
        columns = [PART.in_language(language), WEIGHT.in_language(language)]
        parts = [[part.ngram, f"{part.weight:+.3f}"] for part in intent.contributions[:SHOWN_WORDS]]
        listed = table(columns, parts, empty=NO_PARTS.in_language(language))
        return (
            heading(INTENTS.in_language(language))
            + _verdict(intent.verdict, language)
            + bars(rows)
            + novelty
            + heading(CARRIED.in_language(language))
            + highlight(intent.text[:2000], intent.contributions)
            + listed
        )

    return f'<section class="card">{in_both(shown)}</section>'


def _retrieval(retrieval: Retrieval | None) -> str:
    if retrieval is None:
        return ""

    def shown(language: Language) -> str:
        rows = "".join(_passage(hit, retrieval) for hit in retrieval.hits[:SHOWN_PASSAGES])
        names = [PASSAGE, PROBABILITY, BY_WORDS, BY_VECTOR, BY_BOTH]
        if any(hit.rerank_score is not None for hit in retrieval.hits):
            names.append(RERANKED)
        head = "".join(f'<th scope="col">{name.in_language(language)}</th>' for name in names)
        body = (
            f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        )
        none = f'<p class="quiet">{NO_PASSAGES.in_language(language)}</p>'
        novelty = f'<p class="quiet">{NOVELTY.in_language(language)}: {retrieval.novelty:.3f}</p>'
        return (
            heading(PASSAGES.in_language(language))
            + _verdict(retrieval.verdict, language)
            + (body if rows else none)
            + novelty
        )

    return f'<section class="card">{in_both(shown)}</section>'


def _verdict(verdict: Verdict, language: Language) -> str:
    reasons = bullets(reason.in_language(language) for reason in verdict.reasons) if verdict.reasons else ""
    return f'<div class="tags">{forms.tag(DECISIONS[verdict.decision], TONES[verdict.decision])}</div>{reasons}'


def _passage(hit: Hit, retrieval: Retrieval) -> str:
    entry = hit.entry
    chosen = " <strong>✓</strong>" if entry.entry_id in retrieval.verdict.prediction_set else ""
    scores = [hit.probability, hit.word_score, hit.vector_score, hit.score]
    if any(other.rerank_score is not None for other in retrieval.hits):
        scores.append(hit.rerank_score)
    cells = "".join(f'<td class="figure">{"–" if score is None else f"{score:.3f}"}</td>' for score in scores)
    passage = f"<small>{inert(entry.answer, 160)}</small>"
    return f"<tr><td>{link(entry.question or entry.entry_id, entry.url)}{chosen}{passage}</td>{cells}</tr>"
