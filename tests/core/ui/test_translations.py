"""Both languages are there, and the page opens in the right one."""

import pytest

from core.texts import Text
from core.ui.language_switch import localise
from core.ui.translations import build_i18n, choose_language, in_both, inline, label


def test_each_label_has_both_languages() -> None:
    key = label(Text("A test label", "测试标签")).key
    translations = build_i18n().translations_dict
    assert translations["en"][key] == "A test label"
    assert translations["zh-CN"][key] == "测试标签"
    assert translations["en"].keys() == translations["zh-CN"].keys()


def test_html_holds_both_languages_escaped() -> None:
    assert inline(Text("<b>", "甲")) == '<span lang="en">&lt;b&gt;</span><span lang="zh-CN">甲</span>'
    assert in_both(lambda language: language) == '<div lang="en">en</div><div lang="zh-CN">zh</div>'


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "expected"),
    [
        (None, None, "", "en"),
        (None, None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, None, "fr,zh;q=0.5", "en"),
        (None, "zh", "en-US", "zh"),
        ("en", "zh", "zh-CN", "en"),
        ("zh-TW", None, "en", "zh"),
        ("<script>", None, "en", "en"),
    ],
)
def test_address_beats_memory_beats_browser(
    query: str | None, cookie: str | None, accepted: str, expected: str
) -> None:
    assert choose_language(query, cookie, accepted) == expected


def test_page_is_told_its_language_before_other_scripts() -> None:
    page = localise(b'<html\n\tlang="en"><head><script src="gradio.js"></script></head></html>', "zh")
    assert b'lang="zh-CN"' in page
    assert page.index(b"navigator") < page.index(b"gradio.js")
