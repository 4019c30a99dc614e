"""The Telegram Bot API, as far as a publishing product uses it."""

from sandbox.router import Platform
from sandbox.telegram import problems
from sandbox.telegram.schema import SCHEMA
from sandbox.world import World

__all__ = ["SCHEMA", "furnish", "platform"]


def platform() -> Platform:
    return Platform("telegram", "/tg", [], not_found=problems.not_found, error=problems.unexpected)


def furnish(world: World) -> None:
    pass
