"""Show how far a run is: a bar on a terminal, one plain line a phase elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Report phases to one console."""

    def __init__(self, console: Console) -> None:
        """Decide by the console whether there is anyone to watch a bar."""
        self._console = console

    @contextmanager
    def phase(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """Yield the function to call after each finished step."""
        if not self._console.is_terminal:
            self._console.print(f"{title}: {total}", highlight=False)
            yield lambda: None
            return
        columns = (
            TextColumn("{task.description:<32}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=self._console) as bars:
            task = bars.add_task(title, total=total)
            yield lambda: bars.advance(task)
