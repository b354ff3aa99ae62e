"""What may stand in a line of the log."""

from collections.abc import Mapping


def clean(value: object) -> object:
    """The value, as JSON can have it."""
    if isinstance(value, Mapping):
        return {str(name): clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    return value if isinstance(value, str | int | float | None) else str(value)
