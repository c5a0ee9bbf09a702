"""Prints where Alta is, once it answers; the first time, the administrator's password too."""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from config import env

WAIT_S = 120
FIRST_PASSWORD = "first_password"


def wait_until_ready(address: str) -> bool:
    """Return whether the web server answered in time that it is ready."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=5):  # noqa: S310
                return True
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    return False


def text(public_url: str, account: list[str], local_url: str = "") -> str:
    """Return the banner; `account` is a name and a password, or empty.

    `local_url` is where the web server listens, which a reverse proxy has to know.
    """
    lines = [
        "",
        "  Alta is running; Ctrl-C stops it.",
        "",
        f"  Portal     {public_url}/",
        f"  SCIM URL   {public_url}/scim/v2",
    ]
    if local_url not in ("", public_url):
        lines.append(f"  Listens at {local_url}/ for the reverse proxy")
    if account:
        lines += [
            "",
            f"  Sign in    {account[0]}",
            f"  Password   {account[1]}",
            "             shown this once; the portal asks for your own at the first sign-in",
        ]
    if os.environ.get("ALTA_PUBLIC_URL_GUESSED"):
        lines += ["", "  Set PUBLIC_URL to the address that people and identity providers use."]
    return "\n".join([*lines, ""])


def main() -> None:
    """Wait, print, and forget the password: it was kept only in case a first start fails."""
    if not wait_until_ready(os.environ["ALTA_LOCAL_URL"]):
        sys.exit(f"The web server has not answered for {WAIT_S} seconds; the lines above say why.")
    kept = Path(os.environ["ALTA_DATA_DIR"], "secrets", FIRST_PASSWORD)
    account = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    public_url = env.read("PUBLIC_URL", "", str).rstrip("/")
    print(text(public_url, account, os.environ["ALTA_LOCAL_URL"]), flush=True)  # noqa: T201
    kept.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
