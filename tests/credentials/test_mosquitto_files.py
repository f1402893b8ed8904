"""Mosquitto's two files: who is added, changed and removed; whatever else stands in them stays; nobody else reads them."""

import os
import stat
from pathlib import Path

import pytest

from credentials.errors import AlreadyThere, CredentialError, FilesUnusable, NotThere
from credentials.mosquitto import MosquittoFiles
from credentials.rights import GatewayName, Rights, ingest_rights
from credentials.secret import is_of

PUMPS = GatewayName("jinxiu", "gw_pump").rights()
POWER = GatewayName("jinxiu", "gw_power").rights()
BY_HAND = """# what somebody wrote
topic read $SYS/#
pattern write devices/%u/up

user siren
topic read tz/v1/+/alarms/+
"""


@pytest.fixture
def files(tmp_path: Path) -> MosquittoFiles:
    return MosquittoFiles(tmp_path / "passwd", tmp_path / "acl")


def test_a_gateway_may_write_its_telemetry_and_its_own_status(files: MosquittoFiles) -> None:
    files.add(PUMPS, "secret", rotate=False)
    assert files.acl_file.read_text() == (
        "user jinxiu.gw_pump\ntopic deny tz/v1/jinxiu/alarms/telemetry\n"
        "topic write tz/v1/jinxiu/+/telemetry\ntopic write tz/v1/jinxiu/gateways/gw_pump/status\n"
    )
    user, _, kept = files.password_file.read_text().strip().partition(":")
    assert user == "jinxiu.gw_pump"
    assert is_of("secret", kept)


def test_what_others_wrote_stays(files: MosquittoFiles) -> None:
    files.acl_file.write_text(BY_HAND)
    files.password_file.write_text("siren:$7$101$c2FsdA==$aGFzaA==\n")
    files.add(PUMPS, "one", rotate=False)
    files.add(POWER, "two", rotate=False)
    files.remove(PUMPS.user)
    assert files.acl_file.read_text().startswith(BY_HAND)
    assert "gw_pump" not in files.acl_file.read_text()
    assert "user jinxiu.gw_power" in files.acl_file.read_text()
    assert files.users() == ["siren", POWER.user]
    files.remove(POWER.user)
    assert files.acl_file.read_text() == BY_HAND


def test_twice_is_refused_and_rotated_only_when_asked(files: MosquittoFiles) -> None:
    files.add(PUMPS, "old", rotate=False)
    before = files.password_file.read_text()
    with pytest.raises(AlreadyThere, match=r"jinxiu\.gw_pump"):
        files.add(PUMPS, "new", rotate=False)
    assert files.password_file.read_text() == before
    files.add(PUMPS, "new", rotate=True)
    (line,) = files.password_file.read_text().splitlines()
    assert is_of("new", line.partition(":")[2])
    assert files.acl_file.read_text().count("user jinxiu.gw_pump") == 1


def test_rights_that_somebody_widened_by_hand_are_narrowed_again(files: MosquittoFiles) -> None:
    files.add(PUMPS, "one", rotate=False)
    with files.acl_file.open("a") as acl:
        acl.write("# for a test\ntopic readwrite #\n\nuser jinxiu.gw_pump\ntopic read tz/#\n")
    files.add(PUMPS, "two", rotate=True)
    assert "#" not in files.acl_file.read_text()
    assert files.acl_file.read_text().count("topic") == 3


def test_ensuring_changes_only_what_is_not_so(files: MosquittoFiles) -> None:
    assert files.ensure(ingest_rights(), "first")
    files.add(PUMPS, "one", rotate=False)
    before = (files.password_file.stat().st_ino, files.acl_file.stat().st_ino)
    assert not files.ensure(ingest_rights(), "first")
    assert (files.password_file.stat().st_ino, files.acl_file.stat().st_ino) == before
    assert files.ensure(ingest_rights(), "second")
    assert files.ensure(Rights("ingest", read=("tz/v1/#",)), "second")
    assert files.acl_file.read_text().count("user ingest") == 1


def test_nobody_but_the_broker_reads_them(files: MosquittoFiles, tmp_path: Path) -> None:
    """A new file belongs to the owner of its directory, whom root must not lock out; one that is there stays as it is."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 1883, 1883)
    files.add(PUMPS, "one", rotate=False)
    state = files.password_file.stat()
    assert stat.S_IMODE(state.st_mode) == 0o600
    assert state.st_uid == tmp_path.stat().st_uid
    files.acl_file.chmod(0o640)
    files.remove(PUMPS.user)
    assert stat.S_IMODE(files.acl_file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acl", "passwd"]


def test_refusals_say_where_and_what_to_do(files: MosquittoFiles, tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="passwd"):
        files.remove("jinxiu.gw_pump")
    nowhere = MosquittoFiles(tmp_path / "missing" / "passwd", tmp_path / "missing" / "acl")
    with pytest.raises(FilesUnusable, match="TAIZHANG_MQTT_PASSWORD_FILE"):
        nowhere.add(PUMPS, "one", rotate=False)
    files.password_file.write_bytes(b"\xff\xfe")
    with pytest.raises(FilesUnusable, match="passwd"):
        files.users()
    with pytest.raises(CredentialError, match="empty"):
        MosquittoFiles(tmp_path / "p", tmp_path / "a").add(PUMPS, "", rotate=False)


@pytest.mark.parametrize(
    "text", ["jinxiu", "jinxiu/", "/gw", "jinxiu/gw/1", "Jinxiu/gw", "jin xiu/gw", "a.b/gw", "+/#"]
)
def test_what_is_no_gateway_is_refused(text: str) -> None:
    with pytest.raises(CredentialError, match="SITE/GATEWAY"):
        GatewayName.parse(text)


def test_a_users_name_tells_the_gateway_and_back() -> None:
    name = GatewayName.parse("jinxiu/gw_pump")
    assert GatewayName.of_user(name.user) == name
    assert [GatewayName.of_user(user) for user in ("ingest", "simulators", "a.b.c", "")] == [None] * 4
