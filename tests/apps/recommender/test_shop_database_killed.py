"""A shop whose database server is killed under it, and started again: a real PostgreSQL of the test's own."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.recommender import shop
from apps.recommender.app import SPEC
from apps.recommender.recommender import Recommender
from apps.recommender.shop import Shop
from apps.recommender.wish import Wish
from core.errors import UserError
from core.serving.behaviour import Event
from core.serving.predictor import load_predictor
from core.serving.rules import Rule
from core.serving.store import Store

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
NOW = 1_900_000_000


class Server:
    """A PostgreSQL in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "suite", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://suite@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        how = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", self.data, "-o", how, "-l", self.folder / "log", "-w", "start")

    def kill(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def _run(self, name: str, *arguments: object) -> None:
        # PostgreSQL refuses to run as root.
        who = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*who, str(BINARIES[-1].with_name(name)), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/")
        assert done.returncode == 0, done.stderr


@pytest.fixture
def server() -> Iterator[Server]:
    if not BINARIES:
        pytest.skip("there is no PostgreSQL server in /usr/lib/postgresql: install Debian's package postgresql")
    # Not in the test's folder: the user of the server may not look into that of another.
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    running = Server(folder)
    yield running
    running.kill()
    shutil.rmtree(folder)


def test_lists_go_on_while_the_server_is_killed_and_all_is_there_when_it_is_back(
    server: Server, shop_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "AWAY_S", 0.0)
    store = Store(server.url)
    live = Shop(Recommender(load_predictor(shop_bundle, SPEC, threads=1), threads=1), store)
    wish = Wish(user="visitor-003", k=5)
    first, second, third = (item.item_id for item in live.list_for(wish).ranked.items[:3])
    live.set_rule(Rule("block", first), "Ann", "recalled")
    live.record(Event("visitor-003", second, "dismiss", NOW))
    server.kill()
    found = live.list_for(wish)
    assert not found.is_live
    assert first not in [item.item_id for item in found.ranked.items]
    with pytest.raises(UserError, match="not kept"):
        live.record(Event("visitor-003", third, "dismiss", NOW + 1, key="once"))
    server.start()
    back = live.list_for(wish)
    assert back.is_live
    assert not {first, second} & {item.item_id for item in back.ranked.items}
    assert live.record(Event("visitor-003", third, "dismiss", NOW + 1, key="once")) > 0
    assert third not in [item.item_id for item in live.list_for(wish).ranked.items]
    assert [row.why for row in live.rules_and_changes(10)[1]] == ["recalled"]
    store.close()
