"""Other spellings of a path: what proxies, routers and guards read differently from each other."""

from collections.abc import Iterator

FINANCE, USERS = "/v1/admin/invoices", "/v1/users"


def spellings(path: str) -> Iterator[str]:
    """Spellings that some layer could take for the path, or for one that is public."""
    head, _, last = path.rpartition("/")
    yield from (
        f"{path}/",
        f"/{path}",
        f"{head}//{last}",
        path.upper(),
        f"{head}/{last.capitalize()}",
        f"{head}/%{ord(last[0]):02x}{last[1:]}",
        f"{head}%2F{last}",
        f"{head}%2f{last}",
        f"{head}/./{last}",
        f"/v1/customers/..{path.removeprefix('/v1')}",
        f"/v1/customers/%2e%2e{path.removeprefix('/v1')}",
        f"{path};a=1",
        f"{path}.json",
        f"{path}%20",
        f"{path}%00",
        f"{path}%3f",
        f"{path}?/livez",
        f"{path}?access_token=",
    )
    for public in ("/livez", "/readyz", "/openapi.json"):
        yield from (
            f"{public}/..{path}",
            f"{public}/%2e%2e{path}",
            f"{public}%2f..{path}",
            f"{public};{path}",
            f"{public}{path}",
            f"{public}/{path}",
        )


VERBS = ("HEAD", "TRACE", "PROPFIND", "FETCH", "get", "GeT", "PURGE")
