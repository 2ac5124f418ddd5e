"""What takes more than a moment shows that it goes on: a bar or a spinner, on a terminal's standard error only."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

T = TypeVar("T")


def shown(items: Iterable[T], each: float, total: float, text: str) -> Iterator[T]:
    """The items, with a bar that moves on by `each` per item until `total`."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with _progress(*bar) as progress:
        task = progress.add_task(text, total=max(total, each))
        for item in items:
            yield item
            progress.advance(task, each)


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner beside the text while something of unknown length is done; print nothing meanwhile."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.progress import SpinnerColumn, TextColumn

    with _progress(SpinnerColumn(), TextColumn("{task.description}")) as progress:
        progress.add_task(text, total=None)
        yield


def _progress(*columns: "ProgressColumn") -> "Progress":
    """On standard error, gone when done; standard output stays what it is, for a pipe may hang on it."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    )
