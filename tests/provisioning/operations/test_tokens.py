"""Tokens: the limit, the five events, renewal's overlap, expiry, what is kept of a secret."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from audit import journal
from audit.models import Event
from portal.token_table import Table
from provisioning import secrets
from provisioning.errors import (
    AlreadySent,
    InvalidValue,
    NotFound,
    TokenExpired,
    TokenLimitReached,
    WrongConfirmation,
)
from provisioning.models import ExpiryNotice, Provider, Token, TokenSecret
from provisioning.operations import tokens

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider():
    return Provider.objects.get(kind="entra-id")


@pytest.fixture
def issued(provider, actor):
    return tokens.generate(provider, actor=actor)


def stored_everywhere() -> str:
    """Return all that the database keeps of tokens and events, as one text."""
    return repr([*Token.objects.values(), *TokenSecret.objects.values(), *Event.objects.values()])


def test_a_secret_has_the_registered_form():
    secret = secrets.new_secret()
    assert len(secret) == 59
    assert secret.startswith("alta_scim_")
    assert secrets.is_well_formed(secret)


@pytest.mark.parametrize("place", [10, 30, 52, 53, 58])
def test_a_mistyped_secret_is_recognised_without_a_query(place):
    secret = secrets.new_secret()
    wrong = "0" if secret[place] != "0" else "1"
    assert not secrets.is_well_formed(secret[:place] + wrong + secret[place + 1 :])


def test_generating_makes_an_active_token_and_one_event(provider, actor):
    issued = tokens.generate(provider, actor=actor, name="Producción")
    event = Event.objects.get(type="token.created")
    assert issued.token.is_active
    assert issued.token.slot == 1
    assert (event.target_label, event.provider_kind) == ("Producción", "entra-id")
    assert event.actor_label == actor.label
    assert event.details["token"] == f"alta_scim_…{issued.secret[-4:]}"


def test_the_secret_is_kept_nowhere(issued):
    assert issued.secret not in stored_everywhere()
    assert issued.secret not in repr(issued)


def test_a_third_token_is_refused_whichever_provider_asks(issued, actor):
    okta = Provider.objects.get(kind="okta")
    tokens.generate(okta, actor=actor)
    for provider in (issued.token.provider, okta):
        with pytest.raises(TokenLimitReached):
            tokens.generate(provider, actor=actor)
    assert Event.objects.filter(type="token.created").count() == 2


def test_an_inactive_token_counts_and_a_removed_one_does_not(provider, issued, actor):
    tokens.generate(provider, actor=actor)
    tokens.deactivate(issued.token.pk, actor=actor)
    with pytest.raises(TokenLimitReached):
        tokens.generate(provider, actor=actor)
    tokens.remove(issued.token.pk, actor=actor)
    assert tokens.generate(provider, actor=actor).token.slot == 1


def test_two_per_provider_when_the_scope_says_so(provider, actor, settings):
    settings.SCIM_TOKEN_LIMIT_SCOPE = "provider"
    okta = Provider.objects.get(kind="okta")
    for each in (provider, provider, okta, okta):
        tokens.generate(each, actor=actor)
    with pytest.raises(TokenLimitReached):
        tokens.generate(okta, actor=actor)


def test_a_narrower_scope_cuts_nobody_off_and_blocks_new_tokens(provider, actor, settings):
    settings.SCIM_TOKEN_LIMIT_SCOPE = "provider"
    okta = Provider.objects.get(kind="okta")
    for each in (provider, okta, provider, okta):
        tokens.generate(each, actor=actor)
    settings.SCIM_TOKEN_LIMIT_SCOPE = "installation"
    with pytest.raises(TokenLimitReached):
        tokens.generate(provider, actor=actor)
    tokens.rekey()
    assert sorted(Token.objects.usable().values_list("scope", "slot")) == [
        ("installation", slot) for slot in (1, 2, 3, 4)
    ]


def test_below_a_lowered_limit_a_freed_first_slot_is_not_given_again(provider, actor, settings):
    first = tokens.generate(provider, actor=actor)
    tokens.generate(provider, actor=actor)
    settings.SCIM_TOKEN_LIMIT = 1
    tokens.remove(first.token.pk, actor=actor)
    with pytest.raises(TokenLimitReached):
        tokens.generate(provider, actor=actor)
    assert Token.objects.usable().count() == 1


def test_a_form_sent_twice_makes_one_token(provider, actor):
    tokens.generate(provider, actor=actor, form="nonce-1")
    with pytest.raises(AlreadySent):
        tokens.generate(provider, actor=actor, form="nonce-1")
    assert Token.objects.count() == 1


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_lifetime_out_of_range_is_refused(provider, actor, days):
    with pytest.raises(InvalidValue):
        tokens.generate(provider, actor=actor, lifetime_days=days)


def test_a_refusal_speaks_the_reader_s_language(provider, actor):
    with translation.override("es"), pytest.raises(InvalidValue, match="de 1 a 3650 días"):
        tokens.generate(provider, actor=actor, lifetime_days=0)


def test_deactivating_and_activating_record_one_event_each_and_repeats_none(issued, actor):
    for change in (tokens.deactivate, tokens.deactivate, tokens.activate, tokens.activate):
        change(issued.token.pk, actor=actor)
    types = list(Event.objects.order_by("id").values_list("type", flat=True))
    assert types == ["token.created", "token.deactivated", "token.activated"]


def test_renewing_replaces_the_secret_in_the_same_row_and_keeps_the_state(issued, actor):
    tokens.deactivate(issued.token.pk, actor=actor)
    renewed = tokens.renew(issued.token.pk, actor=actor)
    assert renewed.token.pk == issued.token.pk
    assert not renewed.token.is_active
    assert renewed.secret != issued.secret
    assert TokenSecret.objects.get().hint == renewed.secret[-4:]
    assert Event.objects.first().type == "token.renewed"
    assert renewed.secret not in stored_everywhere()


def test_an_overlap_keeps_the_old_secret_until_its_end_and_no_third(issued, actor):
    tokens.renew(issued.token.pk, actor=actor, overlap_h=24)
    tokens.renew(issued.token.pk, actor=actor, overlap_h=1)
    kept = TokenSecret.objects.order_by("is_current")
    assert [secret.is_current for secret in kept] == [False, True]
    assert kept[0].ends_at - timezone.now() < timedelta(hours=1, seconds=1)
    assert Token.objects.count() == 1


def test_an_overlap_never_outlives_the_end_the_old_secret_had(provider, actor):
    issued = tokens.generate(provider, actor=actor, lifetime_days=1)
    end = issued.token.expires_at
    with time_machine.travel(end - timedelta(minutes=10)):
        tokens.renew(issued.token.pk, actor=actor, overlap_h=24)
    assert TokenSecret.objects.get(is_current=False).ends_at == end


def test_the_first_use_of_a_new_secret_is_known_at_once_and_then_once_a_minute(provider, actor):
    old = tokens.generate(provider, actor=actor)
    client = Client()

    def ask(secret):
        headers = {"Authorization": f"Bearer {secret}"}
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/scim/v2/Users", headers=headers).status_code == 200
        return [q["sql"] for q in captured.captured_queries if q["sql"].startswith("UPDATE")]

    assert len(ask(old.secret)) == 2  # the token and its secret
    new = tokens.renew(old.token.pk, actor=actor, overlap_h=24)
    assert not Table(provider).rows[0].has_switched
    first = Token.objects.get().last_used_at
    assert len(ask(new.secret)) == 2
    assert Table(provider).rows[0].has_switched
    assert Token.objects.get().last_used_at == first, "the token's own is not a minute old"
    assert ask(new.secret) == ask(old.secret) == []


def test_a_token_without_a_name_has_one_that_no_other_has(provider, actor, settings):
    settings.SCIM_TOKEN_LIMIT = 3
    names = [tokens.generate(provider, actor=actor).token.name for _ in range(3)]
    assert names == [provider.label, f"{provider.label} 2", f"{provider.label} 3"]


def test_removing_frees_the_digests_and_is_final(issued, actor):
    tokens.remove(issued.token.pk, actor=actor)
    assert not TokenSecret.objects.exists()
    for change in (tokens.activate, tokens.deactivate, tokens.renew, tokens.remove):
        with pytest.raises(NotFound):
            change(issued.token.pk, actor=actor)


def test_the_name_is_asked_only_for_the_last_active_token_in_recent_use(provider, issued, actor):
    Token.objects.update(last_used_at=timezone.now())
    with pytest.raises(WrongConfirmation):
        tokens.remove(issued.token.pk, actor=actor, confirmation="otra cosa")
    assert Token.objects.live().count() == 1
    tokens.generate(provider, actor=actor)
    tokens.remove(issued.token.pk, actor=actor)


def test_an_expired_token_is_told_once_and_must_be_renewed(provider, actor):
    issued = tokens.generate(provider, actor=actor, lifetime_days=30)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (tokens.expire(), tokens.expire()) == (1, 0)
    assert Event.objects.filter(type="token.expired").count() == 1
    tokens.deactivate(issued.token.pk, actor=actor)
    with pytest.raises(TokenExpired):
        tokens.activate(issued.token.pk, actor=actor)
    assert tokens.renew(issued.token.pk, actor=actor).token.expires_at > timezone.now()


@pytest.mark.unreconciled
@pytest.mark.parametrize(("days_left", "told"), [(40, []), (29, [30]), (13, [14]), (0.5, [1])])
def test_each_threshold_is_told_once(provider, actor, days_left, told):
    tokens.generate(provider, actor=actor)
    Token.objects.update(expires_at=timezone.now() + timedelta(days=days_left))
    tokens.notify()
    tokens.notify()
    assert list(ExpiryNotice.objects.values_list("days", flat=True)) == told


@pytest.mark.parametrize(
    ("lifetime", "told"), [(365, [30, 14, 7, 1]), (30, [14, 7, 1]), (7, [1]), (1, [])]
)
def test_a_token_is_told_of_only_when_its_end_is_nearer_than_it_was(
    provider, actor, lifetime, told
):
    end = tokens.generate(provider, actor=actor, lifetime_days=lifetime).token.expires_at
    assert tokens.notify() == 0
    for days in (30, 14, 7, 1):
        if days < lifetime:
            with time_machine.travel(end - timedelta(days=days - 0.1)):
                tokens.notify()
    assert list(ExpiryNotice.objects.order_by("-days").values_list("days", flat=True)) == told


def test_a_failing_event_takes_the_change_back(issued, actor, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(journal, "Event", fail)
    with pytest.raises(OSError, match="no space"):
        tokens.remove(issued.token.pk, actor=actor)
    assert Token.objects.live().filter(is_active=True).count() == 1
    assert TokenSecret.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused(actor):
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError, match="transaction"):
        journal.record(None, actor=actor, target=Provider.objects.first())


@pytest.mark.django_db(transaction=True)
def test_sixteen_concurrent_generates_leave_two_tokens(actor):
    provider = Provider.objects.get(kind="entra-id")
    barrier, refused = Barrier(16), []

    def ask():
        barrier.wait()
        try:
            tokens.generate(provider, actor=actor)
        except TokenLimitReached as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Token.objects.live().count() == 2
    assert len(refused) == 14
    assert Event.objects.filter(type="token.created").count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_a_second_token_in_a_slot(actor):
    provider = Provider.objects.get(kind="entra-id")
    tokens.generate(provider, actor=actor)
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        Token.objects.create(provider=provider, name="x", scope="installation", slot=1)
