"""Imported before anything else: on Windows the kit says at once what to do, instead of failing on a missing module."""

import sys

if sys.platform == "win32":
    sys.exit("octo_lab runs on Linux and macOS. On Windows use WSL (wsl --install) or Docker.")
