"""Every command in README and docs is understood; what can be run in a folder of its own is run there."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from duet.cli import main, parser
from duet.file_commands import DEMO_CALL
from duet.settings_file import default_path
from duet.settings_schema import understand
from tests.test_take_commands import make_take

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

NOT_RUN = {
    "": "plays until told to stop: tests/live does",
    "train": "takes minutes to hours: tests/test_train_*.py run the trainings small",
    "eval": "needs the corpus: the tests of each evaluation run it small",
    "bench": "takes minutes: CI's machine would measure itself",
    "takes play": "needs a sound card or a synth: tests/live/test_doctor_live.py has them",
    "calibrate": "needs an instrument that answers: tests/live has one",
    "takes open": "opens a program",
    "config edit": "opens an editor",
}
"""Commands of duet that are only parsed here, and why."""
OTHERS = {
    "pip": "installs: CI does on a clean machine",
    "python": "installs: CI does on a clean machine",
    "pipx": "installs",
    "uv": "installs",
    "apt": "installs",
    "sudo": "changes the system",
    "source": "the shell's own",
    "git": "fetches the source",
    "jack_connect": "needs a JACK server",
    "aconnect": "needs ALSA",
    "mkdir": "the shell's own",
    "cd": "the shell's own",
    "for": "a loop over trainings",
    "torchrun": "needs several GPUs",
    "tar": "packs what a training needs",
    "cp": "moves weights of a training",
    "split": "packs what a training needs",
    "cat": "the shell's own",
    "grep": "cuts a manifest of music that is not there",
    "ln": "links music that is not there",
    "bash": "CI itself",
}
"""Programs that are not ours, and why they are not run."""


@dataclass(frozen=True)
class Line:
    """A line of a fenced block of shell."""

    page: Path
    number: int
    words: list[str]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.number}: {shlex.join(self.words)}"

    @property
    def action(self) -> str:
        """ "demo", "takes export", ...; empty for live play."""
        options = understand(parser(), self.arguments)
        return " ".join(filter(None, (options.command, getattr(options, "action", None))))

    @property
    def arguments(self) -> list[str]:
        """What duet is given, without where the shell sends its output."""
        end = next((n for n, word in enumerate(self.words) if word in {">", ">>", "|", "&&"}), None)
        return self.words[1:end]


def lines_of(page: Path) -> list[Line]:
    found, inside, joined, start = [], False, "", 0
    for number, text in enumerate(page.read_text().splitlines(), 1):
        bare = text.strip()
        if bare.startswith("```"):
            inside = not inside and bare[3:] in {"sh", "bash", "shell", "console"}
            continue
        if inside and bare:
            start = start if joined else number
            joined += bare.removeprefix("$ ")
            if joined.endswith("\\"):
                joined = joined[:-1] + " "
                continue
            words = shlex.split(joined, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # variables for this command alone
                words.pop(0)
            found += [Line(page, start, words)] if words else []
            joined = ""
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A newcomer's machine with a call, some takes, and settings that make commands quick."""
    for name in ("XDG_CONFIG_HOME", "XDG_MUSIC_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "no-such-server")
    monkeypatch.chdir(tmp_path)
    for name in ("call.mid", "notes.mid", "answer.mid"):
        (tmp_path / name).write_bytes(DEMO_CALL.read_bytes())
    for date in ("01-01", "01-02", "01-03"):
        make_take(tmp_path / "Music" / "Duet", f"2026-{date} 20-00-00", keep=True)
    return tmp_path


def quick_settings() -> None:
    """Only these: a style that an earlier line has set is none of this partner's."""
    default_path().unlink(missing_ok=True)
    assert main(["config", "set", "voice", "sine"]) == 0
    assert main(["config", "set", "partner", "markov"]) == 0


def quick(arguments: list[str]) -> list[str]:
    """The same with the voice and the partner that need no weights: the neural ones have tests of their own."""
    small = {"--voice": "sine", "--partner": "markov"}
    pairs = zip(["", *arguments], arguments, strict=False)
    return [small.get(before, word) for before, word in pairs]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_does_what_it_says(page: Path, home: Path) -> None:
    recipes = set(re.findall(r"^(\w[\w-]*)(?: [^:=]*)?:(?!=)", (ROOT / "Justfile").read_text(), re.MULTILINE))
    for line in lines_of(page):
        program = line.words[0]
        if program == "just":
            assert line.words[1] in recipes, line
        elif program != "duet":
            assert program in OTHERS, f"{line}: not ours; say in OTHERS why it is not run"
        elif line.action in NOT_RUN:
            continue
        elif "--yes" not in line.words and line.action == "takes delete":
            assert main([*line.arguments, "--yes"]) == 0, line
        else:
            if line.arguments == ["config", "init"]:
                default_path().unlink(missing_ok=True)
            elif not line.action.startswith("config"):
                quick_settings()
            allowed = {0, 1} if line.action == "doctor" else {0}  # 1: nothing to play on here
            assert main(quick(line.arguments)) in allowed, line


def test_every_option_the_pages_name_in_passing_is_one_of_ours() -> None:
    known = set(re.findall(r"--[a-z][a-z0-9-]+", _all_help()))
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for code in re.findall(r"`(?:duet |-)[^`]*`", text):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", code):
                assert option in known, f"{page.name}: {code}"


def _all_help() -> str:
    texts = []
    waiting = [parser()]
    while waiting:
        each = waiting.pop()
        texts.append(each.format_help())
        for action in each._actions:
            if hasattr(action, "_name_parser_map"):
                waiting.extend(action._name_parser_map.values())
    return "\n".join(texts)
