"""Who acts and on whom, as the trail copies them: IdPs, tokens, administrators, users, groups."""

from dataclasses import dataclass
from functools import cached_property

from audit.actors import SYSTEM
from audit.models import PROVIDER_ALIASES
from audit.search import searchable
from bench.load import company
from bench.load.company import mixed

# Kind, name, share of the users, what its requests call themselves.
IDPS = (
    ("entra-id", "Entra ID", 60, "Azure AD SCIM Client/1.0"),
    ("okta", "Okta", 25, "Okta SCIM Client 1.0.0"),
    ("onelogin", "OneLogin", 10, "OneLogin SCIM/2.0"),
    ("google-workspace", "Google Workspace", 5, "Google-Auto-Provisioning"),
)
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari",
)
ADDRESSES = 6  # from which an IdP calls
ADMINISTRATORS = ("ana", "eva", "jordi", "nuria", "admin", "xoan")


@dataclass(frozen=True, slots=True)
class Idp:
    """An identity provider; every event holds a copy of these three."""

    id: str
    kind: str
    label: str


NO_IDP = Idp("", "", "")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, for which IdP and from where, with the words by which `search` finds it."""

    kind: str
    id: str
    label: str
    idp: Idp
    address: str | None
    agent: str
    words: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an event is about."""

    kind: str
    id: str
    label: str
    words: str
    number: int = 0


def subject(kind: str, id: str, label: str, number: int = 0) -> Subject:
    """Return a subject with its words."""
    return Subject(kind, id, label, searchable([label]), number)


def caller(
    kind: str, id: str, label: str, idp: Idp = NO_IDP, address: str | None = None, agent: str = ""
) -> Caller:
    """Return a caller with its words, as the journal makes them but for target and request."""
    aliases = PROVIDER_ALIASES.get(idp.kind, "")
    words = searchable([label, idp.label, aliases, address or ""])
    return Caller(kind, id, label, idp, address, agent, words)


class Cast:
    """Everybody: a number of users and groups, the IdPs with two tokens each, administrators."""

    def __init__(self, users: int, groups: int, born_ms: int) -> None:
        self.born_ms = born_ms
        self.idps = [
            Idp(str(self._id(n, 31)), kind, label) for n, (kind, label, *_) in enumerate(IDPS)
        ]
        self.people = [company.person(number) for number in range(users)]
        self.users = [
            subject("user", str(self._id(p.number, 32)), p.user_name, p.number) for p in self.people
        ]
        self.groups = [
            subject("group", str(self._id(n, 33)), company.group_name(n), n) for n in range(groups)
        ]
        self.tokens = [
            [
                subject("token", str(self._id(2 * n + slot, 34)), f"{idp.label} {slot + 1}")
                for slot in (0, 1)
            ]
            for n, idp in enumerate(self.idps)
        ]
        self._by_share = [n for n, (_, _, share, _) in enumerate(IDPS) for _ in range(share)]

    def _id(self, number: int, salt: int) -> object:
        return company.identifier(self.born_ms + number, number, salt)

    def idp_of(self, number: int) -> int:
        """Return which IdP provisions a user or a group: its place."""
        return self._by_share[mixed(number, 35) % 100]

    @cached_property
    def callers(self) -> list[list[Caller]]:
        """Of each IdP, its tokens at each of its addresses."""
        return [
            [
                caller(
                    "token",
                    token.id,
                    f"{idp.label} · alta_scim_…{self.hint(token)}",
                    idp,
                    f"20.{40 + n}.{mixed(at, n) % 250}.{mixed(at, n + 9) % 250}",
                    IDPS[n][3],
                )
                for token in self.tokens[n]
                for at in range(ADDRESSES)
            ]
            for n, idp in enumerate(self.idps)
        ]

    @cached_property
    def administrators(self) -> list[tuple[Caller, Subject]]:
        """Each administrator at a few browsers, and her account as a subject."""
        return [
            (
                caller(
                    "administrator", str(n + 1), name, address=f"10.1.{n}.{20 + at}",
                    agent=BROWSERS[at],
                ),
                subject("account", str(n + 1), name, n),
            )
            for n, name in enumerate(ADMINISTRATORS)
            for at in range(len(BROWSERS))
        ]  # fmt: skip

    @cached_property
    def keepers(self) -> list[tuple[Caller, list[Subject]]]:
        """The first administrator as she acts for each IdP, and its tokens."""
        return [
            (caller("administrator", "1", ADMINISTRATORS[0], idp, "10.1.0.20", BROWSERS[0]), tokens)
            for idp, tokens in zip(self.idps, self.tokens, strict=True)
        ]

    @cached_property
    def strangers(self) -> list[Caller]:
        """Who has no valid token or password."""
        return [
            caller("anonymous", "", "—", address=f"198.51.100.{n}", agent="python-requests/2.32")
            for n in range(250)
        ]

    @cached_property
    def system(self) -> Caller:
        """Alta itself."""
        return caller(SYSTEM.kind, SYSTEM.id, SYSTEM.label)

    @staticmethod
    def hint(token: Subject) -> str:
        """Return the last characters of a token's secret."""
        return f"{mixed(hash_of(token.id)):x}"[:4]


def hash_of(text: str) -> int:
    """Return the number in the last digits of an id."""
    return int(text[-12:], 16)
