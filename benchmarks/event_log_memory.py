"""Memory while a long log of events is read: the suite's streaming reader over 50 million events, beside pandas.

The log is synthetic: users, items, kinds and times drawn here, written once as Parquet and once as CSV. Each reading
runs in a process of its own, whose memory is looked at every 20 ms. The suite keeps 21 bytes an event, sorted in the
end; what it needs beside those is what has to stay the same however long the log is. pandas.read_csv, which holds the
whole table, reads the first tenth of the same events. Prints a table and draws a curve.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

EVENTS, USERS, ITEMS = 50_000_000, 500_000, 100_000
PANDAS_SHARE = 10
CHUNK = 1_000_000
KINDS = ("browse", "click", "purchase")
START_S = 1_700_000_000
BYTES_AN_EVENT = 21
LOOK_S = 0.02
MIB = 1 << 20


@dataclass
class Reading:
    """What one process needed.

    Args:
        name: For the table.
        rows: Of the log.
        seconds: Of reading and sorting.
        read_s: Of reading alone.
        at: Rows read, in millions, at each look.
        mib: Memory of the process beyond what it had before, at each look.
    """

    name: str
    rows: int
    seconds: float = 0.0
    read_s: float = 0.0
    at: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def beside_mib(self, until: float) -> float:
        """The most that was needed beside the events themselves, while the first so many millions were read."""
        own = BYTES_AN_EVENT * 1e6 / MIB
        return max((mib - at * own for at, mib in zip(self.at, self.mib, strict=True) if at <= until), default=0.0)


def write_log(folder: Path, rows: int) -> None:
    """A catalogue, and events in order of time: in parquet/, csv/, and the first tenth in tenth/."""
    generator = np.random.default_rng(0)
    for name in ("parquet", "csv", "tenth"):
        (folder / name).mkdir()
        pa.csv.write_csv(pa.table({"item_id": np.arange(ITEMS)}), folder / name / "items.csv")
    parquet, csv, tenth = None, None, None
    for start in range(0, rows, CHUNK):
        size = min(CHUNK, rows - start)
        table = pa.table(
            {
                "user_id": generator.integers(0, USERS, size),
                "item_id": (ITEMS * generator.random(size) ** 3).astype(np.int64),
                "timestamp": START_S + np.arange(start, start + size) // 2,
                "event": pa.array(np.array(KINDS)[generator.integers(0, len(KINDS), size)]),
            }
        )
        parquet = parquet or pa.parquet.ParquetWriter(folder / "parquet" / "events.parquet", table.schema)
        csv = csv or pa.csv.CSVWriter(folder / "csv" / "events.csv", table.schema)
        tenth = tenth or pa.csv.CSVWriter(folder / "tenth" / "events.csv", table.schema)
        parquet.write_table(table)
        csv.write_table(table)
        if start < rows // PANDAS_SHARE:
            tenth.write_table(table.slice(0, rows // PANDAS_SHARE - start))
    for writer in (parquet, csv, tenth):
        if writer is not None:
            writer.close()


def read_by_suite(folder: Path, progress: Callable[[float], None]) -> None:
    """As a training reads it; the log is kept until the end."""
    from core.data.interaction_config import InteractionConfig
    from core.data.interactions import read_interactions

    config = InteractionConfig(path=str(folder), rejected_to=str(folder / "rejected.csv"))
    found = read_interactions(config, lambda done, total: progress(done / total))
    assert (np.diff(found.log.user_E) >= 0).all()


def read_by_pandas(folder: Path, progress: Callable[[float], None]) -> None:
    """The whole table, names as text as the suite takes them, and sorted alike."""
    import pandas as pd

    table = pd.read_csv(folder / "events.csv", dtype={"user_id": str, "item_id": str})
    progress(1.0)
    table = table.sort_values(["user_id", "timestamp"], kind="stable")
    assert len(table)


def measure(send: Connection, name: str, folder: Path, rows: int) -> None:
    """Runs one reading in this process and sends what it needed."""
    import pandas as pd

    from core.data import interactions

    del pd, interactions  # imported before memory is looked at
    done, ended = [0.0], Event()
    process = psutil.Process()
    before, found = process.memory_info().rss, Reading(name, rows)

    def look() -> None:
        while not ended.wait(LOOK_S):
            found.at.append(done[0] * rows / 1e6)
            found.mib.append((process.memory_info().rss - before) / MIB)

    started = time.perf_counter()

    def progress(share: float) -> None:
        done[0] = share
        found.read_s = time.perf_counter() - started

    watcher = Thread(target=look)
    watcher.start()
    (read_by_pandas if name.startswith("pandas") else read_by_suite)(folder, progress)
    found.seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    send.send(found)


def in_own_process(name: str, folder: Path, rows: int) -> Reading:
    """A reading in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(send, name, folder, rows))
    process.start()
    send.close()
    found: Reading = receive.recv()
    process.join()
    return found


def draw(readings: list[Reading], file: Path) -> None:
    """Memory over rows read; the last column of each curve is the sorting."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for reading in readings:
        axes.plot(reading.at, reading.mib, label=reading.name)
    longest = max(reading.rows for reading in readings) / 1e6
    kept = BYTES_AN_EVENT * longest * 1e6 / MIB
    axes.plot([0, longest], [0, kept], "k:", label=f"the log itself, {BYTES_AN_EVENT} bytes an event")
    axes.set(xlabel="events read, millions (sorting at the right end)", ylabel="memory of the process, MiB", ylim=0)
    axes.legend()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help="fewer for a trial")
    parser.add_argument("--curve", type=Path, default=Path("runs/benchmarks/event_log_memory.png"))
    arguments = parser.parse_args()
    rows, few = arguments.events, arguments.events // PANDAS_SHARE
    with tempfile.TemporaryDirectory(prefix="event_log_") as name:
        folder = Path(name)
        write_log(folder, rows)
        parquet, csv = ((folder / kind / f"events.{kind}").stat().st_size / 2**30 for kind in ("parquet", "csv"))
        print(f"{rows:,} synthetic events of {USERS:,} users on {ITEMS:,} items")
        print(f"{parquet:.2f} GiB as Parquet, {csv:.2f} GiB as CSV; beside = beyond {BYTES_AN_EVENT} bytes an event")
        jobs = (
            ("suite, Parquet", "parquet", rows),
            ("suite, CSV", "csv", rows),
            ("suite, CSV, a tenth", "tenth", few),
            ("pandas, CSV, a tenth", "tenth", few),
        )
        readings = [in_own_process(label, folder / place, size) for label, place, size in jobs]
    print(f"  {'':22}{'events':>12}{'read':>8}{'sorted':>8}{'peak':>12}{'beside: first tenth':>22}{'all':>12}")
    for found in readings:
        millions = found.rows / 1e6
        beside = [f"{found.beside_mib(share * millions):,.0f} MiB" for share in (0.1, 0.999)]
        if found.name.startswith("pandas"):
            beside = ["-", "-"]
        times = f"{found.read_s:6.0f} s{found.seconds:6.0f} s{max(found.mib):8,.0f} MiB"
        print(f"  {found.name:22}{found.rows:12,}{times}{beside[0]:>22}{beside[1]:>12}")
    draw(readings, arguments.curve)
    print(f"  curve: {arguments.curve}")


if __name__ == "__main__":
    main()
