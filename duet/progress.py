"""What takes more than a moment shows that it goes on: a bar or a spinner, on a terminal's standard error only."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def shown(items: Iterable[T], each: float, total: float, text: str) -> Iterator[T]:
    """The items, with a bar that moves on by `each` per item until `total`."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=max(total, each))
        for item in items:
            yield item
            progress.advance(task, each)


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner beside the text while something of unknown length is done."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
