#!/usr/bin/env python
"""Run a management command: `bin/manage` calls this file in the project's environment."""

import os
import sys

from config.env import WrongSetting

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except WrongSetting as error:
        sys.exit(f"Alta cannot start: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
