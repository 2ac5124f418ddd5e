"""`python -m terminal_ui`: the face as a process of its own, started by the engine with a terminal.

Two environment variables say where the engine listens: DUET_FACE_ADDRESS, and DUET_FACE_KEY in hex.
"""

import os
import sys

from duet.errors import DuetError
from terminal_ui.app import DuetApp
from terminal_ui.link import connect


def main() -> int:
    """Run until the engine hangs up or the player leaves; 0 unless there is no engine or no terminal."""
    address, key = os.environ.pop("DUET_FACE_ADDRESS", ""), os.environ.pop("DUET_FACE_KEY", "")
    if not address:
        print("the face is started by `duet`, which tells it where to connect", file=sys.stderr)  # noqa: T201
        return 2
    try:
        link = connect(address, key)
    except DuetError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    app = DuetApp(link)
    app.run()
    link.close()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
