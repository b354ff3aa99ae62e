"""Makes docs/cli.md from the commands themselves: python -m tests.cli_reference > docs/cli.md."""

from collections.abc import Iterator

import click

from octo_lab import cli

HEAD = """\
# The command line

Made by `make docs` from the commands themselves; a test holds it to them.

Exit codes: **0** passed, **1** failed, **2** usage, **3** could not grade (the machine's or the kit's fault, never the
learner's loss); 130 after Ctrl-C.
"""


def reference() -> str:
    """The page: every command with its help, in the order of `octo_lab --help`."""
    return "\n".join([HEAD, *_pages(cli, "octo_lab")])


def _pages(group: click.Group, path: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        full = f"{path} {name}"
        if isinstance(command, click.Group):
            yield from _pages(command, full)
            continue
        context = click.Context(command, info_name=full, max_content_width=100, terminal_width=100)
        yield f"## {full}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    print(reference(), end="")
