"""A site at which everything has happened once: at least one row in every table that belongs to a site."""

import hashlib
import uuid
from datetime import date, time, timedelta
from typing import Any

from inspection import codes
from ledger import (
    audit_log,
    beats,
    certificates,
    facilities,
    fitness,
    history,
    intake,
    inventory,
    order_papers,
    parameters,
    passwords,
    people,
    permits,
    person_settings,
    photos,
    place_photos,
    plans,
    public_reports,
    readings,
    rounds,
    services,
    sessions,
    signatures,
    tags,
    tokens,
    visits,
    work_orders,
)
from ledger.lifecycle import WorkOrderMove, WorkOrderState
from ledger.records import PermitKind, Quality, Sample, Severity, to_ms
from ledger.round_lifecycle import RoundMove
from ledger.work_orders import Act
from tests.orders import WAY_TO, open_order
from tests.small_estate import NOON, SmallSite, later, raise_alarm


async def let_everything_happen(connection: Any, site: SmallSite) -> None:
    """Not committed: that is the caller's."""
    await _measure(connection, site)
    tag, picture = await _inspect(connection, site)
    moved = await raise_alarm(connection, site.conditions["outlet_pressure_low"], why="test")
    assert moved.alarm_id is not None
    await connection.execute(
        "insert into alarm_note (site_id, alarm_id, text, actor, at) values (%s, %s, '已通知', '李工', %s)",
        [site.id, moved.alarm_id, NOON],
    )
    order = await open_order(connection, site)
    await _report(connection, site, tag, picture, order)
    await fitness.failed(
        connection,
        uuid.uuid5(uuid.NAMESPACE_URL, site.key),
        site_id=site.id,
        facility_id=site.booster,
        severity=Severity.WARNING,
        work_order_id=order,
        scanned_at=NOON,
        actor="王班长",
        now=NOON,
    )
    act = Act("rules", "opened_now", NOON)
    await work_orders.add_alarm(connection, order, moved.alarm_id, act, move="open")
    await work_orders.move(connection, order, WorkOrderMove.DISPATCH, act, assignee="张师傅")
    await _finish(connection, site)
    bearing = permits.Request(
        facility_id=site.booster,
        part_id=site.pump_1,
        kind=PermitKind.WORK,
        rules=["pump_fault"],
        holder="张师傅",
        reason="换轴承",
        valid_from=NOON,
        valid_until=later(hours=4),
    )
    await permits.issue(connection, bearing, issued_by="李工", now=NOON)
    await connection.execute(
        "insert into site_setting (site_id, facility_id, name, value, author, reason, set_at) "
        "values (%s, %s, 'grade', 'A', '李工', '试验', %s)",
        [site.id, site.booster, NOON],
    )
    await _certify(connection, site, picture)
    await _employ(connection, site)
    await _answer_for(connection, site)
    await beats.put(connection, site.id, "worker", broker_connected=True, lag_s=0.0)
    await parameters.set_value(connection, site.booster, "setpoint", 0.4, author="李工", reason="夏季用水", now=NOON)


async def _finish(connection: Any, site: SmallSite) -> None:
    """Another order, resolved: with a photo (that of the visit), a part used, a signature, and a call-back."""
    order = await open_order(connection, site)
    act = Act("张师傅", "person", NOON)
    for step in WAY_TO[WorkOrderState.RESOLVED]:
        await work_orders.move(connection, order, step, act, assignee="张师傅")
    picture = hashlib.sha256(site.key.encode()).hexdigest()
    after = order_papers.PhotoStage.AFTER
    await order_papers.add_photo(connection, order, act, sha256=picture, stage=after, caption="换好了")
    await order_papers.add_part(connection, order, act, order_papers.NewPart("机械密封", "M7N-25", 1, "套"))
    await order_papers.sign(connection, order, act, sha256=picture, signer="刘女士")
    await order_papers.call_back(connection, order, act, spoken_with="刘女士", rating=5, words=None)


async def _certify(connection: Any, site: SmallSite, picture: str) -> None:
    """The booster's water was tested; the page is the picture of the visit."""
    found = await facilities.facility(connection, site.booster)
    new = certificates.NewCertificate(
        certificates.CertificateKind.WATER_QUALITY_TEST,
        "WQ-2026-0117",
        "市疾控中心",
        NOON.date(),
        NOON.date() + timedelta(days=365),
        note=None,
        replaces_id=None,
    )
    number = await certificates.add(connection, found, new, actor="李工", now=NOON)
    cursor = await connection.execute("select id, facility_id from asset where site_id = %s limit 1", [site.id])
    ((asset, of),) = await cursor.fetchall()
    piece = services.Serviced(asset, of, None, None, None, None)
    await services.record(connection, site.id, [piece], NOON.date(), note="淮海消防", actor="李工", now=NOON)
    shown = place_photos.PlacePhoto(picture, 1000, 40, 30, NOON, "李工")
    await place_photos.put(connection, found, shown)
    await certificates.add_page(connection, number, certificates.Page(picture, "image/jpeg", 1000, NOON, "李工"))


async def _employ(connection: Any, site: SmallSite) -> None:
    """Somebody who belongs to the site, is signed in, saved something; and a token for it."""
    person = await people.add(
        connection, login=f"wang.{site.key}", name=f"王工 {site.key}", language="zh", created_by="test", now=NOON
    )
    await passwords.put(connection, person.id, "$argon2id$of nobody", must_change=False, now=NOON)
    await connection.execute(
        "insert into membership (person_id, site_id, role, set_at, set_by) values (%s, %s, 'duty_engineer', %s, 'test')",
        [person.id, site.id, NOON],
    )
    await sessions.begin(
        connection,
        person.id,
        digest=hashlib.sha256(site.key.encode()).digest(),
        way="password",
        ip="192.0.2.1",
        user_agent="",
        now=NOON,
        expires_at=later(days=1),
    )
    await person_settings.put(connection, person.id, "alarms", {"columns": ["state"]}, NOON)
    token = await tokens.make(
        connection,
        name=f"of {site.key}",
        digest=hashlib.sha256(b"token " + site.key.encode()).digest(),
        rights=["read"],
        sites=[site.id],
        made_by=person.name,
        made_by_id=person.id,
        now=NOON,
        expires_at=later(days=1),
    )
    doer = audit_log.Doer("程序", None, token.id, "192.0.2.1", "")
    await audit_log.write(
        connection, doer, operation="note_alarm", subject="alarms/1", site_id=site.id, asked={"text": "x"}, now=NOON
    )


async def _answer_for(connection: Any, site: SmallSite) -> None:
    """Whoever walked the round signs it; the month's report is issued."""
    cursor = await connection.execute(
        "select person.id, name, max(walk.id) from person, inspection_round as walk "
        "where login = %s and walk.site_id = %s group by 1, 2",
        [f"wang.{site.key}", site.id],
    )
    person_id, name, walk = await cursor.fetchone()
    await rounds.move(connection, walk, RoundMove.TAKE_OVER, actor=name, note="换班", now=NOON)
    await rounds.move(connection, walk, RoundMove.FINISH, actor=name, note=None, now=NOON)
    signer = signatures.Signer(person_id, name)
    await signatures.sign_round(connection, walk, signatures.Part.PATROLLER, signer, note=None, now=NOON)
    await connection.execute(
        "insert into inspection_report (site_id, month, version, issued_at, issued_by, figures, figures_sha256) "
        "values (%s, '2026-02-01', 1, %s, 'calendar', '{}', sha256('{}'))",
        [site.id, NOON],
    )


async def _inspect(connection: Any, site: SmallSite) -> tuple[int, str]:
    """A tag issued, a round of a plan started, a visit with a photo that arrived; gives the tag and the photo."""
    code = codes.make(hashlib.sha256(site.key.encode()).digest()[: codes.RANDOM_BYTES])
    tag = await tags.issue(connection, site_id=site.id, facility_id=site.booster, code=code, actor="李工", now=NOON)
    plan = plans.Wanted(
        site.id,
        "night",
        "夜巡",
        "Night round",
        None,
        "李工",
        None,
        "day",
        (),
        time(22),
        60,
        False,
        [(site.booster, 5, 5)],
    )
    plan_id = await plans.put(connection, plan, actor="李工", now=NOON)
    window = (NOON, later(hours=1))
    walk = await rounds.start(connection, site_id=site.id, plan_id=plan_id, window=window, guard="王班长", now=NOON)
    picture = hashlib.sha256(site.key.encode()).hexdigest()
    await photos.keep(connection, photos.Photo(site.id, picture, "image/jpeg", 9, 3, 3, 7, NOON, "王班长"))
    visit = visits.Entry(
        id=uuid.uuid5(uuid.NAMESPACE_URL, site.key),
        site_id=site.id,
        facility_id=site.booster,
        tag_id=tag,
        round_id=walk,
        said=code,
        means="camera",
        person="王班长",
        phone="phone-1",
        checklist="booster_pump_room",
        checklist_version=1,
        answers={"clean": True},
        failed=(),
        severity=None,
        outcome="unfinished",
        note=None,
        latitude=None,
        longitude=None,
        accuracy_m=None,
        phone_scanned_at=NOON,
        phone_finished_at=NOON,
        clock_offset_s=0.0,
        scanned_at=NOON,
        received_at=NOON,
        verdict="accepted",
        reasons=("answers_missing",),
        work_order_id=None,
        content_hash=b"",
        photos=[visits.VisitPhoto(picture, None, "camera")],
    )
    await visits.keep(connection, visit, {})
    return tag, picture


async def _report(connection: Any, site: SmallSite, tag: int, picture: str, order: int) -> None:
    """What a stranger said of it."""
    said = public_reports.PublicReport(
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"report at {site.key}"),
        site_id=site.id,
        facility_id=site.booster,
        tag_id=tag,
        problem=public_reports.PublicProblem.BLOCKED,
        words="门口堆了纸箱",
        contact="13800000000",
        photo_sha256=picture,
        work_order_id=order,
        opened_order=True,
        received_at=NOON,
    )
    await public_reports.keep(connection, said)


async def _measure(connection: Any, site: SmallSite) -> None:
    point = site.points["outlet_pressure"]
    await readings.store(
        connection, [Sample(point, to_ms(later(seconds=s)), s / 10, Quality.GOOD, 0) for s in range(5)]
    )
    await _make_history(connection, site)
    tally = intake.Account(received=2, accepted=1, quarantined=1, values_received=6, stored=5, refused=1)
    await intake.add(connection, {intake.AccountKey(NOON, site.key, "gw-1"): tally})
    refusal = intake.Refusal(site.key, f"tz/v1/{site.key}/x/telemetry", "not_json", NOON, b"{")
    await intake.quarantine(connection, [refusal], topics_max=10)
    cursor = await connection.execute("select facility_id from gateway where id = %s", [site.gateway])
    (gateway_facility,) = await cursor.fetchone()
    await inventory.put_relations(
        connection, site_id=site.id, facility_id=site.booster, targets={"supplied_by": gateway_facility}
    )
    pump = inventory.AssetEntry("pump_1", "南方泵业", "CDLF20-8", "1", date(2020, 1, 1), date(2020, 3, 1))
    await inventory.put_asset(connection, site_id=site.id, facility_id=site.booster, entry=pump)
    await connection.execute(
        "insert into idempotency (key, actor, request_hash, scope, created_at) values (%s, '李工', '', %s, %s)",
        [f"key of {site.key}", [site.id], NOON],
    )


async def _make_history(connection: Any, site: SmallSite) -> None:
    """The hour after noon is over and made."""
    progress = await history.close(connection, site.id, later(hours=1) + timedelta(minutes=6))
    window = await history.next_window(connection, site.id, progress)
    assert window is not None
    while window is not None:
        window = await history.roll(connection, site.id, window)
