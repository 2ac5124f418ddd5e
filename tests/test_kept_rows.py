import contextlib
import logging
import os
import subprocess
import sys

from models.kept_rows import Desk, digest_of, sources_of

MODULE = "models.partner_overlap"


def square(index):
    return {"square": index**2}


def test_rows_come_in_order_by_one_process_and_by_two(tmp_path):
    wanted = [{"square": index**2} for index in range(7)]
    assert Desk().rows("squares", MODULE, square, 7) == wanted
    assert Desk(tmp_path, workers=2).rows("squares", MODULE, square, 7) == wanted


BY_TWO = """
import torch
from models.kept_rows import Desk
torch.set_num_threads(2)
large = torch.ones(1 << 20)
large.add(1)  # the library has its threads from here on
work = lambda index: {"sum": float(large.add(index).sum())}
print([row["sum"] for row in Desk(workers=2).rows("sums", "models.events", work, 3)])
"""


def test_workers_do_not_wait_for_threads_that_were_not_copied():
    here = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    made = subprocess.run(
        [sys.executable, "-c", BY_TWO], capture_output=True, text=True, check=True, timeout=60, env=here
    )
    assert made.stdout.strip() == str([float(count << 20) for count in (1, 2, 3)])


def test_what_was_stopped_goes_on_where_it_was(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    made = []

    def work(index):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(index)
        return {"made": index}

    desk = Desk(tmp_path)
    with contextlib.suppress(KeyboardInterrupt):
        desk.rows("parts", MODULE, work, 5)
    made.clear()
    assert desk.rows("parts", MODULE, work, 5) == [{"made": index} for index in range(5)]
    assert made == [3, 4]
    assert "3 of 5 are kept" in caplog.text


def test_a_line_that_was_cut_short_is_made_again(tmp_path):
    desk = Desk(tmp_path)
    desk.rows("squares", MODULE, square, 3)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:-5])
    assert desk.rows("squares", MODULE, square, 3) == [square(index) for index in range(3)]
    assert len(path.read_text().splitlines()) == 3


def test_other_weights_or_options_are_other_rows(tmp_path):
    Desk(tmp_path, weights="a").rows("squares", MODULE, square, 1)
    Desk(tmp_path, weights="b").rows("squares", MODULE, square, 1)
    Desk(tmp_path, weights="b").rows("squares", MODULE, square, 1, "seed 1")
    Desk(tmp_path, weights="b").rows("squares", "models.markov", square, 1)
    assert len(list(tmp_path.iterdir())) == 4


def test_code_is_what_a_module_imports_from_this_project_however_far_down():
    names = {path.stem for path in sources_of("models.judge_answers")}
    assert {"judge_answers", "eval_answers", "steering", "note", "partner_kernel"} <= names
    assert not {"piano_voice", "cli"} & names


def test_a_file_that_is_not_there_has_a_digest(tmp_path):
    (tmp_path / "a").write_text("a")
    assert digest_of(tmp_path / "a") != digest_of(tmp_path / "none")
