# Duet's commands. `just` alone lists them; `pip install rust-just` brings just itself.

python := env("DUET_PYTHON", "python3")
bin := if os_family() == "windows" { ".venv/Scripts" } else { ".venv/bin" }

[private]
default:
    @just --list --unsorted

# make .venv and install Duet into it (again only when pyproject.toml has changed)
[group('start')]
setup:
    @test -x {{bin}}/python || {{python}} -m venv .venv
    @test .venv/.installed -nt pyproject.toml || ({{bin}}/python -m pip install --quiet --editable . && touch .venv/.installed)

# set up, then hear a built-in call answered; writes demo/ (no keyboard, sound card or network needed)
[group('start')]
demo *options: setup
    @{{bin}}/duet demo {{options}}

# play live; options as for `duet`, e.g. just play --port 0
[group('start')]
play *options: setup
    @{{bin}}/duet {{options}}

[private]
setup-dev: setup
    @test .venv/.installed-dev -nt pyproject.toml || ({{bin}}/python -m pip install --quiet --editable '.[dev]' && touch .venv/.installed-dev)

# set up and run the tests; options go to pytest, e.g. just test -k turn
[group('work')]
test *options: setup-dev
    @{{bin}}/python -m pytest {{options}}

# all that must be green before a commit
[group('work')]
check: lint types test

# ruff: errors, style, format
[group('work')]
lint: setup-dev
    @{{bin}}/ruff check
    @{{bin}}/ruff format --check

# mypy, strict
[group('work')]
types: setup-dev
    @{{bin}}/mypy

# put the code into its format
[group('work')]
format: setup-dev
    @{{bin}}/ruff check --fix
    @{{bin}}/ruff format

# measure speed: just bench voice, partner or live
[group('measure')]
bench what *options: setup-dev
    @{{bin}}/duet bench {{what}} {{options}}

# judge on held-out pieces: just eval voice --data FOLDER (brings the listener that the voice is judged by)
[group('measure')]
eval what *options: setup-dev
    @test {{what}} != voice || {{bin}}/python -c 'import basic_pitch, onnxruntime, mir_eval' 2>/dev/null || just setup-eval
    @{{bin}}/duet eval {{what}} {{options}}

# the transcriber that judges the voice; its own metadata asks for an old TensorFlow it does not need
[group('measure')]
setup-eval: setup-dev
    @{{bin}}/python -m pip install --quiet --no-deps basic-pitch
    @{{bin}}/python -m pip install --quiet --editable '.[eval]'

# the pages of docs/ as a site to read in a browser: build/site/index.html
[group('docs')]
docs: setup-dev
    @{{bin}}/python -c 'import material' 2>/dev/null || {{bin}}/python -m pip install --quiet --editable '.[docs]'
    @NO_MKDOCS_2_WARNING=1 {{bin}}/python -m mkdocs --quiet build --strict

# draw the pictures of docs/ again
[group('docs')]
pictures: setup
    @{{bin}}/duet --settings /dev/null demo --out demo
    @cp demo/duet.png docs/demo.png

# build the wheel and try it outside the tree, in a venv of its own and an empty home
[group('work')]
wheel: setup-dev
    @.ci/wheel

# train: just train partner --data FOLDER --minutes 30
[group('measure')]
train what *options: setup
    @{{bin}}/duet train {{what}} {{options}}
