"""The panel that says for whom: a known user, somebody new by their interests or clicks, or an item to start from."""

from apps.recommender.ui import words
from apps.recommender.ui.item_words import category_name
from apps.recommender.ui.lists import Lists
from apps.recommender.ui.rows import choice_row, item_choice
from apps.recommender.ui.visit import Visit
from apps.recommender.wish import MAX_INTERESTS
from core.texts import Text
from core.ui import forms
from core.ui.inert import inert
from core.ui.translations import inline

MAX_QUERY = 200


def render_who(visit: Visit, lists: Lists) -> str:
    """The panel, as escaped HTML."""
    modes = "".join(
        f'<button type="button" data-act="mode" data-mode="{mode}" aria-pressed="{str(mode == visit.mode).lower()}">'
        f"{inline(name)}</button>"
        for mode, name in words.MODES.items()
    )
    chosen = {"user": _users, "new": _somebody_new, "item": _items}[visit.mode](visit, lists)
    return (
        f'<div class="entries"><section class="card"><h2>{inline(words.FOR_WHOM)}</h2>'
        f'<div class="modes" role="group">{modes}</div>{chosen}</section></div>'
    )


def _users(visit: Visit, lists: Lists) -> str:
    rows = "".join(
        choice_row(
            "user",
            "user",
            user,
            f'<span dir="auto">{inert(user, 60)}</span>',
            _num_events(user, lists),
            is_chosen=user == visit.user,
        )
        for user in lists.find_users(visit.query)
    )
    return _search(visit, words.FIND_USER, rows, words.NOBODY_FOUND)


def _items(visit: Visit, lists: Lists) -> str:
    catalogue = lists.shelf.catalogue
    rows = "".join(
        item_choice(row, lists.shelf, category_name(catalogue, row), chosen_id=visit.item_id)
        for row in lists.find_items(visit.query)
    )
    return _search(visit, words.FIND_ITEM, rows, words.NOTHING_FOUND)


def _somebody_new(visit: Visit, lists: Lists) -> str:
    del lists
    entry = (
        f'<label class="field"><span>{inline(words.INTERESTS)}</span><textarea name="interests" rows="2" dir="auto" '
        f'maxlength="{MAX_INTERESTS}" {forms.placeholder(words.INTERESTS_EXAMPLE)}>\n'
        f"{inert(visit.interests, MAX_INTERESTS)}</textarea></label>"
    )
    show = forms.buttons(forms.button("interests", words.SHOW, is_default=True))
    return (
        f'<form class="enter" data-key="interests:{visit.form}">{entry}{show}</form>'
        f'<p class="fine">{inline(words.OR_CLICK)}</p>'
    )


def _search(visit: Visit, name: Text, rows: str, nothing: Text) -> str:
    entry = forms.field("query", name, limit=MAX_QUERY)
    # Enter chooses the first of those found; typing alone looks for them.
    find = f'<button type="submit" class="hidden-words" data-act="first" tabindex="-1">{inline(words.FIND)}</button>'
    found = rows or f'<p class="fine">{inline(nothing)}</p>'
    return (
        f'<form class="enter" data-live="seek" data-key="{visit.mode}:{visit.form}">{entry}{find}</form>'
        f'<div class="found">{found}</div>'
    )


def _num_events(user: str, lists: Lists) -> Text:
    return words.counted(words.EVENTS, words.ONE_EVENT, lists.recommender.histories.num_events(user))
