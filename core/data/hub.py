"""Is the hub of models and data sets in reach? Asked before its own retries, which take twenty seconds."""

import os
import socket
from threading import Thread
from urllib.parse import urlparse

PROBE_SECONDS = 3.0


def is_hub_reachable() -> bool:
    """Whether the hub answers within three seconds; never where HF_HUB_OFFLINE is set."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return True
    answers: list[bool] = []
    host = urlparse(constants.ENDPOINT)
    port = host.port or (80 if host.scheme == "http" else 443)
    probe = Thread(target=lambda: answers.append(_connects(str(host.hostname), port)), daemon=True)
    probe.start()  # a thread, since looking up a name has no time limit
    probe.join(PROBE_SECONDS)
    return bool(answers) and answers[0]


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True
