"""HEAD held beside GET."""

from collections.abc import Mapping

from graders.check import expect
from graders.probes.api import Answer, Api

BECAUSE = "Monitors, caches and download tools ask with HEAD what GET would say; a 405 or another answer misleads them."
# What is of the one answer or of the connection, and what may be left out of HEAD because it costs a body to know.
FREE = {
    "date",
    "x-request-id",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "vary",
    "trailer",
}


def expect_alike(
    http: Api, path: str, tenant: int, status: int, headers: Mapping[str, str] | None = None
) -> None:
    """GET has the status, and HEAD has what GET has."""
    got = http.send("GET", path, tenant=tenant, headers=headers)
    got.expect(status, because="What GET says is what HEAD is held to.")
    head = http.send("HEAD", path, tenant=tenant, headers=headers)
    expect(
        head.status == status,
        expected=f"Status {status}, as GET answers.",
        got=f"status {head.status}",
        because=BECAUSE,
        did=head.did,
    )
    expect(
        not head.body,
        expected="No body.",
        got=head.summary(),
        because=BECAUSE,
        did=head.did,
    )
    wanted, again, found = (
        _headers(got),
        _headers(http.send("GET", path, tenant=tenant, headers=headers)),
        _headers(head),
    )
    # What GET itself does not say twice alike (a run time, a cookie) is of the one answer.
    steady = {name for name in wanted | again if wanted.get(name) == again.get(name)}
    differing = sorted(
        name for name in steady | found.keys() - again.keys() if wanted.get(name) != found.get(name)
    )
    expect(
        not differing,
        expected=f"The headers of GET{_told(differing, wanted)}",
        got=f"other ones{_told(differing, found)}",
        because=BECAUSE,
        did=head.did,
    )
    length = head.headers.get("Content-Length")
    expect(
        length in (None, str(len(got.body))) or "Content-Encoding" in got.headers,
        expected=f"Content-Length {len(got.body)}, as GET has it, or none.",
        got=f"Content-Length {length}",
        because=BECAUSE,
        did=head.did,
    )


def _headers(answer: Answer) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in FREE}


def _told(names: list[str], headers: dict[str, str]) -> str:
    return "".join(f"\n{name}: {headers.get(name, '(none)')}" for name in names)
