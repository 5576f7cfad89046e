"""Markdown, text, HTML and PDF become sections."""

from pathlib import Path

import pytest

from core.errors import UserError
from core.retrieval.document_files import html_sections, markdown_sections, read_document

from .small_pdf import pdf_of

MARKDOWN = """---
title: x
---
Before.

# Shipping

Two days.
<!-- secret -->
## Delays ##
Call us.

```
# no heading
```

Returns
-------
Thirty days.
"""
PAGE = """<!doctype html><html><head><title>Help &amp; more</title><style>p { color: red }</style>
<script>var hidden = "<h1>no</h1>";</script></head><body>Welcome.
<h1>Pay<b>ment</b></h1><p>We take <em>cards</em>
 and cash.</p><p>Not cheques.<script>alert("hidden")</script></p>
<noscript>hidden</noscript><svg><text>hidden</text></svg>
<h2>Fees</h2><table><tr><th>Card</th><td>none</td></tr><tr><th>Cash</th><td>one euro</td></tr></table>
<ul><li>first</li><li>second<br>line</li></ul></body></html>"""


def test_markdown_is_cut_at_its_headings() -> None:
    sections = {section.headings: section.text for section in markdown_sections(MARKDOWN)}
    assert sections[()] == "Before."
    assert sections["Shipping",] == "Two days."
    assert sections["Shipping", "Delays"].startswith("Call us.")
    assert "# no heading" in sections["Shipping", "Delays"]
    assert sections["Shipping", "Returns"] == "Thirty days."


def test_html_gives_what_a_reader_sees() -> None:
    sections = html_sections(PAGE)
    assert [section.headings for section in sections] == [("Help & more",), ("Payment",), ("Payment", "Fees")]
    assert sections[0].text == "Welcome."
    assert sections[1].text == "We take cards and cash.\n\nNot cheques."
    assert sections[2].text == "Card none\nCash one euro\n\nfirst\nsecond\nline"
    assert "hidden" not in repr(sections)
    assert "color" not in repr(sections)


@pytest.mark.parametrize(
    "page", ["<p>text<script>", "<h1>text", "text</p></div></script>", "<<>>text<", "<p>text<svg/>x"]
)
def test_broken_html_still_gives_its_text(page: str) -> None:
    assert "text" in " ".join(section.text for section in html_sections(page))


def test_html_is_read_in_the_encoding_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes('<meta charset="gb2312"><h1>退款</h1><p>五个工作日</p>'.encode("gb2312"))
    assert [(section.headings, section.text) for section in read_document(path)] == [(("退款",), "五个工作日")]


def test_pdf_gives_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_of("Refunds take five days.", "", "Call us on Monday."))
    found = [(section.page, section.text, section.place) for section in read_document(path)]
    assert found == [(1, "Refunds take five days.", "page=1"), (3, "Call us on Monday.", "page=3")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"no pdf at all", "not a readable PDF"),
        ("a.pdf", pdf_of("text")[:200], "not a readable PDF"),
        ("a.pdf", pdf_of(""), "holds no text"),
        ("a.pdf", pdf_of("text", encrypted=True), "is encrypted"),
        ("a.txt", b"\xff\xfe\x00", "not UTF-8"),
        ("a.md", b"# Only a heading", "holds no text"),
        ("a.html", b"<script>x</script>", "holds no text"),
    ],
)
def test_unreadable_documents_are_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_document(tmp_path / name)
