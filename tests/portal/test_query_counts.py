"""The number of queries of each page, for an administrator, with one row and with fifty alike.

The counts are in query_counts.json: an N+1 shows in review as a changed number.
"""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from audit.models import Event, Job, Pulse, TrailExport
from audit.operations import saved_views
from provisioning.models import ExpiryNotice, LoggedRequest, Token
from provisioning.operations import attributes, tokens, users
from tests.conftest import MAKER

PINNED = json.loads((Path(__file__).parent / "query_counts.json").read_text())
PLUMBING = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET")


@pytest.fixture(params=[1, 50])
def pages(request, settings, entra, okta, provisioned, grouped):
    """As many rows of each kind; each page by the name of its URL, and what it is asked."""
    rows, settings.SCIM_TOKEN_LIMIT = request.param, 100
    idps = [entra, okta]
    made = [tokens.generate(idps[n % 2].provider, actor=MAKER).token for n in range(rows)]
    for token in (entra.token, *made):
        tokens.renew(token.pk, actor=MAKER, overlap_h=24)
    now = timezone.now()
    Token.objects.update(last_used_at=now, last_used_ip="203.0.113.9", last_used_agent="Azure")
    ExpiryNotice.objects.bulk_create(
        ExpiryNotice(token=token, days=365, expires_at=token.expires_at)
        for token in Token.objects.all()
    )
    defined = [attributes.add(f"custom{n}", actor=MAKER) for n in range(rows)]
    values = {attribute.name: "x" for attribute in defined}
    everybody = [
        provisioned(idps[n % 2], f"u{n}@x.example", emails=[{"value": f"u{n}@x"}], custom=values)
        for n in range(rows)
    ]
    teams = [grouped(entra, f"Equipo {n}", *everybody[::2]) for n in range(rows)]
    leavers = [provisioned(entra, f"leaver{n}@x.example") for n in range(rows)]
    for user in leavers:
        users.delete(user.pk, provider=entra.provider, actor=MAKER)
    token, attribute, group = [entra.token.pk], [defined[0].pk], [teams[0].pk]
    user, leaver, provider = [everybody[0].pk], [leavers[0].pk], [entra.provider.pk]
    logged = [
        LoggedRequest.objects.create(
            at=now,
            provider_id=entra.provider.pk,
            provider_kind="entra-id",
            token_id=entra.token.pk,
            method="PATCH",
            path=f"/scim/v2/Users/{user.pk}",
            resource_type="User",
            resource_id=user.pk,
            status=200,
            duration_us=900,
            request_id="r-1",
        )
        for user in everybody
    ]
    Pulse.objects.create(name="beat")
    jobs = [
        Job.objects.create(kind=f"k{n}", state=state, started_at=now, finished_at=finished_at)
        for n in range(rows)
        for state, finished_at in (("waiting", None), ("running", None), ("failed", now))
    ]
    copies = [
        TrailExport.objects.create(format="csv", state="done", run=uuid4(), asked_at=now)
        for _ in range(rows)
    ]
    export = [copies[0].pk]
    failed = [next(job.pk for job in jobs if job.state == Job.State.FAILED)]
    views = [saved_views.save(f"Vista {n}", "", actor=MAKER) for n in range(rows)]
    event = [Event.objects.get(type="user.created", target_id=str(user[0])).pk]
    return {
        "portal:home": [],
        "portal:help": [],
        "portal:sign-in": [],
        "portal:sign-out": [],
        "portal:password-change": [],
        "portal:language": [],
        "portal:theme": [],
        "portal:tokens": [],
        "portal:tokens?idp=entra-id": [],
        "portal:token-generate?idp=entra-id": [],
        "portal:token-activate": token,
        "portal:token-deactivate": token,
        "portal:token-renew": token,
        "portal:token-remove": token,
        "portal:provider-configure": provider,
        "portal:attributes": [],
        "portal:attribute-add": [],
        "portal:attribute-remove": attribute,
        "portal:users": [],
        "portal:users?q=example&idp=entra-id&state=active": [],
        "portal:users?state=deleted": [],
        "portal:user": user,
        "portal:user-transfer": user,
        "portal:user-restore": leaver,
        "portal:user-erase": leaver,
        "portal:groups": [],
        "portal:groups?q=equipo&idp=entra-id": [],
        "portal:group": group,
        "portal:group?q=example": group,
        "portal:exports": [],
        "portal:export-ask": [],
        "portal:export-file": export,
        "portal:export-manifest": export,
        "portal:jobs": [],
        "portal:job-retry": failed,
        "portal:job-discard": failed,
        "portal:requests": [],
        "portal:requests?q=u0&idp=entra-id&method=PATCH&refused=1": [],
        "portal:request": [logged[0].pk],
        "portal:requests-news?after=00000000-0000-0000-0000-000000000000": [],
        "portal:requests-csv": [],
        "portal:requests-jsonl": [],
        "audit:events": [],
        "audit:events?q=entra&activity=user.created&idp=entra-id&period=24h": [],
        "audit:events?activity=user.transferred": [],
        "audit:events?view=grouped": [],
        "audit:events?f=status.is.success&f=by.contains.entra&sort=oldest": [],
        "audit:plot": [],
        "audit:add-filter?column=status": [],
        "audit:news?after=x": [],
        "audit:event": event,
        "portal:view-save": [],
        "portal:view-rename": [views[0].pk],
        "portal:view-delete": [views[0].pk],
        "audit:seal": [],
    }


def test_each_page_keeps_to_its_number_of_queries(admin_page, pages):
    counted = {}
    for page, arguments in pages.items():
        name, _, query = page.partition("?")
        with CaptureQueriesContext(connection) as queries:
            response = admin_page.get(f"{reverse(name, args=arguments)}?{query}")
        assert response.status_code in (200, 302, 405), page
        counted[page] = sum(not query["sql"].startswith(PLUMBING) for query in queries)
    assert counted == PINNED


def test_every_page_has_its_counts():
    named = {
        f"{part.app_name}:{page.name}"
        for part in get_resolver().url_patterns
        if getattr(part, "app_name", "") in ("portal", "audit")
        for page in part.url_patterns
    }
    assert {page.partition("?")[0] for page in PINNED} == named
