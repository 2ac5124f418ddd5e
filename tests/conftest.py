"""No test reads or writes the settings of whoever runs it."""

import os
import tempfile

os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="duet-test-settings-")
