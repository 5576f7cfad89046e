"""Tables in every form give the same rows; damaged ones name the line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.tables import read_table, sniff_delimiter
from core.errors import UserError

ROWS = [{"id": "007", "label": "痣, 良性"}, {"id": "012", "label": 'a "b"'}]
CSV = 'id,label\n007,"痣, 良性"\n012,"a ""b"""\n'

FORMS: dict[str, tuple[str, bytes]] = {
    "csv": ("t.csv", CSV.encode()),
    "byte order mark": ("t.csv", b"\xef\xbb\xbf" + CSV.encode()),
    "windows line ends": ("t.csv", CSV.replace("\n", "\r\n").encode()),
    "semicolons": ("t.csv", 'id;label\n007;痣, 良性\n012;"a ""b"""\n'.encode()),
    "tsv": ("t.tsv", 'id\tlabel\n007\t痣, 良性\n012\t"a ""b"""\n'.encode()),
    "tabs in csv": ("t.csv", 'id\tlabel\n007\t痣, 良性\n012\t"a ""b"""\n'.encode()),
    "jsonl": ("t.jsonl", "\n".join(json.dumps(row) for row in ROWS).encode()),
    "jsonl with blank lines": ("t.jsonl", "\r\n\r\n".join(json.dumps(row) for row in ROWS).encode()),
    "json": ("t.json", json.dumps(ROWS).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_read_table_gives_the_same_rows(form: str, tmp_path: Path) -> None:
    name, data = FORMS[form]
    (tmp_path / name).write_bytes(data)
    assert read_table(tmp_path / name).to_dict("records") == ROWS


def test_read_table_of_parquet_keeps_types(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"id": ["007"], "age": [40.5]}).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").to_dict("records") == [{"id": "007", "age": 40.5}]


def test_read_table_keeps_empty_cells_as_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n,NA\n")
    assert read_table(tmp_path / "t.csv").to_dict("records") == [{"a": "", "b": "NA"}]


DAMAGED: dict[str, tuple[str, bytes, str]] = {
    "gb18030": ("t.csv", "id,label\n1,a\n2,痣\n".encode("gb18030"), "line 3"),
    "utf-16": ("t.csv", CSV.encode("utf-16"), "UTF-16"),
    "latin": ("t.csv", b"id,label\n1,na\xefve\n", "line 2"),
    "empty": ("t.csv", b" \n", "empty"),
    "header only": ("t.csv", b"id,label\n", "no rows"),
    "ragged": ("t.csv", b"id,label\n1,a\n2,b,c,d\n", "line 3"),
    "zero bytes": ("t.csv", b"id,label\n1,\0\n", "line 2"),
    "bad jsonl": ("t.jsonl", b'{"a": 1}\n{"a": \n', "line 2"),
    "json object": ("t.json", b'{"a": 1}', "dict"),
    "json of words": ("t.json", b'[{"a": 1}, "b"]', "entry 2"),
    "bad parquet": ("t.parquet", b"no parquet", "Parquet"),
    "other ending": ("t.docx", b"x", "not a table"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_read_table_of_damaged_file_says_where(kind: str, tmp_path: Path) -> None:
    name, data, expected = DAMAGED[kind]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_table(tmp_path / name)
    assert expected in str(caught.value)
    assert caught.value.allowed
    assert caught.value.fix


def test_read_table_of_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(("text", "delimiter"), [("a", ","), ("a;b", ";"), ('"a,b,c";d', ";"), ("a|b", "|")])
def test_sniff_delimiter_reads_the_header(text: str, delimiter: str) -> None:
    assert sniff_delimiter(text) == delimiter


def test_tables_import_is_light(run_python: Callable[[str], str]) -> None:
    heavy = ("pandas", "pyarrow", "pydicom", "rich", "datasets", "torch")
    code = f"import sys, core.data.images, core.data.tables; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == "[]"
