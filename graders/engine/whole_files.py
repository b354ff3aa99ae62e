"""Files that are written whole or not at all."""

from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Write so that nobody ever sees half of it. What is no file (/dev/stdout, a pipe) is written to."""
    if file.exists() and not file.is_file():
        file.write_text(text, encoding="utf-8")
        return
    whole = file.resolve()
    half = whole.with_name(f".{whole.name}.half")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(whole)
    finally:
        half.unlink(missing_ok=True)
