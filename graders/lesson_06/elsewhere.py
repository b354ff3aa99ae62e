"""A right token in places where none counts: the address, cookies, other headers, the body, another scheme."""

from collections.abc import Iterator
from urllib.parse import urlencode

from graders.lesson_06.callers import Request, ask
from graders.lesson_06.world import World
from graders.probes.api import Answer

NAMES = ("access_token", "token", "jwt", "auth", "authorization", "id_token", "bearer", "session")
HEADERS = (
    "X-Access-Token",
    "X-Auth-Token",
    "X-Authorization",
    "X-Forwarded-Access-Token",
    "Proxy-Authorization",
    "X-Token",
)
BODIES = {"Content-Type": "application/x-www-form-urlencoded"}


def elsewhere(world: World, token: str) -> Iterator[tuple[str, Answer]]:
    """Where the token stands, and what is answered."""
    for name in NAMES:
        yield f"a token in the query ({name})", world.api.get("/v1/customers", params={name: token})
    for name in ("Bearer", "bearer"):
        query = urlencode({"access_token": f"{name} {token}"})
        yield "a token in the query", world.api.get(f"/v1/customers?{query}")
    for cookie in (f"{name}={value}" for name in NAMES for value in (token, f"Bearer {token}")):
        yield "a token in a cookie", _with(world, "Cookie", cookie)
    for name in HEADERS:
        for value in (token, f"Bearer {token}"):
            yield f"a token in {name}", _with(world, name, value)
    form = urlencode({"access_token": token}).encode()
    yield "a token in a form", world.api.send("POST", "/v1/customers", body=form, headers=BODIES)
    person = {"name": "Mallory", "email": "m@example.org", "access_token": token}
    yield "a token in the body", ask(world.api, Request("POST", "/v1/customers", person))
    for value in ("Basic dmVyYTp2ZXJh", f"Token {token}", f"JWT {token}", token):
        yield "another scheme, or none,", _with(world, "Authorization", value)


def _with(world: World, name: str, value: str) -> Answer:
    return ask(world.api, Request("GET", "/v1/customers", headers=((name, value),)))
