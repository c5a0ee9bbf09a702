"""Every operation that records an event, arranged so that it does: one row, one line.

`test_events.py` walks the operations' modules and asks for a row of each; it then calls each row
twice, with a journal that works and with one that fails. A new operation is a new row here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from inspect import signature
from typing import Any
from uuid import UUID

from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import F
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from audit import month_functions
from audit.actors import Origin
from audit.evidence import seals
from audit.models import Job, Seal, TrailExport, Verification
from audit.operations import exports, jobs, retention, saved_views, verification
from audit.partitions import month_after
from audit.retention import Removal
from audit.types import EventType
from portal import roles
from portal.models import Account
from portal.operations import access as signing
from portal.operations import accounts
from provisioning.models import (
    Alert,
    AuthenticationFailure,
    Group,
    LoggedRequest,
    Provider,
    SchemaState,
    Token,
    User,
)
from provisioning.models.attributes import user_type
from provisioning.models.requests import first_id_of
from provisioning.operations import (
    access,
    alerts,
    attributes,
    groups,
    providers,
    requests,
    tokens,
    transfers,
    users,
)
from provisioning.scim.members import MemberStep
from tests.conftest import MAKER, make_idp, make_person

E = EventType
PASSWORD = "correcto-caballo-9"
HERE = Origin("req-1", "203.0.113.9", "Tests/1")
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """An operation, the event it ends in, and what to call it with (an actor is added)."""

    type: EventType
    operation: Callable[..., Any]
    arrange: Callable[[], Arguments]

    @property
    def id(self) -> str:
        """The operation and its event."""
        return f"{operation_name(self.operation)}: {self.type.key}"

    def arranged(self) -> Callable[[], Any]:
        """Make what the operation needs; return a call of it."""
        arguments = self.arrange()
        if "actor" in signature(self.operation).parameters:
            arguments = {"actor": MAKER} | arguments
        return lambda: self.operation(**arguments)


def operation_name(operation: Callable[..., Any]) -> str:
    """Return the full name: "provisioning.operations.tokens.renew"."""
    return f"{operation.__module__}.{operation.__qualname__}"


# What the rows are arranged with ----------------------------------------------------------------


def entra() -> Provider:
    return Provider.objects.get(key="entra-id")


def type_now() -> Any:
    version, provider = SchemaState.objects.get().version, entra()
    return user_type(version, rename=provider.allow_rename, kind=provider.kind)


def a_token(**columns: Any) -> Token:
    token = make_idp("entra-id").token
    if columns:
        Token.objects.filter(pk=token.pk).update(**columns)
    return token


def empty_month() -> Arguments:
    """A month of last year, without an event: no test can write one that is so old."""
    month = month_after(timezone.now().date().replace(day=1), -12)
    if connection.vendor == "postgresql":
        month_functions.keep(connection, 3)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE audit_event_{month:%Y_%m} PARTITION OF audit_event "
                f"FOR VALUES FROM ('{month}T00:00:00Z') TO ('{month_after(month)}T00:00:00Z')"
            )
    return {"removal": Removal(month, 0, 1, 1)}


def broken_trail() -> Arguments:
    Verification.objects.create(broken_since=timezone.now())
    return {}


def alert_that_is_over() -> Arguments:
    alert = Alert.objects.create(kind=Alert.Kind.TRAIL_BROKEN, subject="trail", label="Alta")
    Alert.objects.filter(pk=alert.pk).update(raised_at=timezone.now() - alerts.SHORTEST)
    return {}


def user_deleted_long_ago() -> Arguments:
    User.objects.filter(pk=a_deleted_user().pk).update(
        deleted_at=timezone.now() - timedelta(days=31)
    )
    return {"days": 30}


def expired_tokens() -> Arguments:
    a_token(expires_at=timezone.now() - timedelta(days=1))
    return {}


def a_view() -> Arguments:
    return {"view_id": saved_views.save("Bajas", "f=status.is.failure", actor=MAKER).pk}


def tokens_above_the_limit() -> Arguments:
    a_token(slot=F("slot") + 5)
    return {}


def past_failures() -> Arguments:
    access.note_failures(HERE, 3)
    AuthenticationFailure.objects.update(minute=timezone.now() - timedelta(minutes=5))
    return {}


def resource(**more: Any) -> dict[str, Any]:
    return {
        "userName": "luis@example.com",
        "displayName": "Luis Pérez",
        "externalId": "ext-1",
        "name": {"givenName": "Luis", "familyName": "Pérez", "formatted": "Luis Pérez Gil"},
        "emails": [
            {"value": "luis@corp.example", "type": "work", "primary": True},
            {"value": "luis@home.example", "type": "home"},
            {"value": "luis@club.example", "type": "other"},
        ],
        "active": True,
        ENTERPRISE: {"department": "Ventas"},
        **more,
    }


def new_user(**more: Any) -> Arguments:
    return {"resource": resource(**more), "provider": entra(), "type": type_now()}


def a_user(**more: Any) -> User:
    return users.create(**new_user(**more), actor=MAKER)


def a_deleted_user() -> User:
    user = a_user()
    users.delete(user.pk, provider=entra(), actor=MAKER)
    return User.objects.get(pk=user.pk)


def returning_user() -> Arguments:
    a_deleted_user()
    return new_user(displayName="Luis")


def leaving_user() -> Arguments:
    user = a_user()
    a_group(user)
    return {"user_id": user.pk, "provider": entra()}


def transferred_user() -> Arguments:
    user = a_user()
    a_group(user)
    return {"user_id": user.pk, "provider": Provider.objects.get(key="okta")}


def user_change(was_active: bool = True, **wanted: Any) -> Arguments:
    edit = users.Edit(lambda before: before | wanted, frozenset(wanted))
    user = a_user(active=was_active)
    return {"user_id": user.pk, "edit": edit, "provider": entra(), "type": type_now()}


def tombstone() -> Arguments:
    return user_change(active=False, userName=f"{'0' * 32}luis@example.com")


def back_from_the_tombstone() -> Arguments:
    buried = tombstone()
    users.change(**buried, actor=MAKER)
    wanted = {"userName": "luis@example.com", "active": True}
    return buried | {"edit": users.Edit(lambda before: before | wanted, frozenset(wanted))}


def every_attribute() -> Arguments:
    attributes.add("costCenter", "integer", actor=MAKER)
    return user_change(
        displayName="Luis",
        externalId="ext-2",
        name={"givenName": "L.", "familyName": "P.", "formatted": "L. P."},
        emails=[],
        **{ENTERPRISE: {"department": "Compras"}, CUSTOM: {"costCenter": 7}},
    )


def new_group(*members: User) -> Arguments:
    ids = tuple(str(user.pk) for user in members)
    given = {"displayName": "Ventas", "externalId": "ext-g"}
    return {"resource": given, "members": ids, "provider": entra()}


def a_group(*members: User) -> Group:
    return groups.create(**new_group(*members), actor=MAKER)


def group_change(*kinds: str, **wanted: Any) -> Arguments:
    comes, goes = a_user(userName="comes"), a_user(userName="goes")
    ids = {"add": str(comes.pk), "remove": str(goes.pk)}
    steps = tuple(MemberStep(kind, (ids[kind],)) for kind in kinds)
    delta = groups.Delta(lambda before: before | wanted, steps)
    return {"group_id": a_group(goes).pk, "delta": delta, "provider": entra()}


def an_attribute_with_a_value() -> Arguments:
    attribute = attributes.add("costCenter", "integer", actor=MAKER)
    a_user(**{CUSTOM: {"costCenter": 7}})
    return {"attribute_id": attribute.pk, "confirmation": "costCenter"}


def new_account(role: str = roles.AUDITOR) -> Arguments:
    return {"name": "eva", "role": role, "password": PASSWORD}


def an_account() -> Account:
    account = make_person("ana", roles.ADMINISTRATOR).account
    account.backend = "django.contrib.auth.backends.ModelBackend"
    return account


def a_request(account: Account | None = None) -> HttpRequest:
    request = RequestFactory().post("/administracion/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    request.origin = HERE
    if account:
        login(request, account)
    return request


def old_requests() -> Arguments:
    then = timezone.now() - timedelta(days=40)
    token = a_token()
    for n in range(3):
        LoggedRequest.objects.create(
            id=UUID(int=first_id_of(then).int + n),
            at=then,
            provider_id=token.provider_id,
            token_id=token.pk,
            status=200,
            duration_us=900,
        )
    return {}


def refused_sign_in(name: str, reason: str) -> Arguments:
    an_account()
    return {"name": name, "origin": HERE, "reason": reason}


def a_forged_seal() -> Arguments:
    forged = Seal(
        number=1, epoch=1, source="sqlite", after_id=0, upto_id=2**63 - 1, lo=0, hi=1, count=0,
        total=0, last_id=0, root=bytes(32), leaves=b"", previous=seals.NOTHING_BEFORE,
        made_at=timezone.now(), public_key=bytes(32), signature=bytes(64),
    )  # fmt: skip
    forged.save(force_insert=True)
    return {}


def an_export() -> Arguments:
    return {
        "format": "csv",
        "query": "q=luis&idp=entra-id",
        "language": "es",
        "time_zone": "Europe/Madrid",
    }


def a_finished_export() -> Arguments:
    export = TrailExport.objects.create(
        format="csv", state="done", rows=3, sha256="ab" * 32, asked_at=timezone.now()
    )
    return {"export_id": export.pk}


def a_running_job() -> Arguments:
    job = Job.objects.create(kind="tests", state=Job.State.RUNNING, attempts=5)
    return {"job": job, "error": "OSError: the mail server is away"}


def a_dead_letter() -> Arguments:
    job = Job.objects.create(
        kind="tests", state=Job.State.FAILED, attempts=5, finished_at=timezone.now()
    )
    return {"job_id": job.pk}


# The table --------------------------------------------------------------------------------------

ROWS = [
    Row(E.TOKEN_CREATED, tokens.generate, lambda: {"provider": entra(), "form": "nonce"}),
    Row(E.TOKEN_ACTIVATED, tokens.activate, lambda: {"token_id": a_token(is_active=False).pk}),
    Row(E.TOKEN_DEACTIVATED, tokens.deactivate, lambda: {"token_id": a_token().pk}),
    Row(E.TOKEN_RENEWED, tokens.renew, lambda: {"token_id": a_token().pk, "form": "nonce"}),
    Row(E.TOKEN_RENEWED, tokens.renew, lambda: {"token_id": a_token().pk, "overlap_h": 24}),
    Row(E.TOKEN_REMOVED, tokens.remove, lambda: {"token_id": a_token().pk}),
    Row(E.TOKEN_EXPIRED, tokens.expire, expired_tokens),
    Row(E.TOKENS_REKEYED, tokens.rekey, tokens_above_the_limit),
    Row(E.USER_CREATED, users.create, new_user),
    Row(E.USER_RESTORED, users.create, returning_user),
    Row(E.USER_UPDATED, users.change, every_attribute),
    Row(E.USER_ACTIVATED, users.change, lambda: user_change(was_active=False, active=True)),
    Row(E.USER_DEACTIVATED, users.change, lambda: user_change(active=False)),
    Row(E.USER_DEACTIVATED, users.change, tombstone),
    Row(E.USER_ACTIVATED, users.change, back_from_the_tombstone),
    Row(E.USER_DELETED, users.delete, leaving_user),
    Row(E.USER_RESTORED, users.restore, lambda: {"user_id": a_deleted_user().pk}),
    Row(
        E.USER_ERASED,
        users.erase,
        lambda: {"user_id": a_deleted_user().pk, "confirmation": "luis@example.com"},
    ),
    Row(E.USER_TRANSFERRED, transfers.transfer, transferred_user),
    Row(E.GROUP_CREATED, groups.create, lambda: new_group(a_user())),
    Row(E.GROUP_UPDATED, groups.change, lambda: group_change("add", displayName="Compras")),
    Row(E.GROUP_MEMBERS_CHANGED, groups.change, lambda: group_change("add", "remove")),
    Row(
        E.GROUP_DELETED,
        groups.delete,
        lambda: {"group_id": a_group(a_user()).pk, "provider": entra()},
    ),
    Row(E.VIEW_SAVED, saved_views.save, lambda: {"name": "Bajas", "query": "q=x"}),
    Row(E.VIEW_RENAMED, saved_views.rename, lambda: a_view() | {"name": "Altas"}),
    Row(E.VIEW_DELETED, saved_views.delete, a_view),
    Row(E.ATTRIBUTE_CREATED, attributes.add, lambda: {"name": "region", "type": "dateTime"}),
    Row(E.ATTRIBUTE_REMOVED, attributes.remove, an_attribute_with_a_value),
    Row(
        E.PROVIDER_UPDATED,
        providers.configure,
        lambda: {"provider_id": entra().pk, "allow_rename": True},
    ),
    Row(E.ALERT_RAISED, alerts.look, broken_trail),
    Row(E.ALERT_ENDED, alerts.look, alert_that_is_over),
    Row(E.USER_ERASED, users.erase_old, user_deleted_long_ago),
    Row(E.LOG_TRIMMED, requests.forget, old_requests),
    Row(E.TRAIL_TRIMMED, retention.remove, empty_month),
    Row(
        E.LOG_EXPORTED,
        requests.note_export,
        lambda: {"format": "csv", "asked": {"q": "luis", "idp": "entra-id"}},
    ),
    Row(E.ACCOUNT_CREATED, accounts.create, new_account),
    Row(E.ACCOUNT_CREATED, accounts.create, lambda: new_account(roles.ADMINISTRATOR)),
    Row(
        E.PASSWORD_CHANGED,
        accounts.set_password,
        lambda: {"account_id": an_account().pk, "password": PASSWORD},
    ),
    Row(E.SIGNED_IN, signing.sign_in, lambda: {"request": a_request(), "account": an_account()}),
    Row(
        E.SIGN_IN_FAILED,
        signing.note_refused_sign_in,
        lambda: refused_sign_in("ana", "credentials"),
    ),
    Row(E.SIGN_IN_FAILED, signing.note_refused_sign_in, lambda: refused_sign_in("x", "locked")),
    Row(E.SIGN_IN_FAILED, signing.note_refused_sign_in, lambda: refused_sign_in("x", "many_names")),
    Row(
        E.SIGN_IN_FAILED,
        signing.note_refused_sign_in,
        lambda: refused_sign_in("ana", "many_addresses"),
    ),
    Row(E.SIGNED_OUT, signing.sign_out, lambda: {"request": a_request(an_account())}),
    Row(E.ROLE_REFUSED, signing.note_refused_role, lambda: {"request": a_request(an_account())}),
    Row(E.AUTHENTICATION_FAILED, access.record_failures, past_failures),
    Row(E.TRAIL_BROKEN, verification.verify_some, a_forged_seal),
    Row(E.TRAIL_EXPORTED, exports.ask, an_export),
    Row(E.TRAIL_EXPORTED, exports.note_direct, an_export),
    Row(E.EXPORT_DOWNLOADED, exports.note_download, a_finished_export),
    Row(E.JOB_FAILED, jobs.bury, a_running_job),
    Row(E.JOB_RETRIED, jobs.retry, a_dead_letter),
    Row(E.JOB_DISCARDED, jobs.discard, a_dead_letter),
]

# Two operations share what records both their events.
NEVER = {
    ("provisioning.operations.tokens.activate", "TOKEN_DEACTIVATED"),
    ("provisioning.operations.tokens.deactivate", "TOKEN_ACTIVATED"),
}

# What the operations' modules offer besides: it changes nothing that the trail tells of.
UNTOLD = {
    "audit.operations.retention.due": "reads",
    "audit.operations.retention.plan": "reads",
    "audit.operations.retention.trim": "remove() tells it",
    "audit.operations.retention.trim_due": "remove() tells it, month by month",
    "audit.operations.jobs.sweep": "nobody's change: what has had its time",
    "provisioning.operations.access.note_failures": "counts what record_failures() tells",
    "provisioning.operations.attributes.carriers": "reads",
    "provisioning.operations.changes.again_after_deadlock": "wraps operations, which record",
    "provisioning.operations.changes.broke": "reads",
    "provisioning.operations.changes.differences": "reads",
    "provisioning.operations.tokens.claim": "part of the operation whose form it is",
    "provisioning.operations.tokens.free_name": "makes a text",
    "provisioning.operations.tokens.is_last_in_use": "reads",
    "provisioning.operations.tokens.note_use": "nobody's change: when a token was last used",
    "provisioning.operations.tokens.notice_days": "reads",
    "provisioning.operations.tokens.notify": "nobody's change: reminders",
    "provisioning.operations.tokens.redigest": "the same secret under the present key",
    "provisioning.operations.tokens.scope_of": "reads",
    "provisioning.operations.tokens.sweep": "nobody's change: what has had its time",
    "provisioning.operations.users.leave_groups": "part of a deletion or a transfer",
    "provisioning.operations.users.locked_groups": "part of a deletion or a transfer",
    "portal.operations.accounts.check_password": "reads",
    "portal.operations.accounts.has_administrator": "reads",
    "portal.operations.accounts.new_password": "makes a text",
    "portal.operations.expiry.sweep": "nobody's change: what has had its time",
    "portal.operations.alerts.mail_alert": "nobody's change: a mail",
    "portal.operations.mail.enqueue": "nobody's change: a mail",
    "portal.operations.mail.recipients": "reads",
    "portal.operations.mail.send": "nobody's change: a mail",
    "portal.operations.mail.send_queued": "nobody's change: a mail",
    "portal.operations.notices.mail_notice": "nobody's change: reminders",
}
