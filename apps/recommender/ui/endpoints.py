"""What programs call: `/recommend` for a list, `/event` for what a user did with it, `/item` for what is offered."""

import time
from collections.abc import Mapping
from typing import Any

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from apps.recommender.offering import ItemChange
from apps.recommender.shop import Shop
from apps.recommender.wish import Wish
from core.errors import UsageError, UserError
from core.serving.behaviour import Event
from core.ui.actions import PROGRAMS

WISH, EVENT, ITEM = TypeAdapter(Wish), TypeAdapter(Event), TypeAdapter(ItemChange)


def add_endpoints(shop: Shop) -> None:
    """Adds them to the page that is being built."""
    asked, answer = gr.JSON(visible=False), gr.JSON(visible=False)

    def recommend(told: Any) -> dict[str, Any]:
        """A list: `items`, what it was made from (`start`), `list_id` for events, and whether the store was heard."""
        if isinstance(told, Mapping) and isinstance(told.get("history"), list):
            told = {**told, "history": [{"item_id": one} if isinstance(one, str) else one for one in told["history"]]}
        try:
            served = shop.list_for(_read(WISH, told))
        except UserError as error:
            return {"error": str(error)}
        titles = shop.recommender.store.items.catalogue.titles
        items = [item.to_json(titles[item.row]) for item in served.ranked.items]
        return {"start": served.ranked.start, "items": items, "list_id": served.list_id, "live": served.is_live}

    def event(told: Any) -> dict[str, Any]:
        """Keeps an event of `user_id` with `item_id`; its number, `id`, says that it is kept."""
        if isinstance(told, Mapping):
            told = {"time": int(time.time())} | {name: value for name, value in told.items() if name != "id"}
        try:
            return {"id": shop.record(_read(EVENT, told))}
        except UserError as error:
            return {"error": str(error)}

    def item(told: Any) -> dict[str, Any]:
        """Offers a new item, or tells other facts of a known one; `id` says that the change is kept."""
        if isinstance(told, Mapping) and isinstance(told.get("tags"), list):
            told = {**told, "tags": "|".join(map(str, told["tags"]))}
        try:
            return {"id": shop.put_item(_read(ITEM, told))}
        except UserError as error:
            return {"error": str(error)}

    gr.Button(visible=False).click(recommend, asked, answer, api_name="recommend", **PROGRAMS)
    gr.Button(visible=False).click(event, asked, answer, api_name="event", **PROGRAMS)
    gr.Button(visible=False).click(item, asked, answer, api_name="item", **PROGRAMS)


def _read(adapter: TypeAdapter[Any], told: Any) -> Any:
    try:
        return adapter.validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"`{where}`: {first['msg']}.", "A JSON object as README shows it.", "Correct it.") from None
