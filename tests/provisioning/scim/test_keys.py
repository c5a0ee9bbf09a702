"""Keys: comparison without case, and text whose order is the order of the values."""

import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.scim.keys import fold, instant, sort_key
from provisioning.scim.schemas import Attribute

INTEGER, DECIMAL = Attribute("size", "integer"), Attribute("rate", "decimal")
MOMENT, FLAG = Attribute("since", "dateTime"), Attribute("flag", "boolean")
TEXT, EXACT = Attribute("title"), Attribute("code", case_exact=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("ANA@EXAMPLE.ORG", "ana@example.org", id="ASCII"),
        pytest.param("JOSÉ", "josé", id="composed capital"),
        pytest.param("José", "Jose\u0301", id="NFC and NFD"),
        pytest.param("ａｎａ", "ana", id="full width"),
        pytest.param("ﬁn", "fin", id="ligature"),
        pytest.param("\u212aelvin", "kelvin", id="Kelvin sign"),
    ],
)
def test_twins_have_one_key(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ı", "i"), ("İ", "i"), ("ß", "ss"), ("ẞ", "ss"), ("é", "e"), ("ς", "σ")]
)
def test_different_letters_keep_different_keys(one, other):
    assert fold(one) != fold(other)


def test_folding_any_character_twice_changes_nothing():
    for code in range(sys.maxunicode + 1):
        key = fold(chr(code))
        assert fold(key) == key, hex(code)


@given(st.text())
def test_folding_any_text_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_the_case_of_ascii_letters_never_matters(text):
    swapped = "".join(c.swapcase() if c.isascii() else c for c in text)
    assert fold(swapped) == fold(text)


def same_order(attribute, a, b):
    one, other = sort_key(attribute, a), sort_key(attribute, b)
    assert (one < other) == (a < b)
    assert (one == other) == (a == b)


SMALL_OR_LARGE = st.integers(-20, 20) | st.integers(-(2**63), 2**63 - 1)
EXACT_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)


@given(SMALL_OR_LARGE, SMALL_OR_LARGE)
def test_integer_keys_sort_as_integers(a, b):
    same_order(INTEGER, a, b)


@given(EXACT_DECIMALS, EXACT_DECIMALS)
def test_decimal_keys_sort_as_decimals(a, b):
    same_order(DECIMAL, a, b)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_float_keys_sort_as_floats(a, b):
    same_order(DECIMAL, a, b)


@given(st.integers(-99, 99), st.integers(-6, 6), st.integers(-99, 99), st.integers(-6, 6))
def test_numbers_near_each_other_sort_right(a, e, b, f):
    same_order(DECIMAL, Decimal(a).scaleb(e), Decimal(b).scaleb(f))


@pytest.mark.parametrize("zero", [0, 0.0, -0.0, Decimal("-0"), Decimal("0E+5")])
def test_every_zero_has_one_key(zero):
    assert sort_key(DECIMAL, zero) == "1"


def test_a_number_has_one_key_however_it_is_written():
    numbers = [5, 5.0, Decimal("5"), Decimal("5.000"), Decimal("0.5E1")]
    assert len({sort_key(DECIMAL, number) for number in numbers}) == 1


MOMENTS = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - Hypothesis wants naive bounds
    datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]
    ),
)


@given(MOMENTS, MOMENTS)
def test_moments_sort_in_time_whatever_their_zone(a, b):
    same_order(MOMENT, a, b)
    assert len(sort_key(MOMENT, a)) == len("2026-01-31T08:00:00.000000Z")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-31T08:00:00Z", "2026-01-31T09:00:00+01:00"),
        ("2026-01-31T08:00:00", "2026-01-31T08:00:00Z"),
        ("2026-01-31t08:00:00z", "2026-01-31T08:00:00.000Z"),
        ("2026-01-31T08:00:00.1234567Z", "2026-01-31T08:00:00.123456Z"),
        ("2026-01-31T23:30:00-01:00", "2026-02-01T00:30:00Z"),
    ],
)
def test_one_moment_is_written_in_several_ways(text, same):
    assert sort_key(MOMENT, text) == sort_key(MOMENT, same)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "20260131T080000Z",
        "2026-02-30T08:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T08:00:00+15:00",
        "2026-01-31T08:00:00Z\n",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "２０２６-01-31T08:00:00Z",
    ],
)
def test_what_is_no_moment_is_a_value_error(text):
    with pytest.raises(ValueError):
        instant(text)


def test_text_and_flags_have_plain_keys():
    assert sort_key(TEXT, "Ana") == "ana"
    assert sort_key(EXACT, "Ana") == "Ana"
    assert [sort_key(FLAG, False), sort_key(FLAG, True)] == ["false", "true"]
