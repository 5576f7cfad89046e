"""The dialogue: one message and the session so far give the reply and the session after it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from apps.customer_service import bot_words as says
from apps.customer_service.assemble import assemble_answer
from apps.customer_service.dialogue_config import DialogueConfig
from apps.customer_service.gate import find_entry, put_first, retrieval_decision
from apps.customer_service.judging import EntryOfIntent, Judge, Judged, Search, Understand
from apps.customer_service.language import detect_language
from apps.customer_service.llm import write_answer
from apps.customer_service.message import plain_form, read_message
from apps.customer_service.options import build_options, pick_option
from apps.customer_service.phrases import (
    NONE_OF_THESE,
    asks_for_person,
    find_crisis,
    find_talk,
    is_person_label,
    label_key,
    talk_of_label,
)
from apps.customer_service.reply import Kind, Option, Reason, Reply
from apps.customer_service.session import Offered, Session, remember
from apps.customer_service.slots import find_slots
from core.evaluation.decision import Decision, Verdict
from core.retrieval.entry import Entry
from core.retrieval.retrieval import Hit
from core.tasks.text_answer import TextAnswer
from core.texts import Text

Written = Callable[[str], None]
"""Told the answer so far while a language model writes it."""

PERSON_LABEL = "talk_to_human"


def no_entry(label: str, language: str) -> Entry | None:
    """For a knowledge base that cannot be asked by intent: only what the search finds is used."""
    del label, language
    return None


@dataclass(frozen=True)
class Dialogue:
    """A bot, ready to converse; keeps nothing between calls, so that many chats may use it at once.

    Args:
        understand: The intent model.
        search: The knowledge base.
        config: How it converses.
        words: Readable words of intent labels; one that is missing is read off its label.
        entry_of_intent: Finds the entry of an intent that the search did not find.
        known_intents: All labels, against typos in stories; empty = not known.
        known_entries: Gives the ids of all entries, for the same.
    """

    understand: Understand
    search: Search
    config: DialogueConfig = field(default_factory=DialogueConfig)
    words: Mapping[str, Text] = field(default_factory=dict)
    entry_of_intent: EntryOfIntent = no_entry
    known_intents: tuple[str, ...] = ()
    known_entries: Callable[[], Iterable[str]] = tuple

    def reply(self, session: Session, text: str, written: Written | None = None) -> tuple[Reply, Session]:
        """What the bot says to a message, and the session after it.

        Args:
            session: So far; `Session()` for a new one.
            text: As the customer wrote it, of any length and content.
            written: Told the answer so far while a language model writes it, from its first citation on; what
                is returned replaces it.
        """
        message = read_message(text, self.config.max_message_chars)
        heard = session.model_copy(
            update={
                "language": detect_language(message.text, session.language),
                "slots": {**session.slots, **find_slots(message.text, self.config.products)},
            }
        )
        reply = self._at_once(heard, message.text, message.has_words)
        if reply is None:
            reply = self._judged(heard, message.text, written)
        if message.is_cut and not heard.handed_over:
            note = says.CUT.in_language(reply.language).format(limit=self.config.max_message_chars)
            reply = replace(reply, text=f"{reply.text}\n{note}")
        return reply, remember(heard, message.text, reply)

    # ---- what needs no model -------------------------------------------------------------------------

    def _at_once(self, session: Session, text: str, has_words: bool) -> Reply | None:
        """Danger, a person, nothing said, an option picked, small talk: in this order."""
        if danger := find_crisis(text, self.config.crisis_phrases):
            return _say(session, says.CRISIS[danger], "handoff", "crisis")
        if session.handed_over:
            return _say(session, says.WAITING, "handoff", "handed_over")
        if not has_words:
            return replace(_say(session, says.NO_WORDS, "refused", "no_words"), decision="refused")
        if picked := pick_option(text, session.offered):
            return self._picked(session, picked)
        if asks_for_person(text, self.config.handoff_phrases):
            return _say(session, says.HANDOFF, "handoff", "asked_for_person")
        if _was_asked_back(session) and plain_form(text) in NONE_OF_THESE:
            return self._failed(session, says.NONE_OF_THESE, "none_of_these")
        if kind := find_talk(text):
            return replace(self._small_talk(session, kind), intent=self.understand(text), query=text)
        return None

    def _picked(self, session: Session, option: Offered) -> Reply:
        """An option stands for its intent and its entry, whatever the models would say about its words."""
        if is_person_label(option.label, self.config.handoff_labels):
            return _say(session, says.HANDOFF, "handoff", "asked_for_person")
        language = session.language
        intent = _as_certain(option)
        retrieval = self.search(option.text, language)
        entry = next((hit.entry for hit in retrieval.hits if hit.entry.entry_id == option.entry_id), None)
        entry = entry or (find_entry(intent, retrieval) if option.label else None)
        entry = entry or (self.entry_of_intent(option.label, language) if option.label else None)
        if entry is None:
            reply = self._failed(session, says.NO_KNOWLEDGE, "no_knowledge")
        else:
            hits = put_first(entry, retrieval.hits, 1.0)
            reply = self._answer(session, hits, option.text, "option", None)
        return replace(reply, intent=intent if option.label else None, retrieval=retrieval, query=option.text)

    def _small_talk(self, session: Session, kind: str) -> Reply:
        """The replies of a kind are taken in turn; the team's own come first."""
        own = {label_key(label): replies for label, replies in self.config.small_talk.items()}
        if replies := own.get(label_key(kind)):
            texts = replies.zh if session.language == "zh" else replies.en
            words = texts[session.num_turns % len(texts)]
        else:
            known = says.TALK[kind]
            words = known[session.num_turns % len(known)].in_language(session.language)
        return Reply(words, session.language, "small_talk", "small_talk", "answered")

    # ---- what the models say -------------------------------------------------------------------------

    def _judged(self, session: Session, text: str, written: Written | None) -> Reply:
        judge = Judge(self.understand, self.search, self.entry_of_intent, self._is_complete)
        judged = judge.hear(session, text, session.language)
        reply = self._decided(session, judged, written)
        return replace(
            reply,
            intent=judged.intent,
            retrieval=judged.retrieval,
            query=judged.query,
            confidence=judged.gated.confidence if reply.kind != "small_talk" else judged.intent.ranking[0][1],
        )

    def _decided(self, session: Session, judged: Judged, written: Written | None) -> Reply:
        intent, gated = judged.intent, judged.gated
        if intent.verdict.decision == "answered" and not _is_found_surely(judged):
            if is_person_label(intent.label, self.config.handoff_labels):
                return _say(session, says.HANDOFF, "handoff", "asked_for_person")
            if kind := self._talk_kind(intent.label):
                return self._small_talk(session, kind)
        if gated.action == "answer":
            reason: Reason = gated.reason if judged.is_alone else "follow_up"
            return self._answer(session, gated.hits, judged.query, reason, written)
        if gated.action == "clarify":
            return self._ask_back(session, judged)
        words = says.NO_KNOWLEDGE if gated.reason == "no_knowledge" else says.FALLBACK
        return self._failed(session, words, gated.reason)

    def _answer(
        self, session: Session, hits: tuple[Hit, ...], query: str, reason: Reason, written: Written | None
    ) -> Reply:
        language = session.language
        answer = assemble_answer(hits, query, session.slots, language, self.config.max_follow_ups)
        reply = Reply(answer.text, language, "answer", reason, "answered", sources=answer.sources)
        reply = replace(reply, follow_ups=answer.follow_ups, query=query)
        if not self.config.llm.endpoint:
            return reply
        worded = write_answer(self.config.llm, query, hits, session.slots, language, written)
        if worded.text is None:
            return replace(reply, llm=worded.reason)
        return replace(reply, text=worded.text, sources=worded.sources, llm="written")

    def _ask_back(self, session: Session, judged: Judged) -> Reply:
        language = session.language
        options = build_options(
            judged.intent, judged.retrieval, self.config, self.entry_of_intent, self.words, language
        )
        if not options:
            return self._failed(session, says.FALLBACK, "out_of_scope")
        # Asking back is not yet failing: a person takes over one turn later than after "I don't know".
        if session.failures >= self.config.fallback_limit:
            return self._give_up(session, "unsure")
        asked = (says.CLARIFY if len(options) > 1 else says.CLARIFY_ONE).in_language(language)
        words = f"{asked} {says.OTHERWISE.en}" if language == "en" else f"{asked}{says.OTHERWISE.zh}"
        assert judged.gated.reason in ("unsure", "disagreement")
        return Reply(words, language, "clarify", judged.gated.reason, "unsure", options=options)

    def _failed(self, session: Session, words: Text, reason: Reason) -> Reply:
        """No answer: a person is offered, and takes over when it happens again and again."""
        if session.failures + 1 >= self.config.fallback_limit:
            return self._give_up(session, "refused")
        offer = Option(says.PERSON_OPTION.in_language(session.language), PERSON_LABEL)
        return replace(_say(session, words, "fallback", reason), decision="refused", options=(offer,))

    def _give_up(self, session: Session, decision: Decision) -> Reply:
        return replace(_say(session, says.GIVE_UP, "handoff", "repeated_failure"), decision=decision)

    def _talk_kind(self, label: str) -> str | None:
        own = {label_key(name): name for name in self.config.small_talk}
        return own.get(label_key(label)) or talk_of_label(label)

    def _is_complete(self, label: str) -> bool:
        return self._talk_kind(label) is not None or is_person_label(label, self.config.handoff_labels)


def _is_found_surely(judged: Judged) -> bool:
    """Does the knowledge base answer something else, more surely than the intent model sees small talk or the like?"""
    intent, retrieval = judged.intent, judged.retrieval
    if retrieval_decision(retrieval) != "answered":
        return False
    first = retrieval.hits[0]
    return first.entry.intent != intent.label and first.probability > intent.ranking[0][1]


def _was_asked_back(session: Session) -> bool:
    return bool(session.offered) and bool(session.turns) and session.turns[-1].kind == "clarify"


def _as_certain(option: Offered) -> TextAnswer:
    """The customer has said what is meant."""
    return TextAnswer(option.text, Verdict("answered", (), (option.label,)), ((option.label, 1.0),), 0.0)


def _say(session: Session, words: Text, kind: Kind, reason: Reason) -> Reply:
    return Reply(words.in_language(session.language), session.language, kind, reason, "answered")
