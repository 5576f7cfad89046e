"""Text to search terms."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.retrieval.words import search_terms, stem


@pytest.mark.parametrize(
    "words",
    [
        ("delete", "deletes", "deleted", "deleting", "deletion"),
        ("cancel", "cancels", "cancelled", "cancelling"),
        ("install", "installed", "installing"),
        ("ship", "ships", "shipped", "shipping"),
        ("delivery", "deliveries"),
        ("try", "tries", "tried"),
    ],
)
def test_forms_of_a_word_are_one_term(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


@pytest.mark.parametrize(("first", "second"), [("us", "use"), ("thing", "the"), ("bus", "but"), ("king", "kin")])
def test_different_words_stay_apart(first: str, second: str) -> None:
    assert stem(first) != stem(second)


def test_case_width_and_question_words_do_not_matter() -> None:
    assert search_terms("How do I DELETE my Account?") == search_terms("ｄｅｌｅｔｅ account") == ["delet", "account"]


def test_chinese_gives_characters_pairs_and_long_words() -> None:
    terms = search_terms("退款申请")
    assert {"退", "退款", "申请"} <= set(terms)
    assert "互联网" in search_terms("互联网套餐")


def test_traditional_chinese_shares_terms_with_a_shorter_question() -> None:
    entry = set(search_terms("如何申請網路銀行轉帳？"))
    assert {"轉帳", "網路"} <= entry & set(search_terms("網路轉帳"))


def test_mixed_scripts_are_taken_apart() -> None:
    assert search_terms("App登录v2") == ["app", "登", "录", "登录", "v2"]


@pytest.mark.parametrize("text", ["", "   ", "😀🎉", "\x00\x07", "?!…", "how do you"])
def test_text_without_words_gives_no_terms(text: str) -> None:
    assert search_terms(text) == []


def test_long_runs_are_shortened_and_long_texts_are_quick() -> None:
    assert len(search_terms("x" * 10_000)[0]) <= 40
    begin = time.perf_counter()
    search_terms("退款申请 how do refunds work " * 4000)
    assert time.perf_counter() - begin < 10


def test_segmenter_is_quiet_and_caches_in_the_suites_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from core.retrieval.words import search_terms as s; s('互联网套餐')"],
        capture_output=True, text=True, check=False, env={"AI_APP_SUITE_CACHE": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [file.name for file in (tmp_path / "jieba").iterdir()] == ["jieba.cache"]
