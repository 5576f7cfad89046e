"""What the bot remembers of one conversation; immutable, and JSON-ready as every record is."""

from apps.customer_service.reply import Reply
from core.config import Record
from core.texts import Language

KEPT_TURNS = 8


class Turn(Record):
    """One message of the customer and what was understood."""

    user: str
    """The message as it came, cut to the length that is read."""
    query: str = ""
    """What was judged and searched."""
    bot: str = ""
    """What the bot said."""
    kind: str = ""
    """Kind of the reply."""
    is_alone: bool = True
    """It was understood without the turn before."""


class Offered(Record):
    """One "did you mean" that the customer may choose next."""

    text: str
    """Words on the button."""
    label: str = ""
    """Its intent; empty = none."""
    entry_id: str = ""
    """Its entry; empty = none."""


class Session(Record):
    """One conversation so far: `Session()` starts one, `Dialogue.reply` gives the next."""

    turns: tuple[Turn, ...] = ()
    """The last ones, oldest first."""
    num_turns: int = 0
    """All there were."""
    failures: int = 0
    """Turns in a row without an answer."""
    language: Language = "en"
    """Of the last message that showed one; until then that of the page."""
    last_intent: str = ""
    """Of the last answer; empty = none yet."""
    last_entry: str = ""
    """Entry id of the last answer; empty = none yet."""
    slots: dict[str, str] = {}
    """What the customer has told: order_number, date, amount, product."""
    offered: tuple[Offered, ...] = ()
    """Options of the last reply."""
    handed_over: bool = False
    """A person has it now."""

    def given_back(self) -> "Session":
        """When the person is done: the bot answers again."""
        return self.model_copy(update={"handed_over": False, "failures": 0})


def remember(session: Session, text: str, reply: Reply) -> Session:
    """The session after a message and the reply to it."""
    is_alone = reply.reason != "follow_up"
    turn = Turn(user=text, query=reply.query or text, bot=reply.text, kind=reply.kind, is_alone=is_alone)
    failed = reply.kind in ("fallback", "clarify") or reply.reason == "repeated_failure"
    changes = {
        "turns": (*session.turns, turn)[-KEPT_TURNS:],
        "num_turns": session.num_turns + 1,
        "failures": session.failures + 1 if failed else 0 if reply.kind == "answer" else session.failures,
        "offered": tuple(Offered(text=o.text, label=o.label, entry_id=o.entry_id) for o in reply.options),
        "handed_over": session.handed_over or reply.kind == "handoff",
    }
    if reply.kind == "answer":
        changes["last_intent"] = reply.intent.label if reply.intent else ""
        changes["last_entry"] = reply.sources[0].entry_id if reply.sources else ""
    return session.model_copy(update=changes)
