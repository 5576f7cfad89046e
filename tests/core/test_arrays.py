"""Encoding a whole split once."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.data.arrays import CHUNK, encode_split
from core.data.module import Example


def encode(examples: Sequence[Example]) -> dict[str, np.ndarray]:
    numbers = np.array([example["number"] for example in examples])
    return {"row": np.repeat(numbers[:, None], 3, axis=1).astype(np.float32), "number": numbers}


@pytest.mark.parametrize("memory_gb", [1.0, 0.0], ids=["memory", "disk"])
@pytest.mark.parametrize("rows", [1, 5, CHUNK, CHUNK + 1, 2 * CHUNK + 17])
def test_split_is_encoded_in_order_in_memory_and_on_disk(rows: int, memory_gb: float) -> None:
    examples = [{"number": number} for number in range(rows)]
    seen: list[tuple[int, int]] = []
    arrays = encode_split(
        encode, examples, memory_gb=memory_gb, progress=lambda done, total: seen.append((done, total))
    )
    whole = encode(examples)
    assert set(arrays) == set(whole)
    for name, array in arrays.items():
        assert isinstance(array, np.memmap) == (memory_gb == 0)
        assert array.dtype == whole[name].dtype
        np.testing.assert_array_equal(array, whole[name])
    assert seen == [(min(start + CHUNK, rows), rows) for start in range(0, rows, CHUNK)]


def test_arrays_on_disk_leave_no_file_behind(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arrays = encode_split(encode, [{"number": 7}] * 10, memory_gb=0.0)
    assert list(tmp_path.iterdir()) == []
    assert arrays["number"].sum() == 70
