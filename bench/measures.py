"""The table of performance: what is measured, on what, and the bar and the goal for Alta."""

from dataclasses import dataclass

from bench import talks
from bench.talks import Speak

EVERYBODY = ("alta", "vanilla", "vanilla-persistent", "floor")
PROJECTS = ("alta", "vanilla", "vanilla-persistent")
# Where a connection is a small part of the cost, the kept ones are not worth their time.
BOTH = ("alta", "vanilla")
ALTA = ("alta",)


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: CPU milliseconds a request. `axis` is what it may grow with.

    `flat` is the most that the largest size may cost, as a multiple of the smallest.
    """

    key: str
    title: str
    speak: Speak
    subjects: tuple[str, ...]
    axis: str = "users"
    bar: float | None = None
    goal: float | None = None
    flat: float | None = None


MEASURES = (
    Measure("live", "GET /health/live: the server alone", talks.live, ALTA),
    Measure("discovery", "GET /ServiceProviderConfig: and the token", talks.discovery, PROJECTS),
    Measure("post", "POST /Users with its audit event", talks.create, EVERYBODY, bar=2.5, goal=1.7),
    Measure(
        "pair", "Entra's pair: probe, then POST (a request)", talks.look_and_create, EVERYBODY,
        bar=1.6, goal=1.1,
    ),
    Measure(
        "probe", "GET ?filter=userName eq", talks.look, PROJECTS, bar=1.1, goal=0.7, flat=1.2
    ),
    Measure("page-first", "page of 100, the first", talks.first_page, BOTH, goal=10, flat=2),
    Measure("page-walk", "pages of 100 in turn, mid-way", talks.walk, ALTA, goal=10, flat=2),
    Measure("page-cursor", "pages of 100 by cursor", talks.follow_cursor, ALTA, goal=10, flat=2),
    Measure("page-middle", "page of 100, a jump mid-way", talks.middle_page, BOTH, goal=10),
    Measure("page-last", "page of 100, a jump to the last", talks.last_page, BOTH, goal=10),
    Measure("user-active", "PATCH active=false, true", talks.deactivate, PROJECTS, bar=3, goal=2),
    Measure(
        "group-patch", "PATCH group: add 1, remove 1", talks.change_members, BOTH, "members",
        bar=3, goal=2, flat=1.5,
    ),
    Measure("group-get", "GET group", talks.get_group, BOTH, "members", bar=60, goal=20),
    Measure(
        "group-get-bare", "GET group without members", talks.get_bare_group, BOTH, "members",
        bar=1.5, goal=1, flat=1.5,
    ),
)  # fmt: skip
BY_KEY = {measure.key: measure for measure in MEASURES}
# These change the directory, so they run after the others of a size, and only at two sizes.
WRITES = ("user-active", "post", "pair")
# Nothing that these cost can grow: once is enough.
ONCE = ("live", "discovery")
BAR_OF_MEMORY_MIB, GOAL_OF_MEMORY_MIB = 200, 170
BAR_OF_CONNECTIONS = 1.8
# A bar for one size only: a group of 10,000.
ONLY_AT = {"group-get": 10_000}
