"""A training by two processes, as `torchrun` starts them."""

import os
import subprocess
import sys
from pathlib import Path

LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def run_by_two(folder, text):
    """Both run the script, which is given the folder; fails if one does, and prints its words."""
    script = folder / "student.py"
    script.write_text(text)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    subprocess.run([*LAUNCH, str(script), str(folder)], check=True, timeout=110, env=here)


def no_thread_is_left():
    """What a thread of a process group lets go of while Python ends makes torch abort, now and then."""
    tasks = Path("/proc/self/task")
    assert not tasks.is_dir() or len(list(tasks.iterdir())) == 1, "the company left threads behind"
