"""Passwords of stores: fresh for every grade, never in arguments, the environment or a log."""

import secrets


def new_password() -> str:
    """A password that no one guesses, of letters and digits only, so that it stands in a URL as it is."""
    return secrets.token_hex(24)
