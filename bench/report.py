"""A result as JSON, as a table, as plots; and beside the one that was committed."""

import json
from pathlib import Path

from bench.running import Result


def keep(result: Result, name: str, folder: Path) -> str:
    """Write a result; return what to print."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": result.machine,
        "sizes": result.sizes,
        "facts": result.facts,
        "figures": [figure.to_dict() for figure in result.figures],
    }
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    return f"{json.dumps(result.facts)}\n"
