"""Replaces every document of the tree by something that is none, while it may be read.

Usage: python forged_documents.py TRICK
"""

import os
import shutil
import sys
import time
from pathlib import Path


def pipe(path):
    os.mkfifo(path)


def link(path):
    path.symlink_to("/etc/passwd")


def huge(path):
    with path.open("wb") as file:
        file.truncate(2**34)


def crafted(path):
    """What slow patterns are slow on."""
    path.write_text("|" * 60_000 + "\n" + "`" * 60_000 + "\n" + "| a " * 20_000 + "\n" + "#" * 60_000 + " " * 30_000)


def folder_is_a_link(path):
    """Not the document, but the folder that it lies in."""
    if path.parent != Path() and not path.parent.is_symlink():
        shutil.rmtree(path.parent)
        path.parent.symlink_to("/etc")


def changing(path):
    """A document that is another one each time that it is opened."""
    if os.fork() == 0:
        while True:
            for content in ("", "x" * 300_000):
                half = path.with_suffix(".half")
                half.write_text(content)
                half.replace(path)
                path.unlink()
                path.symlink_to("/proc/self/environ")
                time.sleep(0.001)
                path.unlink()


if __name__ == "__main__":
    trick = globals()[sys.argv[1].replace("-", "_")]
    for document in [*Path().rglob("*.md")]:
        if trick is not folder_is_a_link:
            document.unlink()
        trick(document)
