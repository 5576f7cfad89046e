"""The list: for whom it is and from what, what has changed, what was done on the page, and the cards."""

from apps.recommender.ui import words
from apps.recommender.ui.card import render_card
from apps.recommender.ui.icons import icon
from apps.recommender.ui.item_words import title_of
from apps.recommender.ui.lists import Lists, Shown
from apps.recommender.ui.visit import Visit
from apps.recommender.ui.words import counted, filled
from apps.recommender.wish import Start
from core.texts import Text
from core.ui import forms
from core.ui.inert import inert, plain
from core.ui.translations import inline

COLD_STARTS = ("events", "interests", "item", "nothing")
SHOWN_DEEDS = 10


def render_grid(shown: Shown, lists: Lists) -> str:
    """The whole list, as escaped HTML."""
    if shown.ranked is None:
        return f'<div class="entries">{forms.refused(shown.refusal) if shown.refusal else ""}</div>'
    shelf, because = lists.shelf, because_words(shown.visit, lists)
    cards = "".join(render_card(item, shelf, shown.moves, because) for item in shown.ranked.items)
    body = f'<ol class="cards">{cards}</ol>' if cards else forms.empty(words.NOTHING_FITS)
    return f'<div class="entries">{_head(shown, lists)}{_deeds(shown.visit, lists)}{body}</div>'


def because_words(visit: Visit, lists: Lists) -> dict[str, Text]:
    """For each item that was had to do with, what was done, as the beginning of a reason."""
    found = {event.item_id: words.BECAUSE.get(event.kind, words.BECAUSE_OF) for event in lists.history(visit)}
    liked = {"view": words.BECAUSE["click"], "like": words.BECAUSE_LIKED}
    return found | {deed.item_id: liked[deed.what] for deed in visit.deeds if deed.what in liked}


def _head(shown: Shown, lists: Lists) -> str:
    assert shown.ranked is not None
    visit, start = shown.visit, shown.ranked.start
    row = lists.shelf.catalogue.row_of(visit.item_id)
    item = title_of(lists.shelf.catalogue, row) if row is not None else Text("", "")
    if start == "events" and visit.mode == "item":
        start = "item"
    title = filled(words.HEADS[start], who=plain(visit.user, 60), item=item)
    cold = forms.tag(words.COLD, "warn cold") if start in COLD_STARTS else ""
    sources = "".join(f"<span>{inline(source)}</span>" for source in _sources(visit, start, lists))
    cost = shown.ranked.diversity_cost
    told = filled(words.COST, share=f"{cost:.1%}") if cost else None
    return (
        f'<div class="list-head"><div><h2 dir="auto">{inline(title)} {cold}</h2>'
        f'<p class="quiet sources">{sources}</p></div>'
        f'<p class="changes" role="status">{_changes(shown)}</p></div>'
        + (f'<p class="fine cost">{inline(told)}</p>' if told else "")
        + ("" if shown.is_live else forms.told("warn", words.AWAY))
    )


def _sources(visit: Visit, start: Start, lists: Lists) -> list[Text]:
    """From what the list was made."""
    found = []
    if start == "known":
        found.append(counted(words.FROM_LOG, words.filled(words.FROM_LOG, n=1), len(lists.history(visit))))
    if visit.mode == "new" and visit.interests:
        found.append(filled(words.FROM_INTERESTS, said=plain(visit.interests, 80)))
    if start == "item":
        found.append(words.FROM_ITEM)
    clicks = sum(deed.what != "dismiss" for deed in visit.deeds)
    if clicks:
        found.append(counted(words.FROM_EVENTS, words.FROM_ONE_EVENT, clicks))
    return found or [words.FROM_NOTHING]


def _changes(shown: Shown) -> str:
    if not shown.moves:
        return ""
    new = sum(move is None for move in shown.moves.values())
    moved = sum(bool(move) for move in shown.moves.values())
    return inline(filled(words.CHANGED, new=new, moved=moved) if new or moved else words.SAME)


def _deeds(visit: Visit, lists: Lists) -> str:
    """What was done on the page, newest first, each to be undone."""
    catalogue = lists.shelf.catalogue
    chips = []
    for deed in visit.deeds[::-1][:SHOWN_DEEDS]:
        row = catalogue.row_of(deed.item_id)
        title = title_of(catalogue, row) if row is not None else Text(deed.item_id, deed.item_id)
        undo = f'<span class="hidden-words">{inline(filled(words.UNDO, item=title))}</span>'
        chips.append(
            f'<li class="deed {deed.what}"><span><span class="fine">{inline(words.DEEDS[deed.what])}</span> '
            f'<span dir="auto">{inline(title)}</span></span><button type="button" class="act" data-act="undo" '
            f'data-item="{inert(deed.item_id, 500)}">{icon("cross")}{undo}</button></li>'
        )
    if not chips:
        return ""
    over = forms.button("over", words.START_OVER, "quietly")
    return f'<div class="deeds"><h3 class="fine">{inline(words.THIS_VISIT)}</h3><ul>{"".join(chips)}</ul>{over}</div>'
