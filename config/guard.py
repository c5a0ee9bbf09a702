"""`python -m config.guard MODULE …`: become one part of Alta, which ends when its parent does."""

import ctypes
import os
import signal
import sys

from config.env import WrongSetting

PR_SET_PDEATHSIG = 1
GUARDED = "ALTA_GUARDED"


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies, even by SIGKILL (Linux; else nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> None:
    """Check the settings, then replace this process by the module named."""
    parent = os.getppid()
    end_with_parent()
    if os.getppid() != parent:  # it died meanwhile
        sys.exit(1)
    try:
        import config.settings  # noqa: F401 — reading them checks them
    except WrongSetting as error:
        sys.exit(f"Alta cannot start: {error}")
    os.environ[GUARDED] = "1"
    if sys.argv[1] == "celery":
        os.nice(5)  # jobs wait for requests, at the start too
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
