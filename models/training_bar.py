"""A bar that shows how a training goes on, with the time left: on a terminal, and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def bar(shown: bool) -> Iterator[Callable[[float, str], None]]:
    """What is given: a function of the share that is done, 0..1, and of a few words to stand beside it."""
    console = Console(stderr=True)
    columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task("", total=1.0)

        def show(done: float, words: str) -> None:
            progress.update(task, completed=done, description=words)

        yield show
