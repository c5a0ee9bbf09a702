"""«Trabajos»: what is alive, what waits, what failed; and the banner on every page."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from audit.jobs import standing
from audit.models import Event, Job, Pulse
from portal import jobs as portal_jobs

PAGE = reverse("portal:jobs")
ELSEWHERE = reverse("portal:tokens")
SILENT = "El planificador no late desde hace"


def pulse(name: str, **ago: int) -> Pulse:
    return Pulse.objects.create(name=name, at=timezone.now() - timedelta(**ago), duration_ms=12)


def dead(**columns: object) -> Job:
    known = {"kind": "mail", "state": "failed", "finished_at": timezone.now(), "attempts": 12}
    return Job.objects.create(**known | {"error": "OSError: no <mail> server"} | columns)


def test_an_installation_that_lives_says_so(admin_page, entra):
    pulse("beat", seconds=20)
    pulse("worker:default@one", seconds=20)
    pulse("task:audit.tasks.seal()", seconds=5)
    page = admin_page.get(PAGE).text
    assert "Último latido:" in page
    assert "Ningún trabajo ha fallado" in page
    assert "12 ms" in page
    assert SILENT not in page


def test_a_scheduler_that_is_silent_is_told_on_every_page_to_administrators_only(
    admin_page, auditor_page, entra
):
    pulse("beat", minutes=4)
    assert f"{SILENT} 4 minutos" in admin_page.get(PAGE).text
    assert f"{SILENT} 4 minutos" in admin_page.get(ELSEWHERE).text
    assert SILENT in auditor_page.get(PAGE).text, "the page itself says it to those who may see it"
    assert SILENT not in auditor_page.get(ELSEWHERE).text


def test_a_scheduler_that_never_was_is_missed_after_two_minutes(admin_page, entra, monkeypatch):
    assert "no ha latido nunca" not in admin_page.get(ELSEWHERE).text
    monkeypatch.setattr(standing, "STARTED", float("-inf"))
    assert "no ha latido nunca" in admin_page.get(ELSEWHERE).text


def test_queues_tell_how_much_waits_and_since_when(admin_page, monkeypatch):
    now = timezone.now()
    pulse("worker:default@one", minutes=10)
    Job.objects.create(kind="mail", due_at=now - timedelta(hours=3))
    Job.objects.create(kind="mail", due_at=now + timedelta(hours=3))
    Job.objects.create(kind="x", queue="exports", due_at=now - timedelta(hours=3))
    Job.objects.create(kind="x", queue="exports", due_at=now - timedelta(hours=1))
    default, exports = standing.queues(standing.pulses())
    assert (default.due, default.later, default.is_deserted) == (1, 1, True)
    assert (exports.due, exports.later, exports.worker_at) == (2, 0, None)
    page = admin_page.get(PAGE).text
    assert "2 trabajos en espera" in page
    assert "el más antiguo desde" in page
    assert "ningún proceso la atiende" in page
    monkeypatch.setattr(standing, "MOST", 1)
    assert "1+ trabajos en espera" in admin_page.get(PAGE).text


def test_a_failure_shows_its_error_and_can_be_retried(admin_page):
    job = dead()
    page = admin_page.get(PAGE).text
    assert "OSError: no &lt;mail&gt; server" in page
    assert "Hay trabajos que han fallado" not in page, "this page shows them"
    assert "Hay trabajos que han fallado" in admin_page.get(ELSEWHERE).text
    answer = admin_page.post(reverse("portal:job-retry", args=[job.pk]), follow=True)
    assert "se reintentará" in answer.text
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("waiting", 0)
    event = Event.objects.get(type="job.retried")
    assert (event.actor_label, event.target_id) == ("ana", str(job.pk))
    again = admin_page.post(reverse("portal:job-retry", args=[job.pk]), follow=True)
    assert "alguien ya se ha ocupado" in again.text


def test_a_failure_can_be_discarded(admin_page):
    job = dead()
    answer = admin_page.post(reverse("portal:job-discard", args=[job.pk]), follow=True)
    assert "se ha descartado" in answer.text
    assert not Job.objects.exists()
    assert Event.objects.filter(type="job.discarded").count() == 1


def test_an_auditor_sees_failures_and_no_button(auditor_page):
    job = dead()
    page = auditor_page.get(PAGE).text
    assert "OSError" in page
    assert reverse("portal:job-retry", args=[job.pk]) not in page


def test_failures_come_in_pages(admin_page, monkeypatch):
    monkeypatch.setattr(standing, "PAGE", 2)
    now = timezone.now()
    for n in range(5):
        dead(error=f"error-{n}.", finished_at=now - timedelta(minutes=n))
    first = admin_page.get(PAGE)
    assert "error-1." in first.text
    assert "error-2." not in first.text
    assert "5 fallos" in first.text
    older = admin_page.get(PAGE + first.context["older_url"].partition("#")[0])
    assert "error-2." in older.text
    assert "error-1." not in older.text


def test_a_running_job_is_shown_with_its_silent_worker(admin_page):
    now = timezone.now()
    Job.objects.create(
        kind="mail", state="running", attempts=1, started_at=now, due_at=now - timedelta(minutes=1)
    )
    assert "su proceso no da señales" in admin_page.get(PAGE).text


def test_a_task_that_failed_or_is_late_is_marked(admin_page):
    Pulse.objects.create(name="task:audit.tasks.seal()", succeeded=False, error="KeyError: 'x'")
    pulse("task:audit.tasks.run_jobs(default)", minutes=5)
    page = admin_page.get(PAGE).text
    assert "KeyError: &#x27;x&#x27;" in page
    assert page.count("Con retraso") == 1


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_each_scheduled_task_has_a_name_for_people(name):
    assert name in portal_jobs.SCHEDULED
