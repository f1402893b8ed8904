"""What an operator asks for: a credential for a gateway, the list of them, one taken away, and the service's own users.

`taizhang gateway ...` and `taizhang broker-users` are these functions.
"""

from credentials.address import PublicAddress
from credentials.errors import AlreadyThere, CredentialError, FilesUnusable
from credentials.handout import Spoken, handout
from credentials.mosquitto import MosquittoFiles
from credentials.rights import SIMULATORS, GatewayName, ingest_rights, simulators_rights
from credentials.secret import new_password, require_sound
from ledger import facilities
from ledger.errors import NotFound
from ledger.logins import API_LOGIN, INGEST_LOGIN, password_of
from ledger.pool import INGEST_ROLE, open_pool, transaction
from ledger.records import Facility, PointKind, SiteConfiguration
from settings import Settings


async def add(settings: Settings, gateway: str, *, rotate: bool, language: str) -> str:
    """Make the credential and return what to type into the gateway; the password is nowhere else.

    With DATABASE_URL set, a gateway the ledger does not know is refused before anything is written.
    Raises CredentialError, LedgerError.
    """
    name = GatewayName.parse(gateway)
    files = _files(settings)
    if settings.mqtt_public_url is None:
        raise CredentialError(
            "TAIZHANG_MQTT_PUBLIC_URL is not set: where gateways reach the broker, for example mqtts://mqtt.example.com:8883"
        )
    address = PublicAddress.parse(settings.mqtt_public_url)
    spoken = await _spoken(settings, name)
    password = new_password()
    try:
        files.add(name.rights(), password, rotate=rotate)
    except AlreadyThere as error:
        raise AlreadyThere(
            f"gateway {name} has a credential already; --rotate gives it a new password and ends the old one"
        ) from error
    return handout(name, password, address, spoken, language)


def listed(settings: Settings) -> list[str]:
    """The gateways with a credential, SITE/GATEWAY, in order. Raises CredentialError."""
    found = (GatewayName.of_user(user) for user in _files(settings).users())
    return sorted(str(name) for name in found if name is not None)


def remove(settings: Settings, gateway: str) -> None:
    """Raises CredentialError."""
    _files(settings).remove(GatewayName.parse(gateway).user)


def ensure_service_users(settings: Settings) -> list[str]:
    """Give ingest, and the simulators where they have a password, their users; returns those that were changed.

    Without a password the simulators' user is taken away: it may speak for every gateway, and a demo ends.
    Raises CredentialError.
    """
    files = _files(settings)
    wanted = [
        ("TAIZHANG_INGEST_MQTT_PASSWORD", settings.ingest_mqtt_password, ingest_rights()),
        ("TAIZHANG_SIMULATORS_MQTT_PASSWORD", settings.simulators_mqtt_password, simulators_rights()),
    ]
    if settings.ingest_mqtt_password is None:
        raise CredentialError("TAIZHANG_INGEST_MQTT_PASSWORD is not set; make one with: openssl rand -hex 24")
    given = [(setting, kept.get_secret_value(), rights) for setting, kept, rights in wanted if kept is not None]
    for setting, password, _ in given:
        require_sound(setting, password)
    changed = [rights.user for _, password, rights in given if files.ensure(rights, password)]
    if settings.simulators_mqtt_password is None and SIMULATORS in files.users():
        files.remove(SIMULATORS)
        changed.append(SIMULATORS)
    return changed


def login_passwords(settings: Settings) -> dict[str, str]:
    """The database logins that are given a password, by name. Raises CredentialError for a password that is not sound; who
    makes logins with passwords is asked for one of his own as well, unless he comes without any (by his socket).
    """
    wanted = {
        "TAIZHANG_INGEST_DATABASE_PASSWORD": (INGEST_LOGIN, settings.ingest_database_password),
        "TAIZHANG_API_DATABASE_PASSWORD": (API_LOGIN, settings.api_database_password),
    }
    given = {name: (login, kept.get_secret_value()) for name, (login, kept) in wanted.items() if kept is not None}
    for setting, (_, password) in given.items():
        require_sound(setting, password)
    if given and settings.database_url is not None:
        owned = password_of(settings.database_url.get_secret_value())
        if owned is not None:
            require_sound("the owner's password in DATABASE_URL (in Compose TAIZHANG_OWNER_DATABASE_PASSWORD)", owned)
    return dict(given.values())


def _files(settings: Settings) -> MosquittoFiles:
    if settings.mqtt_password_file is None or settings.mqtt_acl_file is None:
        raise FilesUnusable(
            "TAIZHANG_MQTT_PASSWORD_FILE and TAIZHANG_MQTT_ACL_FILE are not both set: the files named password_file "
            "and acl_file in the broker's configuration"
        )
    return MosquittoFiles(settings.mqtt_password_file, settings.mqtt_acl_file)


async def _spoken(settings: Settings, name: GatewayName) -> list[Spoken]:
    """What the ledger has behind the gateway; nothing where it is not asked."""
    if settings.database_url is None:
        return []
    async with (
        open_pool(settings.database_url.get_secret_value(), role=INGEST_ROLE, size_max=1) as pool,
        transaction(pool) as connection,
    ):
        configuration = await facilities.configuration_of(connection, name.site)
    gateway = next((each for each in configuration.gateways if each.key == name.gateway), None)
    if gateway is None:
        known = ", ".join(each.key for each in configuration.gateways) or "none"
        raise NotFound(f"gateway of site {name.site} (it has: {known})", name.gateway)
    behind = [each for each in configuration.facilities if each.gateway_id == gateway.id]
    return [Spoken(each.key, _example(configuration, each)) for each in behind]


def _example(configuration: SiteConfiguration, facility: Facility) -> str:
    """The key of a point, a measured one if there is any."""
    points = [each for each in configuration.points if each.facility_id == facility.id]
    measured = [each for each in points if each.kind is PointKind.MEASURE]
    return next(iter(each.key for each in [*measured, *points]), "point")
