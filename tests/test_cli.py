"""The command line as scripts and people call it: real processes for what a shell sees."""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mido
import pytest
import soundfile

from duet.cli import main, parser
from duet.commands import writable
from duet.file_commands import DEMO_CALL
from duet.midi import read_midi, write_midi
from duet.note import Note, events_of, notes_of

SMALL = ("--partner", "markov", "--voice", "sine")
NO_JACK = {"JACK_NO_START_SERVER": "1", "JACK_DEFAULT_SERVER": "no-such-server"}


def duet(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "duet", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=100
    )


@pytest.fixture
def call(tmp_path: Path) -> Path:
    path = tmp_path / "call.mid"
    notes = [Note(k / 2, pitch, 80, k / 2 + 0.4) for k, pitch in enumerate((60, 62, 64, 67))]
    write_midi(path, {"player": events_of(notes)})
    return path


def test_the_demo_writes_what_it_says_and_says_how_long_the_answer_took(tmp_path: Path) -> None:
    done = duet("demo", "--out", str(tmp_path / "demo"), *SMALL, **NO_JACK)
    assert done.returncode == 0, done.stderr
    names = {"call.mid", "answer.mid", "duet.mid", "duet.wav", "duet.png"}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == names
    assert all(name in done.stdout for name in names)
    assert re.search(r"the answer began \d+ ms after the last key", done.stdout)
    assert [track.name for track in mido.MidiFile(tmp_path / "demo" / "duet.mid").tracks[1:]] == [
        "player",
        "partner",
    ]
    samples, rate = soundfile.read(tmp_path / "demo" / "duet.wav")
    assert len(samples) / rate > 8
    assert 0.05 < abs(samples).max() < 1.0


def test_a_partner_is_judged_by_one_thread_which_waits_for_no_other(tmp_path: Path) -> None:
    shutil.copy(DEMO_CALL, tmp_path / "call.mid")
    judge = "import sys; from duet.cli import main; main(sys.argv[1:]); import torch; print(torch.get_num_threads())"
    command = ["eval", "partner", "--data", str(tmp_path), "--only", "notes", "--no-baselines", "--json"]
    free = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", judge, *command],
        check=False,
        cwd=tmp_path,
        env=free,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "nats_per_note" in done.stdout and done.stdout.endswith("\n1\n"), done


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(tmp_path: Path) -> None:
    answers = []
    for seed in ("5", "5", "6"):
        out = tmp_path / f"{len(answers)}.mid"
        assert main(["answer", str(DEMO_CALL), "--out", str(out), "--partner", "markov", "--seed", seed]) == 0
        answers.append(read_midi(out))
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]
    assert notes_of(answers[0])


def test_answer_and_render_write_sound(call: Path, tmp_path: Path) -> None:
    wav = tmp_path / "answer.wav"
    assert main(["answer", str(call), "--audio", str(wav), *SMALL]) == 0
    assert (tmp_path / "call-answer.mid").exists()
    assert main(["render", str(call), "--out", str(tmp_path / "call.wav"), "--voice", "sine"]) == 0
    for path in (wav, tmp_path / "call.wav"):
        samples, _ = soundfile.read(path)
        assert abs(samples).max() > 0.05


def test_commands_that_begin_at_once_may_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(writable, [folder] * 1000)) == {folder}
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["answer", "none.mid"], "none.mid: no such file"),
        (["render", "none.mid", "--out", "x.wav"], "none.mid: no such file"),
        (["answer", "{broken}"], "broken.mid: not a MIDI file"),
        (["render", "{call}", "--out", "{folder}/none/x.wav", "--voice", "sine"], "cannot be written"),
        (["render", "{call}", "--out", "{folder}/x.wav", "--voice", "kazoo"], "kazoo"),
        (["answer", "{call}", "--partner", "kazoo"], "kazoo"),
        (["answer", "{call}", "--partner", "{broken}.safetensors"], "broken.mid.safetensors"),
        (["answer", "{call}", "--partner", "markov", "--style", "polka"], "polka"),
        (["demo", "--out", "{broken}/demo", *SMALL], "nothing can be written there"),
        (["eval", "turns"], "name a folder of MIDI files with --data"),
        (["eval", "turns", "--data", "{folder}/none"], "no such folder"),
        (["eval", "turns", "--data", "{folder}/empty"], "holds no MIDI file"),
        (
            ["train", "partner", "--data", "{folder}/empty", "--out", "{folder}/w/x.safetensors"],
            "holds no MIDI file",
        ),
        (["train", "partner", "--data", "{folder}/empty", "--rehearse", "0.2"], "weights of --from"),
        (["train", "partner", "--partner", "lstm", "--data", "{folder}/empty"], "holds no MIDI file"),
        (["train", "partner", "--partner", "lstm", "--data", "{folder}", "--device", "cuda"], "on the CPU"),
        (
            ["train", "voice", "--data", "{folder}", "--core-minutes", "1", "--device", "cuda"],
            "--minutes counts",
        ),
        (
            ["train", "partner", "--partner", "lstm", "--data", "{folder}", "--compile"],
            "--compile is for the neural partner",
        ),
        (["train", "partner", "--data", "{folder}", "--config", "further"], "weights of --from"),
        (
            ["train", "voice", "--voice", "ensemble", "--data", "{folder}", "--from", "x"],
            "x: no such weights",
        ),
        (
            ["train", "voice", "--data", "{folder}", "--from", "{broken}.safetensors"],
            "broken.mid.safetensors",
        ),
        (["eval", "partner", "--benchmark", "jsb"], "name the folder of jsb_chorales.npz with --data"),
        (["eval", "partner", "--benchmark", "jsb", "--data", "{folder}"], "jsb_chorales.npz: no such file"),
        (["eval", "voice", "--benchmark", "jsb"], "--benchmark is for `duet eval partner`"),
    ],
)
def test_a_users_slip_gets_one_line_and_exit_code_1(
    arguments: list[str],
    says: str,
    call: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"not music")
    (tmp_path / "broken.mid.safetensors").write_bytes(b"not weights")
    (tmp_path / "empty").mkdir()
    filled = [text.format(broken=broken, call=call, folder=tmp_path) for text in arguments]
    assert main(filled) == 1
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    assert says in error


def test_nothing_is_compiled_where_there_is_no_compiler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CXX", "g++")
    assert main(["train", "partner", "--data", str(tmp_path), "--compile"]) == 1
    assert "install g++ or clang, or leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["sing"],
        ["--temperature", "0"],
        ["render", "a.mid"],
        ["train", "drummer", "--data", "x"],
        ["train", "partner", "--data", "x", "--rehearse", "1"],
    ],
)
def test_what_is_not_understood_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_no_midi_system_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    done = duet("--headless", "--audio", "none", "--takes", str(tmp_path), *SMALL, **NO_JACK)
    if "Traceback" not in done.stderr and "no MIDI system" not in done.stderr:
        pytest.skip("this machine has a MIDI system that is always there")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "start JACK" in done.stderr


def test_ports_lists_what_there_is_as_json_and_never_fails() -> None:
    for spelling in (["ports", "--json"], ["--list-ports", "--json"]):
        done = duet(*spelling, **NO_JACK)
        assert done.returncode == 0
        assert {"midi_in", "midi_out", "audio"} <= json.loads(done.stdout).keys()


def test_no_portaudio_library_is_said_and_midi_goes_on(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    done = duet("ports", PYTHONPATH=str(tmp_path), **NO_JACK)
    assert done.returncode == 0
    assert "libportaudio2" in done.stderr


def test_eval_turns_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(40):
        notes = [Note(k * 0.3, 60 + k, 80, k * 0.3 + 0.25) for k in range(12)]
        write_midi(tmp_path / f"{index}.mid", {"player": events_of(notes)})
    assert main(["eval", "turns", "--data", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    rows = {(row["policy"], row["parameter"]): row for row in report["policies"]}
    assert rows["fixed", 0.8]["wait_s_median"] == pytest.approx(0.8)
    assert rows["fixed", 0.8]["cut_ins_per_minute"] == 0
    assert rows["gaps", 0.36]["wait_s_median"] == pytest.approx(0.36, abs=0.01)


def test_every_command_shows_an_example_in_its_help() -> None:
    for command in ("ports", "demo", "answer", "render", "train", "eval", "bench"):
        done = duet(command, "--help")
        assert f"duet {command}" in done.stdout.split("example:")[1]
    top = parser().format_help()
    for example in re.findall(r"^  duet(.*?)(?:   .*)?$", top, re.MULTILINE):
        parser().parse_args(example.split())


def test_the_names_the_face_offers_are_those_there_are() -> None:
    from duet.wiring import PARTNERS, VOICES
    from models import partners, voices

    assert partners.NAMES == PARTNERS
    assert voices.NAMES == VOICES


def test_version_is_told() -> None:
    from duet import __version__

    assert duet("--version").stdout.strip() == f"duet {__version__}"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--voise", "sine"], "did you mean '--voice'?"),
        (["demo", "--temprature", "2"], "did you mean '--temperature'?"),
        (["takes", "exprt"], "did you mean 'export'?"),
        (["eval"], "`duet eval --help` says what there is"),
        (["takes", "export", "1", "--picture", "a.png", "a.mid"], "come before options"),
    ],
)
def test_a_slip_of_the_pen_gets_one_line_with_the_nearest_name(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    assert says in error


def test_bash_completes_commands_options_and_the_names_of_voices_and_presets(tmp_path: Path) -> None:
    script = tmp_path / "duet.bash"
    script.write_text(duet("completion", "bash").stdout)
    for words, expected in (
        ("duet tak", "takes"),
        ("duet demo --voice pia", "piano"),
        ("duet --preset trad", "trading-fours"),
        ("duet takes exp", "export"),
    ):
        place = len(words.split()) - 1
        code = f'source {script}; COMP_WORDS=({words}); COMP_CWORD={place}; _shtab_duet; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        assert expected in done.stdout.split()
