"""«Trabajos»: whether the background work is alive, what waits, and what was given up."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from audit.jobs import standing
from audit.models import BEAT
from audit.operations import jobs as operations
from portal.access import can
from portal.actors import actor_of
from portal.jobs import QUEUES, Shown, scheduled


@require_safe
@can("audit.view_job")
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show the signs of life, the queues, the scheduled tasks and the dead letters."""
    known = standing.pulses()
    page = standing.failures(request.GET.get("cursor", ""))
    context = {
        "beat": known.get(BEAT),
        "attention": standing.attention(),
        "queues": [(queue, QUEUES[queue.name]) for queue in standing.queues(known)],
        "running": [Shown(job) for job in standing.running()],
        "scheduled": scheduled(known),
        "failures": [Shown(job) for job in page.rows],
        "failure_count": standing.failure_count() if page.rows else 0,
        "most": standing.MOST,
        "newer_url": f"?cursor={page.newer}#failures" if page.newer else "",
        "older_url": f"?cursor={page.older}#failures" if page.older else "",
    }
    return render(request, "portal/jobs/index.html", context)


@require_POST
@can("audit.change_job")
@never_cache
def retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Have a dead letter tried again."""
    return _done(
        request,
        lambda: operations.retry(job_id, actor=actor_of(request)),
        _("The job will be tried again in a moment."),
    )


@require_POST
@can("audit.change_job")
@never_cache
def discard(request: HttpRequest, job_id: int) -> HttpResponse:
    """Delete a dead letter."""
    return _done(
        request,
        lambda: operations.discard(job_id, actor=actor_of(request)),
        _("The job was discarded: it will not be done."),
    )


def _done(request: HttpRequest, operation: Callable[[], None], said: str) -> HttpResponse:
    try:
        operation()
    except (operations.NotFailed, operations.AlreadyAsked) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("portal:jobs")
