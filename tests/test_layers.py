"""Imports point strictly down the floors of the design."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

FLOORS = [
    {"duet", "duet.note", "duet.errors", "duet.scale", "duet.mixture", "duet.held_keys"},
    {
        "duet.turn",
        "duet.phrase_end",
        "duet.roll",
        "duet.plan",
        "duet.request",
        "duet.piece",
        "duet.tempo",
        "duet.beat",
        "duet.entry",
    },
    {"duet.ports", "duet.midi", "duet.news", "duet.controls", "duet.route", "duet.clock"},
    set(),  # the rest of duet, and models
    {"terminal_ui"},
    {
        "duet.cli",
        "duet.option_kit",
        "duet.play_options",
        "duet.studio_options",
        "duet.studio_commands",
        "duet.model_options",
        "duet.settings_schema",
        "duet.settings_options",
        "duet.settings_commands",
        "duet.commands",
        "duet.file_commands",
        "duet.doctor_commands",
        "duet.shell_commands",
        "duet.take_commands",
        "duet.take_options",
        "duet.take_export",
        "duet.progress",
        "duet.model_commands",
        "duet.train_commands",
        "duet.music_folders",
        "duet.wiring",
        "duet.__main__",
    },
]
"""Floors 1 to 6; a module not named is on the fourth (duet, models) or the fifth (terminal_ui)."""


def floor_of(module: str) -> int:
    if module.startswith("terminal_ui"):
        return 5
    if module.startswith("models"):
        return 4
    return next((number for number, names in enumerate(FLOORS, 1) if module in names), 4)


def imports_of(path: Path, whole: bool = True) -> set[str]:
    """The modules of ours that a file imports; only those at its top level if not `whole`."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if whole else tree.body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                child = f"{node.module}.{alias.name}"
                is_module = (ROOT / (child.replace(".", "/") + ".py")).exists()
                found.add(child if is_module else node.module)
    return found


def modules() -> list[tuple[str, Path]]:
    files = [path for folder in ("duet", "models", "terminal_ui") for path in (ROOT / folder).rglob("*.py")]
    return [
        (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path)
        for path in files
    ]


def test_imports_point_strictly_down() -> None:
    wrong = []
    for module, path in modules():
        for imported in imports_of(path):
            if imported.split(".")[0] not in {"duet", "models", "terminal_ui"}:
                continue
            same_floor_of_one_folder = (
                floor_of(imported) == floor_of(module) and imported.split(".")[0] == module.split(".")[0]
            )
            if floor_of(imported) > floor_of(module) or (
                floor_of(imported) == floor_of(module) and not same_floor_of_one_folder
            ):
                wrong.append(f"{module} imports {imported}")
    assert wrong == []


def test_models_know_only_the_two_lowest_floors() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules()
        if module.startswith("models")
        for imported in imports_of(path)
        if imported.startswith("duet") and floor_of(imported) > 2
    ]
    assert wrong == []


def test_the_face_knows_neither_models_nor_devices() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules()
        if module.startswith("terminal_ui")
        for imported in imports_of(path)
        if imported.startswith("models")
        or imported in {"rtmidi", "sounddevice", "torch"}
        or (imported.startswith("duet") and floor_of(imported) > 3)
    ]
    assert wrong == []


def test_the_core_has_no_clock_thread_or_device() -> None:
    forbidden = {"time", "threading", "asyncio", "torch", "rtmidi", "sounddevice", "textual", "random"}
    for module, path in modules():
        if floor_of(module) <= 2:
            assert imports_of(path) & forbidden == set(), module


def test_importing_duet_and_its_command_line_loads_nothing_heavy() -> None:
    heavy = ["torch", "numba", "numpy", "textual", "rtmidi", "sounddevice", "mido"]
    code = f"import sys, duet, duet.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    long = [
        f"{module}: {len(path.read_text().splitlines())}"
        for module, path in modules()
        if len(path.read_text().splitlines()) > 300
    ]
    assert long == []
