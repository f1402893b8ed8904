"""The Mosquitto configuration that we ship: keeps what a reader away will want, survives a stop, holds every user to
what is his. Only where Mosquitto is installed; CI installs it.
"""

import socket
import ssl

from credentials import desk
from credentials.rights import GatewayName
from credentials.secret import new_password
from embedded.broker import User, answers_connect
from tests.fix_broker import MakeDevice
from tests.fix_wait import Eventually
from tests.mosquitto_rig import INGEST, Mosquitto, needs_mosquitto

pytestmark = needs_mosquitto

PUMPS = "north/gw_pump"


async def test_a_reader_away_finds_everything_also_after_a_restart(
    mosquitto: Mosquitto, device: MakeDevice, eventually: Eventually
) -> None:
    """More than the thousand messages at which Mosquitto's defaults begin to drop."""
    gateway = mosquitto.admit(PUMPS, "gateway-password")
    mosquitto.reload()
    reader = await device(mosquitto.inner_url, "reader", INGEST, clean=False).connect(eventually)
    assert await reader.subscribe("tz/v1/+/+/telemetry", eventually)
    reader.leave()
    writer = await device(mosquitto.inner_url, "writer", gateway).connect(eventually)
    for n in range(1500):
        writer.publish("tz/v1/north/pump-1/telemetry", str(n).encode(), wait=n % 100 == 99)
    writer.publish("tz/v1/north/pump-1/telemetry", b"1500")
    await mosquitto.stop()
    await mosquitto.start()
    again = await device(mosquitto.inner_url, "reader", INGEST, clean=False).connect(eventually)
    await eventually(lambda: len(again.heard) >= 1501)
    assert {int(payload) for _, payload in again.heard} == set(range(1501))


async def test_a_gateway_writes_what_is_its_own_and_reads_nothing(
    mosquitto: Mosquitto, device: MakeDevice, eventually: Eventually
) -> None:
    """Over TLS, as in the field. What arrives in order before and after shows that the rest was refused, not late."""
    pumps, power = mosquitto.admit(PUMPS, "p1"), mosquitto.admit("north/gw_power", "p2")
    mosquitto.reload()
    reader = await device(mosquitto.inner_url, "reader", INGEST).connect(eventually)
    await reader.subscribe("tz/v1/#", eventually)
    gateway = await device(mosquitto.outer_url, "any", pumps, ca=mosquitto.ca).connect(eventually)
    await gateway.subscribe("tz/v1/#", eventually)
    refused = {
        "tz/v1/south/pump-1/telemetry": power,
        "tz/v1/north/gateways/gw_pump/status": power,
        "tz/v1/north/alarms/1": power,
        "tz/v1/north/alarms/telemetry": power,
        "$SYS/broker/version": power,
        "tz/v1/north/pump-1": power,
        "tz/v1/north/pump-1/telemetry": INGEST,
    }
    for topic, user in refused.items():
        intruder = await device(mosquitto.inner_url, f"intruder {topic}", user).connect(eventually)
        intruder.publish(topic, b"refused")
        intruder.leave()
    gateway.publish("tz/v1/north/pump-1/telemetry", b"1")
    gateway.publish("tz/v1/north/gateways/gw_pump/status", b"2", retain=True)
    reader.publish("tz/v1/north/alarms/1", b"3")
    await eventually(lambda: len(reader.heard) >= 3)
    assert [payload for _, payload in reader.heard] == [b"1", b"2", b"3"]
    assert gateway.heard == []


async def test_a_last_will_is_held_to_the_same(
    mosquitto: Mosquitto, device: MakeDevice, eventually: Eventually
) -> None:
    pumps, power = mosquitto.admit(PUMPS, "p1"), mosquitto.admit("north/gw_power", "p2")
    mosquitto.reload()
    status = GatewayName.parse(PUMPS).status_topic
    reader = await device(mosquitto.inner_url, "reader", INGEST).connect(eventually)
    await reader.subscribe("tz/v1/#", eventually)
    for user, payload in ((power, b"somebody else's"), (pumps, b"its own")):
        dying = await device(mosquitto.outer_url, "any", user, ca=mosquitto.ca, will=(status, payload)).connect(
            eventually
        )
        dying.vanish()
    await eventually(lambda: reader.heard)
    assert reader.heard == [(status, b"its own")]


async def test_a_gateway_cannot_take_over_the_session_of_ingest(
    mosquitto: Mosquitto, device: MakeDevice, eventually: Eventually
) -> None:
    """Whoever connects with a client id in use throws out the one who has it, and may end his session."""
    gateway = mosquitto.admit(PUMPS, "p1")
    mosquitto.reload()
    ingest = await device(mosquitto.inner_url, "taizhang-ingest", INGEST, clean=False).connect(eventually)
    await ingest.subscribe("tz/v1/#", eventually)
    thief = await device(mosquitto.outer_url, "taizhang-ingest", gateway, ca=mosquitto.ca).connect(eventually)
    thief.publish("tz/v1/north/pump-1/telemetry", b"1")
    await eventually(lambda: ingest.heard)
    assert ingest.connected == [True], "it was thrown out and connected again"


async def test_without_a_credential_nobody_enters(mosquitto: Mosquitto) -> None:
    assert answers_connect("127.0.0.1", mosquitto.inner_port, INGEST)
    assert not answers_connect("127.0.0.1", mosquitto.inner_port)
    assert not answers_connect("127.0.0.1", mosquitto.inner_port, User(INGEST.name, "wrong"))


async def test_the_outer_listener_speaks_only_tls(mosquitto: Mosquitto) -> None:
    assert not answers_connect("127.0.0.1", mosquitto.outer_port, INGEST)
    with socket.create_connection(("127.0.0.1", mosquitto.outer_port), timeout=5) as plain:
        context = ssl.create_default_context(cafile=mosquitto.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            assert wrapped.version() in ("TLSv1.2", "TLSv1.3")


async def test_a_rotated_password_replaces_the_old_and_a_removed_one_ends(
    mosquitto: Mosquitto, eventually: Eventually
) -> None:
    def enters(password: str) -> bool:
        return answers_connect("127.0.0.1", mosquitto.inner_port, User("north.gw_pump", password))

    async def made(*, rotate: bool) -> str:
        text = await desk.add(mosquitto.settings(), PUMPS, rotate=rotate, language="en")
        return next(line.split()[-1] for line in text.splitlines() if line.strip().startswith("password"))

    first = await made(rotate=False)
    mosquitto.reload()
    await eventually(lambda: enters(first))
    second = await made(rotate=True)
    mosquitto.reload()
    await eventually(lambda: enters(second))
    assert not enters(first)
    assert not enters(new_password())
    desk.remove(mosquitto.settings(), PUMPS)
    mosquitto.reload()
    await eventually(lambda: not enters(second))
