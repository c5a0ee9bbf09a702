"""Run in a process of its own, as a web server would: ask for jobs, each in a transaction."""

import sys
import time

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from audit.jobs import outbox  # noqa: E402
from portal import roles  # noqa: E402
from portal.models import Account  # noqa: E402
from portal.operations import mail  # noqa: E402
from tests.config.survival.kinds import TABLE  # noqa: E402


def prepare() -> None:
    """Make the table of effects, and an administrator to write to."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (n integer)")
    ana = Account.objects.create(username="ana", email="ana@example.com")
    ana.groups.add(roles.Group.objects.get(name=roles.ADMINISTRATOR))


def ask(rows: int, exports: int, mails: int) -> None:
    """Ask for so many jobs of each kind, mixed, over some seconds; print the longest that took."""
    longest = 0.0
    for n in range(max(rows, exports, mails)):
        begun = time.monotonic()
        with transaction.atomic():
            if n < rows:
                outbox.enqueue("survival.row", {"n": n})
            if n < exports:
                outbox.enqueue("survival.export", {"n": 10_000 + n})
            if n < mails:
                context = {"notice": {"days": n}, "token": {"provider": {"label": "Okta"}}}
                mail.enqueue(
                    "portal/mail/expiry_subject.txt", "portal/mail/expiry_subject.txt", context
                )
        longest = max(longest, time.monotonic() - begun)
        time.sleep(0.01)
    sys.stdout.write(f"{longest:.3f}\n")


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        ask(*map(int, sys.argv[2:]))
