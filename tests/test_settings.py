"""The settings file: what it may say, what comes before it, and how it is told when it is wrong."""

import json
import tomllib
from pathlib import Path

import pytest

from duet.cli import main, parser
from duet.errors import FileError, SettingError
from duet.midi import write_midi
from duet.note import Note, events_of
from duet.settings_file import built_in_presets, change_file, read_settings, save_table, template
from duet.settings_schema import schema_of, understand


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conf" / "settings.toml"


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def options(file: Path, *arguments: str) -> dict[str, object]:
    return vars(understand(parser(), ["--settings", str(file), *arguments]))


def test_arguments_come_before_a_preset_before_the_file_before_what_is_built_in(file: Path) -> None:
    written(file, "temperature = 0.5\nlength = 2\ndensity = 4\n[presets.mine]\nlength = 3\nloudness = 40\n")
    found = options(file, "--preset", "mine", "--loudness", "50")
    assert (found["loudness"], found["length"], found["density"], found["temperature"]) == (50, 3, 4, 0.5)
    assert found["voice"] == "piano"


@pytest.mark.parametrize("command", [(), ("demo",), ("answer", "call.mid")])
def test_every_way_of_playing_heeds_the_file(command: tuple[str, ...], file: Path) -> None:
    written(file, 'partner = "markov"\nout = "IAC"\n')
    found = options(file, *command)
    assert found["partner"] == "markov"
    assert found["out"] != "IAC" or not command  # there, --out is a file


def test_a_style_of_the_files_that_the_partner_lacks_is_left_out_and_said(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(file, 'style = "polka"\npartner = "markov"\n')
    call = tmp_path / "call.mid"
    write_midi(call, {"player": events_of([Note(0.0, 60, 80, 0.5)])})
    answer = ["--settings", str(file), "answer", str(call), "--out", str(tmp_path / "answer.mid")]
    assert main(answer) == 0
    assert "'markov' knows no style 'polka', which your settings ask for" in capsys.readouterr().err
    assert main([*answer, "--style", "polka"]) == 1
    assert "'markov' knows no style 'polka'; it knows" in capsys.readouterr().err


def test_an_option_counts_before_the_command_and_after_it(file: Path) -> None:
    written(file, "")
    assert options(file, "--voice", "sine", "demo")["voice"] == "sine"
    assert options(file, "--voice", "sine", "demo", "--voice", "piano")["voice"] == "piano"


def test_benchmarks_do_not_heed_the_file(file: Path) -> None:
    written(file, 'voice = "sine"\n')
    assert options(file, "bench", "live")["voice"] != "sine"


def test_a_port_may_be_written_as_a_number(file: Path) -> None:
    assert options(written(file, "port = 0\n"))["port"] == "0"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("temprature = 1", "did you mean 'temperature'?"),
        (
            "[presets.slow]\nvoise = 'sine'",
            "preset 'slow': no setting is called 'voise'; did you mean 'voice'?",
        ),
        ("temperature = 0", "temperature must be above 0, not 0"),
        ("temperature = 'hot'", "temperature must be a number, not 'hot'"),
        ("seed = 1.5", "seed must be a whole number"),
        ("headless = 'yes'", "headless must be true or false"),
        ("voice = ['sine']", "voice cannot be ['sine']"),
        ("presets = 3", "presets must be a table"),
        ("voice = piano", "not TOML"),
    ],
)
def test_what_is_wrong_in_it_is_named(
    text: str, says: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(file, text)
    assert main(["--settings", str(file), "answer", "call.mid"]) == 1
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    assert says in error
    assert str(file) in error


def test_a_huge_file_is_not_read(file: Path) -> None:
    written(file, "#" * 70_000)
    with pytest.raises(FileError, match="no settings file"):
        read_settings(file, {})


def test_the_written_file_is_all_comments_and_every_line_of_it_can_be_taken_as_it_stands(file: Path) -> None:
    schema = schema_of(parser())
    text = template(schema)
    assert tomllib.loads(text) == {}
    for setting in schema.values():
        assert f"# {setting.name} = " in text
    awake = [
        line[2:]
        for line in text.split("# [presets")[0].splitlines()
        if line.startswith("# ") and " = " in line[:20]
    ]
    assert len(awake) == len(schema)
    found = read_settings(written(file, "\n".join(awake)), schema).values
    assert "takes" not in found  # an empty text leaves a setting as it is built in


def test_config_writes_shows_sets_and_unsets(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def config(*arguments: str) -> int:
        return main(["--settings", str(file), "config", *arguments])

    assert config("init") == 0
    before = file.read_text()
    assert config("set", "temperature", "1.3") == 0
    assert config("set", "style", "chopin") == 0
    assert options(file)["temperature"] == 1.3
    assert options(file)["style"] == "chopin"
    assert len(file.read_text().splitlines()) == len(before.splitlines())  # in the places made for them
    capsys.readouterr()
    assert config("show", "--json") == 0
    assert json.loads(capsys.readouterr().out)["settings"]["temperature"] == 1.3
    assert config("unset", "temperature") == 0
    assert options(file)["temperature"] == 1.0
    assert config("init") == 1  # nothing is written over
    assert config("set", "temprature", "1") == 1
    assert config("set", "temperature") == 1


def test_a_learnt_table_is_saved_and_the_comments_stay(file: Path) -> None:
    written(file, "# mine\nvoice = 'sine'  # small\n\n[presets.x]\nlength = 2\n")
    save_table(file, "controls", {"temperature": "cc 74"})
    save_table(file, "controls", {"density": "cc 71"})
    assert "# mine" in file.read_text()
    assert "# small" in file.read_text()
    found = options(file)
    assert found["controls"] == {"density": "cc 71"}
    assert found["voice"] == "sine"


def test_a_value_set_in_a_file_of_tables_stands_above_them(file: Path) -> None:
    written(file, "[controls]\ntemperature = 'cc 74'\n")
    assert main(["--settings", str(file), "config", "set", "length", "2"]) == 0
    assert options(file)["length"] == 2
    change_file(file, lambda document: document.pop("length"))
    assert options(file)["length"] == 1


def test_every_built_in_preset_is_sound_and_says_what_it_is_for(file: Path) -> None:
    written(file, "")
    presets = built_in_presets(schema_of(parser()))
    assert "trading-fours" in presets
    for name, values in presets.items():
        assert values["about"]
        options(file, "--preset", name)


def test_a_preset_that_is_not_there_gets_the_nearest_that_is(file: Path) -> None:
    written(file, "")
    with pytest.raises(SettingError, match="did you mean 'trading-fours'"):
        options(file, "--preset", "trading-four")


def test_a_settings_file_that_was_named_must_be_there(file: Path) -> None:
    with pytest.raises(SettingError, match="no such settings file"):
        options(file)
