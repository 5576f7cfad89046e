"""How pages hear of clicks on HTML of our own: the script that tells of them, and the settings of such events."""

from pathlib import Path
from typing import Any

ACTIONS = Path(__file__).with_name("actions.js").read_text(encoding="utf-8")
"""For `js_on_load` of a place: buttons with `data-act` tell the server what they stand for."""
HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
AT_ONCE: dict[str, Any] = {**HIDDEN, "queue": False}
"""For events that give one answer: by a request of their own. Gradio 6 loses an event of its queue that is sent while
the stream of the one before is being closed, as happens with a clock and with several events at a time."""
CLICK: dict[str, Any] = {**AT_ONCE, "trigger_mode": "multiple"}
"""For clicks: Gradio drops a second one that comes while the first is answered, were it not told so."""
PROGRAMS: dict[str, Any] = {"queue": False, "concurrency_limit": 32}
"""For endpoints: called by `/run/` without the queue, as many at once as this; by `/call/` with it."""
