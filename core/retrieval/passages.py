"""Documents become passages: cut at headings and paragraphs, and at sentences where a paragraph is too long."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SENTENCE_END = re.compile(r"(?<=[。！？；\n])|(?<=[.!?;]\s)")


@dataclass(frozen=True)
class Section:
    """The text under one heading of a document, or on one page.

    Args:
        headings: From the outermost to its own; empty where there is none.
        text: Paragraphs, with blank lines between them.
        page: Of a PDF, from 1; 0 = has no pages.
    """

    headings: tuple[str, ...]
    text: str
    page: int = 0

    @property
    def place(self) -> str:
        """Where in its document it is: page=3, or its heading."""
        return f"page={self.page}" if self.page else self.headings[-1] if self.headings else ""


@dataclass(frozen=True)
class Passage:
    """A piece of a section, short enough to be an answer."""

    section: Section
    text: str


def cut_passages(sections: Iterable[Section], max_chars: int, overlap: int) -> list[Passage]:
    """Passages of at most `max_chars` characters, in order.

    Args:
        sections: Of one document.
        max_chars: Of a passage.
        overlap: Characters at most, in whole sentences, that a passage repeats from the one before in its section.
    """
    passages = []
    for section in sections:
        kept = ""
        for piece in _pieces(section.text, max_chars - overlap):
            if kept and len(kept) + len(piece.rstrip()) > max_chars:
                passages.append(Passage(section, kept.strip()))
                kept = _tail(kept, overlap)
            kept += piece
        if kept.strip():
            passages.append(Passage(section, kept.strip()))
    return passages


def _pieces(text: str, max_chars: int) -> Iterator[str]:
    """Paragraphs; those that are too long as sentences, and too long sentences cut anywhere."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        whole = paragraph.strip() + "\n\n"
        if len(whole) <= max_chars:
            yield whole
            continue
        for sentence in filter(None, SENTENCE_END.split(whole)):
            for start in range(0, len(sentence), max_chars):
                yield sentence[start : start + max_chars]


def _tail(text: str, overlap: int) -> str:
    """The last whole sentences of a text that fit into `overlap` characters."""
    tail = ""
    for sentence in reversed([part for part in SENTENCE_END.split(text) if part]):
        if len(sentence) + len(tail) > overlap:
            break
        tail = sentence + tail
    return tail
