#!/usr/bin/env python
"""Run a management command: `bin/manage` calls this file in the project's environment."""

import os
import sys
from typing import Any

from django.core.management import ManagementUtility

from config.env import WrongSetting

WRONG_CALL = 2


class Manage(ManagementUtility):
    """Django's, under the name that people type; a command that there is not is a wrong call."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self.prog_name = "bin/manage"

    def fetch_command(self, subcommand: str) -> Any:
        """Return a command, or end with the names of those like it."""
        try:
            return super().fetch_command(subcommand)
        except SystemExit:
            sys.exit(WRONG_CALL)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        Manage(sys.argv).execute()
    except WrongSetting as error:
        sys.exit(f"Alta cannot start: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
