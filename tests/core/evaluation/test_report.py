"""The report page: whole, self-contained, escaped, and quiet about what is empty."""

import re
from html.parser import HTMLParser

from core.evaluation.evaluation import Evaluation, Table
from core.evaluation.page_parts import Picture, format_number
from core.evaluation.report import write_report
from core.evaluation.uncertainty import Estimate

HOSTILE = '<script>alert("x")</script>'


class Checker(HTMLParser):
    """Collects tags and addresses, and finds tags that are closed in the wrong order."""

    VOID = ("meta", "img", "rect", "br")

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.addresses, self.headings, self.text = [], set(), [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def read(path):
    checker = Checker()
    checker.feed(path.read_text(encoding="utf-8"))
    assert checker.open == []
    return checker


def test_full_report_is_self_contained_escaped_and_in_order(tmp_path):
    table = Table(("label", "sensitivity"), ((HOSTILE, Estimate(0.5, 0.4, 0.6)), ("b", None)))
    write_report(
        tmp_path / "report.html",
        title=f"App {HOSTILE}",
        summary=HOSTILE,
        evaluation=Evaluation(
            {"accuracy": Estimate(0.8612, 0.8, 0.9)}, {"per_label": table, "by_sex": table, "decisions": table}
        ),
        facts_at_top={HOSTILE: HOSTILE},
        plots={"roc": b"png", "training": b"png", "counts": b"png", HOSTILE: b"png"},
        worst=[Picture(b"png", HOSTILE)],
        data_notes=[HOSTILE],
        data_tables={HOSTILE: table},
        limits=[HOSTILE],
        next_commands=[HOSTILE],
        plan={"device": {"value": "cpu", "reason": HOSTILE}},
        environment={"python": HOSTILE},
        config=HOSTILE,
    )
    page = read(tmp_path / "report.html")
    assert not {"script", "link", "iframe"} & page.tags
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert "url(" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.headings[0] == "Results"
    assert page.headings.index("Known limits") > page.headings.index("Data")
    assert "0.861" in page.text
    assert "0.800 to 0.900" in page.text
    assert "–" in page.text
    assert page.text.count(HOSTILE) >= 14


def test_anchors_lead_somewhere(tmp_path):
    write_report(
        tmp_path / "r.html", title="t", summary="s", evaluation=Evaluation({"mrr": Estimate.exact(0.4)}), limits=["x"]
    )
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert set(re.findall(r'href="#([^"]+)"', text)) == set(re.findall(r'<section id="([^"]+)"', text))


def test_empty_report_says_nothing_about_what_it_lacks(tmp_path):
    write_report(tmp_path / "r.html", title="t", summary="s", evaluation=Evaluation({}))
    assert read(tmp_path / "r.html").headings == []


def test_numbers_are_readable():
    assert [format_number(value) for value in (0.0, 12345, 0.1234567, 1e-5, 12345.6, float("nan"))] == [
        "0.000",
        "12,345",
        "0.123",
        "1e-05",
        "1.23e+04",
        "–",
    ]
