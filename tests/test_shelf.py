"""The kept evenings, listed and heard again in this one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from duet.inline import InlineSeat
from duet.news import Message, News, Played, Takes, Turned
from duet.note import NoteOff, NoteOn
from duet.offline import ScriptedListener
from duet.session import Session
from duet.shelf import Shelf
from duet.take_story import Answer
from duet.takes import Take, write_take
from tests.fakes import EchoPartner, RecordingOut

PLAYER = [NoteOn(1.0, 60, 80), NoteOff(1.02, 60)]
PARTNER = [NoteOn(1.03, 72, 70), NoteOff(1.05, 72)]


def kept(folder: Path) -> Path:
    path = folder / "2026-11-20 21-03-04.mid"
    write_take(path, PLAYER, PARTNER, [Answer(1, 1.0, 1.02, "neural", "piano", {"style": "jazz"}, kept=True)])
    return path


def shelf_and_news(
    act: Callable[[Shelf, Session], None], until: Callable[[News], bool]
) -> tuple[RecordingOut, list[News]]:
    """What an act on the shelf of a session brings, up to some news."""
    out, news = RecordingOut(), list[News]()

    async def main() -> None:
        done = asyncio.Event()

        def observe(item: News) -> None:
            news.append(item)
            if until(item):
                done.set()

        session = Session(ScriptedListener([]), InlineSeat(EchoPartner()), [out], observe)
        act(Shelf(session, observe), session)
        async with asyncio.timeout(20):
            await done.wait()

    asyncio.run(main())
    return out, news


def test_the_list_tells_of_each_take_what_a_person_looks_for(tmp_path: Path) -> None:
    path = kept(tmp_path)
    _, news = shelf_and_news(lambda shelf, _: shelf.tell(tmp_path), lambda item: isinstance(item, Takes))
    (told,) = news
    assert isinstance(told, Takes)
    (line,) = told.takes
    assert (line.path, line.date, line.turns) == (str(path), "2026-11-20 21:03:04", 1)
    assert (line.styles, line.kept, round(line.seconds, 2)) == (("jazz",), (1,), 0.05)


def test_a_take_is_played_with_both_players_notes_and_is_not_in_the_next_take(tmp_path: Path) -> None:
    path = kept(tmp_path)
    out, news = shelf_and_news(
        lambda shelf, _: shelf.play(path), lambda item: isinstance(item, Turned) and item.state == "IDLE"
    )
    out.finish()
    assert [event.pitch for event in out.sent if isinstance(event, NoteOn)] == [60, 72]
    assert out.sounding == set()
    now = Take(tmp_path / "now", lambda text: None)
    for item in news:
        now.observe(item)
    assert now.close() is None


def test_a_take_that_cannot_be_read_or_that_comes_in_mid_phrase_is_a_message(tmp_path: Path) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"MThd")
    said = []
    for path, in_a_phrase in ((bad, False), (tmp_path / "gone.mid", False), (kept(tmp_path), True)):

        def act(shelf: Shelf, session: Session, path: Path = path, plays: bool = in_a_phrase) -> None:
            if plays:
                session.feed(NoteOn(asyncio.get_running_loop().time(), 60, 80))
            shelf.play(path)

        out, news = shelf_and_news(act, lambda item: isinstance(item, Message))
        said += [item.text for item in news if isinstance(item, Message)]
        assert out.sent == []
        assert not [item for item in news if isinstance(item, Played) and not item.recorded]
    assert "bad.mid" in said[0]
    assert "gone" in said[1]
    assert "your turn" in said[2]
