"""Events: how a lower chapter's change causes something above it, without knowing who listens.

An event is a frozen dataclass. `publish` calls every handler at once, in the same transaction and
in declared order, so that cause and effect are saved together or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Handler = TypeVar("Handler", bound=Callable[[Any], None])


@dataclass(frozen=True)
class Registered:
    """A named handler of one event class; lower `order` runs first."""

    order: int
    name: str
    handler: Callable[[Any], None]


_handlers: dict[type, list[Registered]] = {}


def handles(event: type, *, order: int = 50) -> Callable[[Handler], Handler]:
    """Register the function below as a handler of `event`."""

    def register(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__name__}"
        registered = _handlers.setdefault(event, [])
        if any(other.name == name for other in registered):
            raise RuntimeError(f"{name} handles {event.__name__} already.")
        registered.append(Registered(order, name, handler))
        registered.sort(key=lambda each: (each.order, each.name))
        return handler

    return register


def publish(event: object) -> None:
    """Tell every handler of this event's class, in order. What a handler raises, rises."""
    for registered in _handlers.get(type(event), ()):
        registered.handler(event)


def handlers() -> dict[type, tuple[Registered, ...]]:
    """Every event class with its handlers in the order they run; `make trace` prints it."""
    return {event: tuple(registered) for event, registered in _handlers.items()}
