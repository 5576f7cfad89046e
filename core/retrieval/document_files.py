"""Markdown, text, HTML and PDF files become sections; the only door to pypdf."""

import codecs
import logging
import re
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

from core.data.tables import read_utf8
from core.errors import UserError
from core.retrieval.passages import Section

DOCUMENT_SUFFIXES = frozenset({".md", ".markdown", ".txt", ".html", ".htm", ".pdf"})
UNSEEN = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object"})
"""Elements whose content is no text of the page."""
INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd"),
        *("label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr"),
    )
)
"""Elements that do not end a paragraph."""


def is_document(path: Path) -> bool:
    """Whether the name ends as a document's does."""
    return path.suffix.lower() in DOCUMENT_SUFFIXES


def read_document(path: Path) -> list[Section]:
    """The sections of a document that hold text.

    Raises:
        UserError: It is damaged, encrypted, in an unknown encoding, or holds no text.
    """
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        sections = _pdf_sections(path)
    elif suffix in (".html", ".htm"):
        sections = html_sections(_read_html(path))
    elif suffix == ".txt":
        sections = [Section((), read_utf8(path))]
    else:
        sections = markdown_sections(read_utf8(path))
    sections = [section for section in sections if section.text.strip()]
    if not sections:
        raise UserError(
            f"{path} holds no text.",
            "Documents hold text; a scanned page is a picture.",
            "Recognise its text first (OCR), or remove the file.",
        )
    return sections


def markdown_sections(text: str) -> list[Section]:
    """Sections by the headings of Markdown (# and underlined ones), those in code blocks aside."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text.replace("\r\n", "\n"), flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    outline = _Outline()
    fence = ""
    for line in text.split("\n"):
        mark = re.match(r" {0,3}(```+|~~~+)", line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        heading = None if fence else re.match(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$", line)
        if heading:
            outline.open(len(heading[1]), heading[2])
        elif not fence and re.fullmatch(r" {0,3}(=+|-{2,})\s*", line) and outline.last_line.strip():
            outline.underline(1 if "=" in line else 2)
        else:
            outline.add(line + "\n")
    return outline.sections()


def html_sections(text: str) -> list[Section]:
    """Sections by the headings h1 to h6 of a page, without scripts, styles and markup."""
    page = _Page()
    page.feed(text)
    page.close()
    return page.sections()


class _Outline:
    """Headings that are open, and the text gathered under each."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._found: list[tuple[tuple[str, ...], list[str]]] = [((), [])]

    @property
    def last_line(self) -> str:
        return self._found[-1][1][-1] if self._found[-1][1] else ""

    def open(self, level: int, heading: str) -> None:
        self._path = [(depth, name) for depth, name in self._path if depth < level]
        if heading:
            self._path.append((level, heading))
        self._found.append((tuple(name for _, name in self._path), []))

    def underline(self, level: int) -> None:
        """The last line turns out to be a heading."""
        self.open(level, self._found[-1][1].pop().strip())

    def add(self, text: str) -> None:
        self._found[-1][1].append(text)

    def sections(self) -> list[Section]:
        return [Section(headings, "".join(parts).strip()) for headings, parts in self._found]


class _Page(HTMLParser):
    """Text of an HTML page by headings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._outline = _Outline()
        self._unseen: list[str] = []
        self._heading: list[str] | None = None
        self._level = 0
        self._title: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in UNSEEN:
            self._unseen.append(tag)
        elif tag == "title":
            self._in_title = True
        elif re.fullmatch("h[1-6]", tag):
            self._heading, self._level = [], int(tag[1])
        elif tag in ("td", "th"):
            self._add(" ")
        elif tag in ("br", "tr", "li", "dd", "dt"):
            self._add("\n")
        elif tag not in INLINE:
            self._add("\n\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag == "title":
            self._in_title = False
        elif re.fullmatch("h[1-6]", tag) and self._heading is not None:
            self._outline.open(self._level, " ".join("".join(self._heading).split()))
            self._heading = None
        elif tag not in INLINE and tag not in ("td", "th", "tr", "li", "dd", "dt"):
            self._add("\n\n")

    def handle_data(self, data: str) -> None:
        if self._in_title and not self._unseen:
            self._title.append(data)
        else:
            self._add(re.sub(r"\s+", " ", data))

    def sections(self) -> list[Section]:
        """Sections; text before the first heading stands under the page's title."""
        if self._heading:  # never closed
            self._outline.add("".join(self._heading))
        title = " ".join("".join(self._title).split())
        found = []
        for section in self._outline.sections():
            lines = [" ".join(line.split()) for line in section.text.split("\n")]
            text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
            found.append(Section(section.headings or ((title,) if title else ()), text))
        return found

    def _add(self, text: str) -> None:
        if self._unseen:
            return
        if self._heading is not None:
            self._heading.append(text)
        else:
            self._outline.add(text)


def _read_html(path: Path) -> str:
    """Text of a page in the encoding that it names, else in UTF-8."""
    data = path.read_bytes()
    named = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", data[:2048])
    if named:
        with suppress(LookupError, UnicodeDecodeError):
            return data.decode(codecs.lookup(named[1].decode()).name)
    return read_utf8(path)


def _pdf_sections(path: Path) -> list[Section]:
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UserError(f"{path} is encrypted.", "Documents open without a password.", "Save it without one.")
        texts = [page.extract_text() for page in reader.pages]
        title = str((reader.metadata and reader.metadata.title) or "").strip()
    except UserError:
        raise
    except Exception as error:  # damaged files fail in pypdf in every way there is
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"{path} is not a readable PDF: {reason}.", "A PDF that a viewer opens.", "Save it again, or remove it."
        ) from None
    headings = (title,) if title else ()
    return [Section(headings, _unwrapped(text), number) for number, text in enumerate(texts, 1)]


def _unwrapped(text: str) -> str:
    """A page's text with the lines of a paragraph joined; Chinese lines without a blank."""
    text = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])", "", text)
    text = re.sub(r"(?<=\w)-\n(?=[a-z])", "", text)
    return re.sub(r"(?<![\n.!?:。！？：])\n(?!\n)", " ", text)
