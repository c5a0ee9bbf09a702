"""Search by words, alike on both databases: a text column of folded words and one look-up.

`Event.objects.filter(search__has_words="azure ana")` finds rows that hold, for each word asked,
a word beginning with it. PostgreSQL serves it from a GIN index, SQLite by a scan.
"""

import re
import unicodedata
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import GenericIPAddressField, Lookup, TextField
from django.db.models.sql.compiler import SQLCompiler

WORD_BREAK = re.compile(r"[\W_]+")
LONGEST_WORD = 100
ACCENTED = {"a": "áàâäãåā", "c": "çćč", "e": "éèêëēę", "i": "íìîïī", "n": "ñń", "o": "óòôöõøō",
            "s": "śš", "u": "úùûüū", "y": "ýÿ", "z": "źżž"}  # fmt: skip
ESCAPE = r"\\u"
# The expression of the index, also the left side of the search: no text parser, whose idea of a
# word (an e-mail, a host, a hyphenated number) would differ from ours.
VECTOR = "array_to_tsvector(string_to_array(btrim({column}), ' '))"


def fold(text: str) -> str:
    """Fold case, width and accents, so that «jose» finds «José»."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def searchable(texts: Iterable[str], most: int = 1500) -> str:
    """Return the distinct folded words of some texts, each preceded by a space.

    Whole names are kept beside their parts: «ana@corp.com» is found by «ana», «corp» and itself.
    """
    words: dict[str, None] = {}
    for text in texts:
        for whole in fold(text).split():
            words[whole[:LONGEST_WORD]] = None
            for part in WORD_BREAK.split(whole):
                if part:
                    words[part[:LONGEST_WORD]] = None
    found = ""
    for word in words:
        if len(found) + len(word) + 1 > most:
            break
        found += f" {word}"
    return found


def asked(text: str) -> list[str]:
    """Return the folded words that a person typed, at most ten."""
    return [word[:LONGEST_WORD] for word in fold(text.replace("\x00", " ")).split()][:10]


def begins(text: str, *, is_json: bool = False) -> list[str]:
    """Return a regular expression for each word of a text: some word begins with it.

    Both databases read them alike; accents are folded as in the index of words. `is_json`: the
    column holds JSON, where SQLite's has letters beyond ASCII written as «\\u00f1».
    """
    return [rf"(^|\W|_){_unfolded(word, is_json)}" for word in asked(text)]


def beginning(text: str) -> str:
    """Return a regular expression for what begins with a text."""
    return "^" + _unfolded(fold(text.replace("\x00", "")), is_json=False)


def _unfolded(text: str, is_json: bool) -> str:
    pattern = ""
    for letter in text:
        like = ACCENTED.get(letter, "")
        if like and is_json:
            escaped = (f"{ESCAPE}{ord(c):04x}" for c in like + like.upper())
            pattern += f"({'|'.join((letter, *like, *escaped))})"
        elif like:
            pattern += f"[{letter}{like}]"
        else:
            pattern += re.escape(letter) if letter.isascii() else letter
    return pattern


@GenericIPAddressField.register_lookup
class InNetwork(Lookup):
    """The address belongs to a network, such as 203.0.113.0/24."""

    lookup_name = "in_network"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"alta_in_network({column}, %s)", (*parameters, self.rhs)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} <<= %s::inet", (*parameters, self.rhs)


def teach_sqlite(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new connection to SQLite the function that PostgreSQL has as an operator."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("alta_in_network", 2, _in_network, deterministic=True)


def _in_network(address: str | None, network: str) -> bool:
    if address is None:
        return False
    return ip_address(address) in ip_network(network)


@TextField.register_lookup
class HasWords(Lookup):
    """Every word asked begins some word of the column."""

    lookup_name = "has_words"

    def get_prep_lookup(self) -> list[str]:
        return asked(str(self.rhs))

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        words: list[str] = self.rhs
        if not words:
            return "1 = 1", ()
        patterns = ["% " + re.sub(r"([\\%_])", r"\\\1", word) + "%" for word in words]
        sql = " AND ".join([f"{column} LIKE %s ESCAPE '\\'"] * len(words))
        return f"({sql})", tuple(v for pattern in patterns for v in (*parameters, pattern))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        words: list[str] = self.rhs
        if not words:
            return "TRUE", ()
        query = " & ".join(
            "'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words
        )
        return f"{VECTOR.format(column=column)} @@ %s::tsquery", (*parameters, query)
