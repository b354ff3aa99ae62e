"""A 201 and its Location: followed as any client follows it, but never away from the service."""

from urllib.parse import urljoin, urlsplit

from graders.check import expect
from graders.probes.api import Api

BECAUSE = "Without a Location that works, a client must guess the address of what it has just made."
# The service is asked on loopback, whatever it is called there.
HERE = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - read, never listened on


def expect_found(http: Api, tenant: int, path: str, body: object) -> None:
    """Create, follow Location, and find what the 201 said."""
    made = http.post(path, tenant=tenant, json=body).expect(201, because=BECAUSE)
    location = made.headers.get("Location", "")
    expect(
        bool(location),
        expected="A header Location with the path of what was created.",
        got=f"no Location\n{made.summary()}",
        because=BECAUSE,
        did=made.did,
    )
    expect(
        is_here(location),
        expected="Location is a path, or a whole address on this service.",
        got=f"Location: {location[:200]}",
        because="Clients follow it from where they are: an inner name leads nowhere, or to somebody else.",
        did=made.did,
    )
    found = http.get(path_of(location, path), tenant=tenant)
    expect(
        found.status == 200 and found.json() == made.json(),
        expected=f"GET of the Location ({location[:200]}) answers 200 with the body of the 201.",
        got=found.summary(),
        because=BECAUSE,
        did=found.did,
    )


def is_here(location: str) -> bool:
    """Whether it is no whole address, or one that names the machine that was asked."""
    try:
        url = urlsplit(location)
        host = (url.hostname or "").lower()
    except ValueError:
        return False
    return not url.netloc or host in HERE


def path_of(location: str, asked: str) -> str:
    """The path that a Location means, which may be relative to the path that was asked, or a whole address."""
    try:
        url = urlsplit(urljoin(f"http://service{asked}", location))
    except ValueError:
        return "/"
    return url.path + (f"?{url.query}" if url.query else "")
