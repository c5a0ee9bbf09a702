"""Who among the people is updated, disabled, deleted…: drawn from the seed, never overlapping."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from portal.simulator.people import seeded


@dataclass(frozen=True)
class Roles:
    """Indexes into the company's people; every tuple but `updated` and `managed` is exclusive."""

    disabled: tuple[int, ...]
    deleted: tuple[int, ...]
    tombstone: tuple[int, ...]
    without_email: tuple[int, ...]
    blanked: tuple[int, ...]
    unmailed: tuple[int, ...]
    renamed: tuple[int, ...]
    updated: tuple[int, ...]
    managed: tuple[int, ...]

    @classmethod
    def cast(cls, seed: str, count: int) -> "Roles":
        """Give a part to as many people as there are; few people leave the later parts empty."""
        rng = seeded(f"roles:{seed}")
        order = iter(rng.sample(range(count), count))
        some = max(1, count // 50)
        return cls(
            disabled=_take(order, max(1, round(count * 0.05))),
            deleted=_take(order, max(1, round(count * 0.03))),
            tombstone=_take(order, 1),
            without_email=_take(order, max(2, some)),
            blanked=_take(order, 2),
            unmailed=_take(order, 2),
            renamed=_take(order, 1),
            updated=tuple(sorted(rng.sample(range(count), round(count * 0.3)))),
            managed=tuple(sorted(rng.sample(range(count), round(count * 0.2)))),
        )


def _take(order: Iterator[int], count: int) -> tuple[int, ...]:
    return tuple(islice(order, count))
