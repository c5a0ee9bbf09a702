"""The people and groups that fill a bench: the same for a number on every run, none kept."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from portal.simulator.people import DEPARTMENTS, DOMAIN, FAMILY, GIVEN, fold
from provisioning.scim.schemas import CUSTOM, ENTERPRISE

SITES = ("Madrid", "Barcelona", "Lisboa", "Bilbao", "Sevilla", "París", "Berlín", "Łódź")
FOUNDED = datetime(2025, 1, 1, tzinfo=UTC)  # when the first user came; the others a second apart
TEAMS = ("Proyecto", "Acceso", "Lista", "Sede", "Turno", "Rol")
_GIVEN = tuple((name, fold(name)) for name in GIVEN)
_FAMILY = tuple((name, fold(name)) for name in FAMILY)
_MIX = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: neighbours fall far apart
_ALL = 2**64 - 1


def mixed(number: int, salt: int = 0) -> int:
    """Return 64 bits that look random, the same ones for a number and a salt (splitmix64)."""
    z = (number * _MIX + salt * 0xD1B54A32D192ED03 + _MIX) & _ALL
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _ALL
    return z ^ (z >> 31)


def identifier(milliseconds: int, number: int, salt: int) -> UUID:
    """Return a UUID of version 7 (RFC 9562) for a moment, the same one every time."""
    # 12 of the bits that grow with the number keep ids of one millisecond in its order.
    value = (milliseconds << 80) | (7 << 76) | ((number & 0xFFF) << 64)
    return UUID(int=value | (0b10 << 62) | (mixed(number, salt) >> 2))


@dataclass(frozen=True, slots=True)
class Person:
    """An employee."""

    number: int
    given_name: str
    family_name: str
    user_name: str
    department: str
    site: str

    @property
    def display_name(self) -> str:
        """The full name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def external_id(self) -> str:
        """The id that the IdP gives, as Entra ID writes it."""
        return str(UUID(int=(mixed(self.number, 11) << 64) | mixed(self.number, 12), version=4))


def person(number: int) -> Person:
    """Return an employee by number."""
    bits = mixed(number, 7)
    given, given_ascii = _GIVEN[bits % len(_GIVEN)]
    family, family_ascii = _FAMILY[(bits >> 16) % len(_FAMILY)]
    return Person(
        number,
        given,
        family,
        f"{given_ascii}.{family_ascii}{number}@{DOMAIN}",
        DEPARTMENTS[(bits >> 32) % len(DEPARTMENTS)],
        SITES[(bits >> 48) % len(SITES)],
    )


def group_name(number: int) -> str:
    """Return the name of a group by number."""
    bits = mixed(number, 8)
    department = DEPARTMENTS[bits % len(DEPARTMENTS)]
    return f"{TEAMS[(bits >> 16) % len(TEAMS)]} {department} {number}"


def resource(person: Person) -> dict[str, Any]:
    """Return a person as an IdP provisions her: name, e-mail, department, two custom values."""
    return {
        "externalId": person.external_id,
        "userName": person.user_name,
        "displayName": person.display_name,
        "name": {
            "formatted": person.display_name,
            "familyName": person.family_name,
            "givenName": person.given_name,
        },
        "emails": [{"type": "work", "value": person.user_name, "primary": True}],
        "active": True,
        ENTERPRISE: {"department": person.department},
        CUSTOM: {"costCenter": str(person.number % 90), "site": person.site},
    }


def user_id(number: int) -> UUID:
    """Return the id of a made user."""
    return identifier(_ms(number), number, 41)


def group_id(number: int) -> UUID:
    """Return the id of a made group."""
    return identifier(_ms(number), number, 42)


def _ms(number: int) -> int:
    return int(FOUNDED.timestamp() * 1000) + number * 1000
