"""The platforms this process plays. A new one adds its schema and its routes here."""

from sandbox import admin, data, index, llm, tastes, telegram, visitors, x
from sandbox.router import Platform
from sandbox.world import World

SCHEMAS = [tastes.SCHEMA, x.SCHEMA, telegram.SCHEMA, llm.SCHEMA, data.SCHEMA, visitors.SCHEMA]


def all_platforms() -> list[Platform]:
    played = [x.platform(), telegram.platform(), *llm.platforms(), data.platform(), visitors.platform()]
    return [*played, admin.platform(played, furnish), index.platform()]


def furnish(world: World) -> None:
    """What exists on the first start and after a reset."""
    with world.store.transaction():
        x.furnish(world)
        telegram.furnish(world)


def furnish_demo(world: World) -> None:
    """What somebody who looks around finds besides."""
    with world.store.transaction():
        x.furnish_demo(world)
