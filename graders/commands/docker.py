"""The commands over Docker Compose: up, down, logs, psql, redis. Registered by `octo_lab`."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from compose import by_compose
from graders.engine.submission import Submission
from labs.catalog import Lab

UNGRADED = 3

Choose = Callable[[Lab, Path | None, bool], Submission]


def example(text: str) -> str:
    return f"\b\nExample: {text}"


def add_to(cli: click.Group, lesson_type: click.ParamType[Lab], chosen: Choose) -> None:
    """Register the commands. `chosen`: which files are meant, as the other commands choose."""

    @cli.command("up", epilog=example("octo_lab up lesson-05"))
    @click.argument("lesson", type=lesson_type)
    @click.option(
        "--submission",
        type=click.Path(path_type=Path),
        help="Serve the files in this folder, not work/LESSON.",
    )
    @click.option("--reference", "whole_reference", is_flag=True, help="Serve the reference service.")
    def _up(lesson: Lab, submission: Path | None, whole_reference: bool) -> None:
        """Serve a lesson on Docker Compose, until `octo_lab down`."""
        from graders.engine import up  # here, since only this needs Docker

        web = up.up(lesson, chosen(lesson, submission, whole_reference), click.echo)
        click.echo(f"\nUp.   curl -i {web}/readyz")
        click.echo("      octo_lab logs · octo_lab psql · octo_lab redis · octo_lab down")

    @cli.command("down", epilog=example("octo_lab down"))
    def _down() -> None:
        """End what `octo_lab up` started, and throw its data away."""
        sys.exit(by_compose.compose("down", "--volumes").returncode and UNGRADED)

    @cli.command("logs", epilog=example("octo_lab logs --follow web"))
    @click.argument("services", nargs=-1)
    @click.option("-f", "--follow", is_flag=True, help="Go on as lines come.")
    def _logs(services: tuple[str, ...], follow: bool) -> None:
        """Show what the containers of `octo_lab up` have printed."""
        sys.exit(
            by_compose.compose("logs", *(["--follow"] if follow else []), *services).returncode and UNGRADED
        )

    @cli.command("psql", epilog=example("octo_lab psql -- -c 'SELECT count(*) FROM invoices'"))
    @click.argument("words", nargs=-1)
    @click.option("--database", default="billing", show_default=True)
    def _psql(words: tuple[str, ...], database: str) -> None:
        """Open psql, as the schema's owner, on the Postgres of `octo_lab up`."""
        url = f"postgresql://billing_owner:octo_lab@127.0.0.1/{database}"
        sys.exit(by_compose.inside("postgres", "psql", url, *words))

    @cli.command("redis", epilog=example("octo_lab redis queue -- INFO memory"))
    @click.argument("store", type=click.Choice(["cache", "queue"]), default="cache")
    @click.argument("words", nargs=-1)
    def _redis(store: str, words: tuple[str, ...]) -> None:
        """Open redis-cli on the cache or the queue of `octo_lab up`."""
        sys.exit(by_compose.inside(store, "redis-cli", "--no-auth-warning", "-a", "octo_lab", *words))
