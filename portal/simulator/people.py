"""The simulated company: people and teams that a seed repeats and no other seed collides with."""

import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from uuid import UUID

GIVEN = (
    "María José", "Begoña", "Íñigo", "Álvaro", "Lucía", "Joaquín", "Nuria", "Andrés", "Sofía",
    "Martín", "Inés", "Óscar", "Montserrat", "Jordi", "Núria", "Iker", "Ainhoa", "Uxía", "Xoán",
    "Carmen", "Raúl", "Mónica", "Adrián", "Belén", "Luis", "Eva", "Ana", "Zoë", "François",
    "Jürgen", "Søren", "Łukasz", "Anaïs", "João", "Chloé", "Siobhán", "Zeynep", "Đorđe", "Yuki",
    "Amina", "Olumide", "Priya", "Wei", "Linh", "Mehmet", "Katarína", "Þóra", "Noé",
)  # fmt: skip
FAMILY = (
    "García", "Núñez", "Ibáñez", "Muñoz", "Peña", "Gutiérrez", "de la Fuente", "Etxeberria",
    "Puig i Cadafalch", "Fernández", "Ordóñez", "Sáenz", "López", "Martínez", "Agüero", "Castaño",
    "Vázquez", "Ferrer", "Lasheras", "Ortega", "Villar", "O'Connor", "Müller", "Østergaard",
    "Wałęsa", "Nguyễn", "Gonçalves", "Lefèvre", "Šimić", "Yılmaz", "Tanaka", "Okafor", "Sharma",
    "Björnsdóttir", "van den Berg", "Čapek", "D'Angelo", "Smith-Jones", "Đặng", "Kowalska",
)  # fmt: skip
DEPARTMENTS = (
    "Ingeniería", "Dirección", "Ventas", "Atención al cliente", "Administración", "Logística",
    "Compras", "Investigación y desarrollo", "Jurídico", "Comunicación", "Calidad", "Sistemas",
)  # fmt: skip
# Letters that carry no combining mark, so NFKD alone would lose them.
PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ß": "ss"})
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
DOMAIN = "empresa.example"


@dataclass(frozen=True)
class Person:
    """One employee, as the IdP's own directory holds her."""

    object_id: str
    user_name: str
    given_name: str
    family_name: str
    department: str

    @property
    def display_name(self) -> str:
        """Return the full name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def email(self) -> str:
        """Return the work address, which in this company is the user name."""
        return self.user_name


@dataclass(frozen=True)
class Team:
    """One group of the IdP's directory; `members` are indexes into the people."""

    object_id: str
    name: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class Company:
    """Everything a run provisions."""

    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    suffix: str


def found(idp: str, seed: str, users: int, groups: int) -> Company:
    """Return the company of this IdP and seed: the same on every run, disjoint from any other's."""
    suffix = run_suffix(idp, seed)
    people = tuple(_people(idp, seed, users, suffix))
    return Company(people, tuple(_teams(idp, seed, groups, users, suffix)), suffix)


def seeded(label: str) -> Random:
    """Return the same random numbers for the same label, in every run."""
    return Random(label)  # noqa: S311 — repeatable on purpose, nothing here is secret


def run_suffix(idp: str, seed: str) -> str:
    """Return five characters that tell this seed's names from every other's."""
    number = int.from_bytes(sha256(f"{idp}:{seed}".encode()).digest()[:8])
    return "".join(BASE36[number // 36**place % 36] for place in range(5))


def object_id(idp: str, rng: Random) -> str:
    """Return an id in the IdP's own shape: a GUID for Entra, twenty characters for Okta."""
    if idp == "okta":
        return "00u" + "".join(rng.choices(BASE36, k=17))
    return str(UUID(int=rng.getrandbits(128), version=4))


def fold(text: str) -> str:
    """Return the ASCII letters of a name, as an administrator would type its address."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(PLAIN))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha())


def _people(idp: str, seed: str, count: int, suffix: str) -> list[Person]:
    rng = seeded(f"people:{idp}:{seed}")
    seen: dict[str, int] = {}
    people = []
    for _ in range(count):
        given, family = rng.choice(GIVEN), rng.choice(FAMILY)
        local = f"{fold(given)}.{fold(family)}"
        seen[local] = seen.get(local, 0) + 1
        number = "" if seen[local] == 1 else str(seen[local])
        user_name = f"{local}{number}.{suffix}@{DOMAIN}"
        department = rng.choice(DEPARTMENTS)
        people.append(Person(object_id(idp, rng), user_name, given, family, department))
    return people


def _teams(idp: str, seed: str, count: int, users: int, suffix: str) -> list[Team]:
    rng = seeded(f"teams:{idp}:{seed}")
    teams = []
    for index in range(count):
        base = DEPARTMENTS[index % len(DEPARTMENTS)]
        lap = index // len(DEPARTMENTS)
        name = f"{base} {lap + 1} · {suffix}" if lap else f"{base} · {suffix}"
        size = min(users, rng.randint(max(1, users // 5), max(1, users // 2)))
        members = tuple(sorted(rng.sample(range(users), size)))
        teams.append(Team(object_id(idp, rng), name, members))
    return teams
