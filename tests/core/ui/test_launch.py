"""Opening a page: ports."""

import socket

import pytest

from core.errors import UserError
from core.ui.launch import open_port


def test_port_in_use_names_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port}") as caught:
            open_port("127.0.0.1", port)
    suggested = int(caught.value.fix.removeprefix("Use --port ").removesuffix("."))
    assert suggested > port


def test_foreign_address_is_refused() -> None:
    with pytest.raises(UserError, match=r"192\.0\.2\.1"):
        open_port("192.0.2.1", 0)


def test_port_0_takes_any() -> None:
    with open_port("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0
