"""`audit_export`: the trail as a file, and whether such a file is whole."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from audit.exports import files, stream
from audit.exports.formats import FORMATS
from audit.operations import exports
from portal.management.commandline import OperatorCommand, Refused, operator


class Command(OperatorCommand):
    """Write an export, or check one."""

    help = (
        "Write the audit trail to a file, or check such a file: "
        "whether its bytes are those that its trailer tells of."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--format", choices=sorted(FORMATS))
        what.add_argument("--check", type=Path, metavar="FILE", help="check this file")
        parser.add_argument(
            "--query", default="", help="the filters, as the address of the page has them"
        )
        parser.add_argument(
            "--language", choices=[code for code, _name in settings.LANGUAGES], default="en"
        )
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="without it: standard output"
        )

    def handle(
        self,
        *args: Any,
        format: str | None,
        check: Path | None,
        query: str,
        language: str,
        output: Path | None,
        **options: Any,
    ) -> None:
        """Do either."""
        try:
            if check:
                self._check(check)
                return
            if output:
                with output.open("xb") as file:  # it replaces no file
                    self._write(file, format, query, language)
            else:
                self._write(sys.stdout.buffer, format, query, language)
        except OSError as error:
            raise Refused(f"{check or output}: {error.strerror}.") from error

    def _write(self, file: Any, format: str | None, query: str, language: str) -> None:
        export = exports.note_direct(
            format or "", query.lstrip("?"),
            language=language, time_zone=settings.TIME_ZONE, actor=operator(),
        )  # fmt: skip
        for part in stream.parts(export):
            file.write(part.data)
        self.stderr.write(f"{part.rows:,} events.")

    def _check(self, path: Path) -> None:
        try:
            is_whole, told = files.is_whole(path)
        except files.NotAnExport:
            raise Refused(f"{path} does not end with the trailer of an export.") from None
        if not is_whole:
            raise Refused(f"{path} was altered: its SHA-256 is not that of its trailer.")
        head = told.get("head")
        sealed = f"seal {head['seal']}" if head else "no seal"
        self.stdout.write(
            f"Whole: {told['rows']:,} events, through {told['until']}; {sealed}, "
            f"{told['unsealed']:,} events not sealed yet. SHA-256 {told['sha256']}"
        )
