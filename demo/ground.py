"""The ground the demo stands on: a database and a broker, ours from wheels or the ones named in the environment."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded import broker, postgres
from settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    database_url: str
    mqtt_url: str


@asynccontextmanager
async def standing(settings: Settings, directory: Path, *, durable: bool = True) -> AsyncGenerator[Ground]:
    """Both for the length of the block; DATABASE_URL and MQTT_URL, where set, are used and left as they are.

    `durable=False` lets the embedded servers skip syncing to disk: for runs whose data is thrown away.
    Raises embedded.errors.EmbeddedError with what to do.
    """
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            database_url = settings.database_url.get_secret_value()
        else:
            database_url = await stack.enter_async_context(
                postgres.running(directory / "postgres", fsync=durable),
            )
        if settings.mqtt_url is not None:
            mqtt_url = settings.mqtt_url.get_secret_value()
        else:
            mqtt_url = await stack.enter_async_context(broker.running(directory / "broker", sync_always=durable))
        yield Ground(database_url, mqtt_url)
