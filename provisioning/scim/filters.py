"""Filters of RFC 7644 §3.4.2.2: a text becomes a tree, every part of it checked."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NoReturn

from provisioning.scim import limits, quirks, values
from provisioning.scim.errors import ScimError, invalid_filter, shown
from provisioning.scim.evaluation import evaluate, matches
from provisioning.scim.keys import instant
from provisioning.scim.model import Attribute, AttributePath, ResourceType
from provisioning.scim.tree import (
    EQUALITY,
    OPERATORS,
    ORDER,
    And,
    Comparison,
    Filter,
    Never,
    Not,
    Or,
    Present,
    Value,
    ValuePath,
    narrowed,
)

__all__ = [
    "And",
    "Comparison",
    "Filter",
    "Never",
    "Not",
    "Or",
    "Present",
    "Value",
    "ValuePath",
    "evaluate",
    "matches",
    "narrowed",
    "parse",
    "parse_element",
]

_ALLOWED = {
    "string": OPERATORS,
    "reference": OPERATORS,
    "boolean": EQUALITY,
    "integer": EQUALITY | ORDER,
    "decimal": EQUALITY | ORDER,
    "dateTime": EQUALITY | ORDER,
}

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:([()\[\]])|("[^"\\]*(?:\\.[^"\\]*)*")|([^\s()\[\]"]+)|([^ \t\r\n]))', re.DOTALL
)
_MARK, _STRING, _WORD, _BAD = 1, 2, 3, 4
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_LITERALS = frozenset({"true", "false", "null"})


def parse(text: str, type: ResourceType) -> Filter:
    """Return the tree of a filter over a resource type. Raises ScimError invalidFilter."""
    if len(text) <= limits.CACHED_TEXT_CHARACTERS:
        return _parse_cached(text, type)
    return _Parser(text, type).whole()


@lru_cache(limits.CACHE_ENTRIES)
def _parse_cached(text: str, type_: ResourceType) -> Filter:
    return _Parser(text, type_).whole()


def parse_element(text: str, type: ResourceType, path: AttributePath) -> Filter:
    """Return the tree of the filter between the brackets of a PATCH path. Raises ScimError."""
    return _Parser(text, type, path).whole()


class _Parser:
    """Recursive descent over the tokens of one text; limits are checked before it descends."""

    def __init__(self, text: str, type_: ResourceType, parent: AttributePath | None = None) -> None:
        # Four bytes a character at most: only a text in between needs to be encoded.
        if len(text) > limits.FILTER_BYTES or (
            len(text) * 4 > limits.FILTER_BYTES
            and len(text.encode(errors="surrogatepass")) > limits.FILTER_BYTES
        ):
            raise invalid_filter(f"The filter is longer than {limits.FILTER_BYTES} bytes.")
        self.type = type_
        self.parent = parent
        self.tokens: list[tuple[int, str]] = []
        self.at = 0
        self.terms = 0
        self.depth = 0
        for match in _TOKEN.finditer(text):
            kind = match.lastindex or 0
            if kind == _BAD:  # at once: the search for the end of each quote reads the whole text
                token = match[kind]
                problem = "a quote without its end" if token == '"' else f"a stray {shown(token)}"
                raise invalid_filter(f"The filter has {problem}.")
            self.tokens.append((kind, match[kind]))

    def whole(self) -> Filter:
        if not self.tokens:
            raise invalid_filter("The filter is empty.")
        tree = self.disjunction()
        if self.at < len(self.tokens):
            self.fail("'and', 'or' or the end of the filter")
        return tree

    def disjunction(self) -> Filter:
        terms = [self.conjunction()]
        while self.keyword("or"):
            terms.append(self.conjunction())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def conjunction(self) -> Filter:
        terms = [self.term()]
        while self.keyword("and"):
            terms.append(self.term())
        if Never() in terms and not any(map(_names_one_id, terms)):
            raise _unkept("manager")
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def term(self) -> Filter:
        kind, token = self.peek()
        if kind == _MARK and token == "(":
            return self.group()
        if kind != _WORD:
            self.fail("an attribute, 'not' or '('")
        self.at += 1
        if token.lower() == "not" and self.peek() == (_MARK, "("):
            return Not(self.group())
        return self.expression(token)

    def group(self) -> Filter:
        self.enter()
        tree = self.disjunction()
        self.leave(")")
        return tree

    def expression(self, name: str) -> Filter:
        """Parse what follows an attribute's name: an operator and its value, or brackets."""
        self.terms += 1
        if self.terms > limits.FILTER_TERMS:
            raise invalid_filter(f"The filter has more than {limits.FILTER_TERMS} terms.")
        if self.peek() == (_MARK, "["):
            return self.value_path(name)
        kind, token = self.peek()
        if kind != _WORD:
            self.fail(f"an operator after {shown(name)}")
        self.at += 1
        operator = token.lower()
        if operator != "pr" and operator not in OPERATORS:
            raise invalid_filter(
                f"{shown(token)} is not an operator: use eq, ne, co, sw, ew, gt, ge, lt, le or pr."
            )
        if self.asks_for_manager(name, operator):
            return Never()
        path = self.path(name)
        return Present(path) if operator == "pr" else self.comparison(path, operator)

    def asks_for_manager(self, name: str, operator: str) -> bool:
        if self.parent is not None or not quirks.asks_for_manager(name, operator):
            return False
        return self.type.find(name) is not None and self.literal(name) is not None

    def comparison(self, path: AttributePath, operator: str) -> Filter:
        literal = self.literal(path.name)
        if literal is None:
            if operator not in EQUALITY:
                raise invalid_filter(f"null can only be compared with eq or ne, not {operator}.")
            return Not(Present(path)) if operator == "eq" else Present(path)
        if path.leaf.type == "complex":
            path = self.default(path)
        allowed = _ALLOWED[path.leaf.type]
        if operator not in allowed:
            raise invalid_filter(
                f"{path.name} is a {path.leaf.type}: it cannot be compared with {operator}."
            )
        return Comparison(path, operator, _coerce(path, literal))

    def default(self, path: AttributePath) -> AttributePath:
        """Return emails.value for emails, and so on (RFC 7643 §2.4)."""
        value = self.type.sub_path(path, "value") if path.attribute.multi_valued else None
        if value is None:
            raise invalid_filter(f"{path.name} has parts: compare one of them, or use pr.")
        return value

    def value_path(self, name: str) -> Filter:
        path = self.path(name)
        if self.parent is not None or path.leaf.type != "complex":
            raise invalid_filter(f"{path.name} has no parts to filter by in brackets.")
        self.enter()
        self.parent = path
        tree = self.disjunction()
        self.parent = None
        self.leave("]")
        kind, token = self.peek()
        if kind == _WORD and token.startswith("."):
            # Entra ID: emails[type eq "work"].value eq "x" asks both of one element.
            self.at += 1
            self.parent = path
            last = self.expression(token[1:])
            self.parent = None
            tree = And((*tree.terms, last) if isinstance(tree, And) else (tree, last))
        return ValuePath(path, tree)

    def path(self, name: str) -> AttributePath:
        """Find an attribute, or inside brackets a sub-attribute."""
        if self.parent is not None:
            path = self.type.sub_path(self.parent, name)
        else:
            path = self.type.find(name) or self.extension(name)
        if path is None:
            inside = f" of {self.parent.name}" if self.parent else ""
            raise invalid_filter(f"{shown(name)} is not an attribute{inside}.")
        if not path.kept:
            raise _unkept(path.name)
        return path

    def extension(self, name: str) -> AttributePath | None:
        """Find an extension by its URN alone: `urn:…:User pr` asks whether it holds anything."""
        extension = self.type.extension(name)
        return AttributePath(Attribute(extension.id, "complex")) if extension else None

    def literal(self, name: str) -> str | bool | int | Decimal | None:
        kind, token = self.peek()
        self.at += 1
        if kind == _STRING:
            return _string(token)
        if kind == _WORD:
            if token.lower() in _LITERALS:
                return json.loads(token.lower())  # type: ignore[no-any-return]
            if number := _NUMBER.fullmatch(token):
                return _decimal(token) if number[1] or number[2] else _whole(token)
            raise invalid_filter(
                f"{shown(token)} is not a value for {shown(name)}: texts need double quotes."
            )
        self.at -= 1
        return self.fail(f"a value for {shown(name)}")

    def peek(self) -> tuple[int, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else (0, "")

    def keyword(self, word: str) -> bool:
        kind, token = self.peek()
        found = kind == _WORD and token.lower() == word
        self.at += found
        return found

    def enter(self) -> None:
        self.at += 1
        self.depth += 1
        if self.depth > limits.FILTER_DEPTH:
            raise invalid_filter(f"The filter is nested deeper than {limits.FILTER_DEPTH} levels.")

    def leave(self, mark: str) -> None:
        if self.peek() != (_MARK, mark):
            self.fail(f"'{mark}'")
        self.at += 1
        self.depth -= 1

    def fail(self, expected: str) -> NoReturn:
        kind, token = self.peek()
        found = shown(token) if kind else "the end"
        raise invalid_filter(f"The filter has {found} where {expected} is expected.")


def _names_one_id(term: Filter) -> bool:
    return isinstance(term, Comparison) and term.path.name == "id" and term.operator == "eq"


def _unkept(name: str) -> ScimError:
    return invalid_filter(f"{name} is not kept by this service: it cannot be filtered by.")


def _string(token: str) -> str:
    try:
        text: str = json.loads(token)
        values.refuse_unstorable_text(text)
    except ValueError:
        raise invalid_filter(f"{shown(token)} is not a JSON string.") from None
    except ScimError as error:
        raise invalid_filter(error.detail) from None
    return text


def _decimal(token: str) -> Decimal:
    try:
        return Decimal(token)
    except InvalidOperation:
        raise invalid_filter(f"{shown(token)} is out of the range of a number.") from None


def _whole(token: str) -> int:
    if len(token) > 20:  # longer than any 64-bit number, and slow to read when very long
        raise invalid_filter("A whole number may have at most 64 bits.")
    return int(token)


def _coerce(path: AttributePath, literal: str | bool | int | Decimal) -> Value:
    """Return the literal as a value of the attribute's type. Raises ScimError invalidFilter."""
    name, leaf = path.name, path.leaf
    try:
        if leaf.type in ("string", "reference"):
            if isinstance(literal, str):
                return literal
            raise invalid_filter(f"{name} is a string: compare it with a text in double quotes.")
        if literal == "" and isinstance(literal, str):
            raise invalid_filter(f"{name} is a {leaf.type}: it cannot be compared with a text.")
        value = values.coerce(leaf, literal, name)
    except ScimError as error:
        raise invalid_filter(error.detail) from None
    if leaf.type == "dateTime":
        return instant(value)
    return Decimal(repr(value)) if leaf.type == "decimal" else value
