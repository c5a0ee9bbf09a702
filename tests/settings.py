"""The settings of production; only what they write goes to a folder of this run."""

import atexit
import os
import shutil
import tempfile

if "ALTA_DATA_DIR" not in os.environ:  # xdist's processes inherit the folder of the first one
    os.environ["ALTA_DATA_DIR"] = tempfile.mkdtemp(prefix="alta-tests-")
    atexit.register(shutil.rmtree, os.environ["ALTA_DATA_DIR"], ignore_errors=True)

from config.settings import *  # noqa: F403
