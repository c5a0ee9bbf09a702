"""`audit_verify`: prove that the trail is what was sealed."""

from argparse import ArgumentTypeError
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from audit.evidence import heads, keys, seals, verification
from audit.evidence.verification import Finding, Report
from audit.exports import files
from audit.models import Seal
from portal.management.commandline import OperatorCommand, bar

TAMPERED = 1
CANNOT_TELL = 2


class CannotTell(CommandError):
    """Why the trail can be called neither intact nor tampered with."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=CANNOT_TELL)


class Command(OperatorCommand):
    """Verify every seal and every event."""

    help = (
        "Verify the audit trail. Exit code 0: intact. 1: tampered with, and where. "
        "2: cannot tell, and why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument(
            "--since",
            type=_moment,
            metavar="DATE",
            help="verify the seals made since then (2026-01-31, or with a time), not older ones",
        )
        parser.add_argument(
            "--expect-head",
            type=Path,
            metavar="FILE",
            help="what audit_head printed, lines of the log, or an export of the trail: "
            "these seals must still be there",
        )
        parser.add_argument(
            "--no-retention",
            action="store_true",
            help="count what retention removed as deleted",
        )
        parser.add_argument(
            "--public-key",
            type=Path,
            metavar="FILE",
            help="trust these keys (PEM) only; without it, those of AUDIT_SIGNING_KEY",
        )

    def handle(
        self,
        *args: Any,
        since: datetime | None,
        expect_head: Path | None,
        public_key: Path | None,
        no_retention: bool,
        **options: Any,
    ) -> None:
        """Verify, and tell."""
        trusted = _keys(public_key) if public_key else keys.configured()
        expected = _heads(expect_head) if expect_head else []
        try:
            report = self._verify(trusted, since, not no_retention)
            verification.compare_heads(report, expected)
        except DatabaseError as error:
            raise CannotTell(f"The database refused: {' '.join(str(error).split())}") from error
        self._tell(report)
        if report.findings:
            raise CommandError("The audit trail was tampered with.", returncode=TAMPERED)
        if report.last is None:
            raise CannotTell("There is no seal to verify: bin/manage audit_seal makes the first.")
        if report.unproven:
            raise CannotTell("A removal is not sealed yet or still goes on: verify again.")

    def _verify(
        self, trusted: Collection[bytes], since: datetime | None, accepts_removals: bool
    ) -> Report:
        newest, before = seals.newest(), None
        if since:
            older = Seal.objects.defer("leaves").filter(made_at__lt=since)
            before = older.order_by("-number").first()
            if before and newest and before.number == newest.number:
                raise CannotTell(f"No seal was made since {since:%Y-%m-%d %H:%M}.")
        total = (newest.total if newest else 0) - (before.total if before else 0)
        with bar("Verifying", total) as on_events:
            return verification.verify(
                trusted=trusted,
                after=before.number if before else 0,
                accepts_removals=accepts_removals,
                on_events=on_events,
            )

    def _tell(self, report: Report) -> None:
        for finding in report.findings.values():
            self.stdout.write(_sentence(finding))
        for removal in report.removals:
            self.stdout.write(
                f"Retention: {removal.events:,} events of {removal.month:%Y-%m} were removed on "
                f"{removal.removed_at:%Y-%m-%d %H:%M:%S} UTC, says event {removal.event}."
            )
        if report.last:
            self.stdout.write(
                f"Verified {report.events:,} events in {report.seals:,} seals, "
                f"through seal {report.last.number} of "
                f"{report.last.made_at:%Y-%m-%d %H:%M:%S} UTC."
            )
        if report.unsealed and report.unsealed_since:
            waiting = (timezone.now() - report.unsealed_since).total_seconds()
            self.stdout.write(
                f"Not sealed yet: {report.unsealed:,} events, the oldest for {waiting:,.0f} s. "
                "Nothing is proven of them."
            )


def _sentence(finding: Finding) -> str:
    where = f"seal {finding.seal}" if finding.seal else "outside every seal"
    text = f"TAMPERED: {where}: {finding.kind.label}"
    if not finding.count:
        return f"{text}."
    named = ", ".join(map(str, finding.events))
    more = ", …" if finding.count > len(finding.events) else ""
    return f"{text}: {finding.count} events, ids {named}{more}."


def _keys(path: Path) -> tuple[bytes, ...]:
    try:
        return keys.from_pem(path.read_text(encoding="utf-8"))
    except keys.NotAKey:
        raise CannotTell(f"{path} holds no Ed25519 public key in PEM.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotTell(f"{path} cannot be read: {error}.") from None


def _heads(path: Path) -> list[dict[str, Any]]:
    try:
        return files.heads_in(path)
    except heads.NotAHead:
        raise CannotTell(f"{path} holds no head of the chain.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CannotTell(f"{path} cannot be read: {error}.") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"not a date such as 2026-01-31: {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
