"""Start a run: build the company and the client, hold the conversation, close with the report."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from portal.simulator import report
from portal.simulator.client import ScimClient, SimulationError
from portal.simulator.conversation import Conversation
from portal.simulator.entra import Entra
from portal.simulator.okta import Okta
from portal.simulator.people import found
from portal.simulator.progress import Progress

IDPS: dict[str, type[Conversation]] = {"entra": Entra, "okta": Okta}


@dataclass(frozen=True)
class Options:
    """What the person who starts the run chooses."""

    idp: str
    url: str
    token: str
    users: int
    groups: int
    seed: str
    workers: int = 1
    json_file: Path | None = None


def run(
    options: Options,
    console: Console,
    errors: Console,
    *,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Return 0 when the server kept everything, 1 when it did not or could not be talked to.

    Why it stopped goes to `errors`, all else to `console`.
    """
    idp = IDPS[options.idp]
    client = ScimClient(
        options.url,
        options.token,
        idp.habits,
        transport=transport,
        sleep=sleep,
        connections=options.workers,
    )
    company = found(options.idp, options.seed, options.users, options.groups)
    talk = idp(client, company, options.seed, Progress(console), options.workers)
    console.print(
        f"{options.idp} → {client.base}: {options.users} users, {options.groups} groups, "
        f"seed {options.seed}",
        highlight=False,
        markup=False,
    )
    error = ""
    started = time.perf_counter()
    try:
        talk.run()
    except SimulationError as stopped:
        error = str(stopped)
    except KeyboardInterrupt:
        error = "Interrupted; the same seed takes up where this run stopped."
    finally:
        client.close()
    outcome = report.Outcome(
        idp=options.idp,
        url=client.base,
        seed=options.seed,
        users=options.users,
        groups=options.groups,
        seconds=time.perf_counter() - started,
        retries=client.retries,
        samples=client.samples,
        mismatches=talk.findings.all,
        error=error,
    )
    report.show(outcome, console, errors)
    if options.json_file:
        text = json.dumps(report.summary(outcome), ensure_ascii=False, indent=2)
        options.json_file.write_text(f"{text}\n", encoding="utf-8")
    return 0 if outcome.is_clean else 1
