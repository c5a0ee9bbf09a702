"""Filters of one column: what each operator finds, and what is said of one that says nothing."""

import pytest
from django.utils import translation

from audit import conditions, queries
from audit.conditions import COLUMNS, Wrong, parse
from audit.queries import Filters

WRONG = [
    "", "planet.is.x", "status", "status.is", "status.is.odd", "status.contains.x", "name.in.x",
    "idp.is.x", "name.contains. ", "name.is.a\x00b", "name.is." + "a" * 201, "address.is.x",
    "address.in.x/99", "number.is.x", "number.is.-1", "number.is.²", "number.is." + "9" * 20,
    "time.since.yesterday", "time.since.0001-01-01T00:00", "time.before.9999-12-31T23:59",
]  # fmt: skip


@pytest.fixture
def trail(happened):
    """Events that differ in each column."""
    happened(label="José Pérez", type="user.created", ip_address="10.1.2.3", request_id="req-1",
             user_agent="Okta SCIM Client", actor_label="ana", details={"reason": "Ñandú azul"},
             provider_kind="okta")  # fmt: skip
    happened(label="Marta", type="user.updated", ip_address="10.1.9.9", actor_label="eva",
             changes={"displayName": ["José", "Josefa"]})  # fmt: skip
    happened(label="token", type="token.created", target_kind="token", outcome="failure",
             ip_address="2001:db8::7", provider_kind="")  # fmt: skip
    happened(label="Equipo José", type="group.updated", target_kind="group", actor_label="ana")


def found(*texts):
    some = tuple(parse(text) for text in texts)
    return {event.target_label for event in queries.matching(Filters(conditions=some))}


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["activity.is.user.created"], {"José Pérez"}),
        (["activity.is.user.created", "activity.is.user.updated"], {"José Pérez", "Marta"}),
        (["activity.not.user.created", "activity.not.user.updated"], {"token", "Equipo José"}),
        (["type.is.group"], {"Equipo José"}),
        (["type.not.user"], {"token", "Equipo José"}),
        (["category.is.user"], {"José Pérez", "Marta"}),
        (["category.not.user"], {"token", "Equipo José"}),
        (["name.contains.jose"], {"José Pérez", "Equipo José"}),
        (["name.contains.JOSÉ pérez"], {"José Pérez"}),
        (["name.contains.ose"], set()),
        (["name.begins.jos"], {"José Pérez"}),
        (["name.is.Marta"], {"Marta"}),
        (["name.is.marta"], set()),
        (["name.not.Marta"], {"José Pérez", "token", "Equipo José"}),
        (["by.is.eva"], {"Marta"}),
        (["by.contains.ana", "type.is.group"], {"Equipo José"}),
        (["status.is.failure"], {"token"}),
        (["status.not.failure"], {"José Pérez", "Marta", "Equipo José"}),
        (["details.contains.nandu"], {"José Pérez"}),
        (["details.contains.josefa"], {"Marta"}),
        (["idp.is.okta"], {"José Pérez"}),
        (["idp.empty"], {"token"}),
        (["idp.filled"], {"José Pérez", "Marta", "Equipo José"}),
        (["address.not.10.1.2.3"], {"Marta", "token", "Equipo José"}),
        (["address.empty"], {"Equipo José"}),
        (["address.filled"], {"José Pérez", "Marta", "token"}),
        (["program.contains.okta"], {"José Pérez"}),
        (["program.filled"], {"José Pérez"}),
        (["request.filled"], {"José Pérez"}),
        (["request.empty"], {"Marta", "token", "Equipo José"}),
        (["number.since.1", "name.is.Marta"], {"Marta"}),
        (["number.before.1"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_operator_finds_what_it_says(trail, texts, labels):
    assert found(*texts) == labels


@pytest.fixture
def recorded(entra):
    """An event as the journal writes it: its index of words has the address and the request."""
    from audit.models import Event

    return Event.objects.get(type="token.created")


def test_networks_and_addresses_are_told_apart(happened):
    from audit.models import Event
    from audit.search import searchable

    for address in ("10.1.2.3", "10.1.9.9", "110.1.2.3", "2001:db8::7"):
        event = happened(label=address, ip_address=address)
        Event.objects.bulk_create(
            [Event(**{f.name: getattr(event, f.name) for f in Event._meta.fields if f.name not in
                      ("id", "search")}, search=searchable([address]))]
        )  # fmt: skip
    assert found("address.in.10.0.0.0/8") == {"10.1.2.3", "10.1.9.9"}
    assert found("address.in.10.1.2.77/24") == {"10.1.2.3"}
    assert found("address.in.10.1.0.0/21") == {"10.1.2.3"}
    assert found("address.in.0.0.0.0/1") == {"10.1.2.3", "10.1.9.9", "110.1.2.3"}
    assert found("address.in.2001:db8::/32") == {"2001:db8::7"}
    assert found("address.is.2001:DB8::7") == {"2001:db8::7"}
    assert found("address.is.10.1.2.3") == {"10.1.2.3"}
    assert found("address.is.10.1.2.3", "address.is.110.1.2.3") == {"10.1.2.3", "110.1.2.3"}


@pytest.mark.parametrize("text", WRONG)
def test_a_filter_that_says_nothing_is_refused_in_words(text):
    with pytest.raises(Wrong) as refused, translation.override("es"):
        parse(text)
    assert str(refused.value)


def test_a_filter_is_written_as_it_is_read():
    for text in ("name.is.a.b", "idp.empty", "number.is.7", "time.since.2026-11-25T10:30:00+01:00"):
        assert str(parse(text)) == text
    assert str(parse("address.in.10.1.2.3/8")) == "address.in.10.0.0.0/8"
    assert str(parse("time.since.2026-11-25T10:30:00Z")) == "time.since.2026-11-25T10:30:00Z"


def test_the_strictest_of_several_bounds_holds():
    some = [parse(f"time.since.2026-11-2{day}T00:00Z") for day in (1, 3, 2)]
    since, before = conditions.bounds(some)
    assert (since.day, before) == (23, None)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_one_that_can_be_shown(column):
    from audit import columns

    assert column in columns.ORDER
    assert len(columns.ORDER) == len(COLUMNS)
