"""The apps: folders here, and installed packages that announce themselves by the entry point `ai_app_suite.apps`."""

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable

from core.app import AppSpec, Listing
from core.errors import UsageError

ENTRY_POINTS = "ai_app_suite.apps"


def available() -> Listing:
    """Every app that can be found; one that is broken is named and does not take the others down."""
    apps: dict[str, AppSpec] = {}
    broken: dict[str, str] = {}
    for name, open_app in _sources().items():
        try:
            spec = open_app()
            if not isinstance(spec, AppSpec) or spec.name != name:
                raise TypeError(f"it gives {spec!r} instead of an AppSpec named {name!r}")
            apps[name] = spec
        # A plugin is other people's code: whatever it raises is its failure, reported by name.
        except (Exception, SystemExit) as error:
            broken[name] = f"{type(error).__name__}: {error}"
    return Listing(apps, broken)


def load(name: str) -> AppSpec:
    """The app of that name.

    Raises:
        UsageError: There is none, or it is broken.
    """
    listing = available()
    if name in listing.apps:
        return listing.apps[name]
    reason = (
        f"The app `{name}` cannot be loaded: {listing.broken[name]}" if name in listing.broken else f"No app `{name}`."
    )
    raise UsageError(reason, f"Apps: {', '.join(sorted(listing.apps))}.", "See `python -m apps`.")


def _sources() -> dict[str, Callable[[], AppSpec]]:
    """App name to a function that imports it; folders come before packages of the same name."""
    found: dict[str, Callable[[], AppSpec]] = {}
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        found[point.name] = point.load
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:
            found[module.name] = _folder(module.name)
    return dict(sorted(found.items()))


def _folder(name: str) -> Callable[[], AppSpec]:
    def open_app() -> AppSpec:
        module = importlib.import_module(f"{__name__}.{name}.app")
        spec: AppSpec = module.SPEC
        return spec

    return open_app
