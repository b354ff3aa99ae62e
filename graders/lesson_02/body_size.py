"""How large a body may be: whole JSON of just so many bytes, filled up with spaces."""

import json
import random
from dataclasses import replace

from graders.check import Failure, expect
from graders.lesson_02 import customers
from graders.probes.api import Answer, Api

MOST = 262_144
BECAUSE = "Without a bound one caller fills the memory of all; with another one than promised, imports break."


def expect_largest_taken(http: Api, tenant: int, draw: random.Random) -> None:
    _told(http.send("POST", "/v1/customers", tenant=tenant, body=_filled(draw, MOST))).expect(
        201, because=f"A body of {MOST} bytes is not too large. {BECAUSE}"
    )


def expect_bounded(http: Api, tenant: int, draw: random.Random) -> None:
    """One byte more is 413. Who hangs up instead of reading it all has refused it, too."""
    body = _filled(draw, MOST + 1)
    try:
        answer = _told(http.send("POST", "/v1/customers", tenant=tenant, body=body))
    except Failure:
        return  # the row that must not be there is counted by the check
    expect(
        answer.status == 413,
        expected=f"Status 413: this body has {MOST + 1} bytes, most of them spaces after the JSON.",
        got=answer.summary(),
        because=BECAUSE,
        did=answer.did,
    )


def _filled(draw: random.Random, size: int) -> bytes:
    return json.dumps(customers.new(draw)).encode().ljust(size)


def _told(answer: Answer) -> Answer:
    """With a line that makes the spaces instead of holding them."""
    head, _, rest = answer.did.partition(" " * 1000)
    size = len(rest) - len(rest.lstrip(" ")) + 1000
    line = head.replace(" -d ", f" -d \"$(printf '%{size}s')\" -d ", 1) + rest.lstrip(" ")
    return replace(answer, did=line)
