"""The settings of an IdP: what is recorded, and when nothing is."""

from uuid import uuid4

import pytest

from audit import journal
from audit.models import Event
from provisioning.errors import NotFound
from provisioning.models import Provider
from provisioning.operations import providers

pytestmark = pytest.mark.django_db


@pytest.fixture
def okta():
    return Provider.objects.get(kind="okta")


def test_each_change_is_one_event_and_no_change_is_none(okta, actor):
    for allow_rename in (True, True, False, False):
        providers.configure(okta.pk, allow_rename=allow_rename, actor=actor)
        assert Provider.objects.get(pk=okta.pk).allow_rename == allow_rename
    assert Provider.objects.filter(allow_rename=True).count() == 0, "the others stay as they are"
    events = list(Event.objects.filter(type="provider.updated").order_by("pk"))
    assert [event.changes for event in events] == [
        {"allow_rename": [False, True]},
        {"allow_rename": [True, False]},
    ]
    assert (events[0].target_kind, events[0].target_label) == ("provider", "Okta")
    assert (events[0].provider_kind, events[0].category) == ("okta", "setting")


def test_an_unknown_idp_is_refused(actor):
    with pytest.raises(NotFound):
        providers.configure(uuid4(), allow_rename=True, actor=actor)


def test_a_failing_event_takes_the_change_back(okta, actor, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "Event", fail)
        with pytest.raises(OSError, match="disk full"):
            providers.configure(okta.pk, allow_rename=True, actor=actor)
    assert not Provider.objects.get(pk=okta.pk).allow_rename
