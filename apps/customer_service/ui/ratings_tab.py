"""The tab with what customers thought of answers, newest first."""

from collections.abc import Sequence

from apps.customer_service.desk import APP
from apps.customer_service.ui.chat_words import DISLIKE, LIKE, REASONS
from core.serving.conversations import Conversations, Rating
from core.texts import Language, Text
from core.ui.translations import in_both
from core.ui.widgets import table

SHOWN = 100
COLUMNS = (
    Text("Time (UTC)", "时间（UTC）"),
    Text("Rating", "评价"),
    Text("Reason", "原因"),
    Text("Answer", "回复内容"),
)
EMPTY = Text("No answer has been rated yet.", "还没有评价。")
SHARE = Text("{liked} of {all} helped", "{all} 条评价中 {liked} 条有帮助")
MAX_ANSWER = 300


def render_ratings(conversations: Conversations) -> str:
    """The latest ratings as a table, with the share that helped."""
    ratings = conversations.ratings(APP)
    return in_both(lambda language: _ratings(ratings, language))


def _ratings(ratings: Sequence[Rating], language: Language) -> str:
    columns = [column.in_language(language) for column in COLUMNS]
    rows = [_row(rating, language) for rating in ratings[:SHOWN]]
    liked = sum(rating.value > 0 for rating in ratings)
    share = SHARE.in_language(language).format(liked=liked, all=len(ratings))
    head = f'<p class="quiet">{share}</p>' if ratings else ""
    return f'<div class="entries">{head}{table(columns, rows, empty=EMPTY.in_language(language))}</div>'


def _row(rating: Rating, language: Language) -> list[object]:
    value = (LIKE if rating.value > 0 else DISLIKE).in_language(language)
    known = REASONS.get(rating.reason)
    reason = known.in_language(language) if known else rating.reason
    answer = rating.text if len(rating.text) <= MAX_ANSWER else rating.text[:MAX_ANSWER] + " …"
    return [rating.created[:19].replace("T", " "), value, reason, answer]
