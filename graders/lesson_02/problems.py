"""The one shape of every refusal: problem details (RFC 9457) with a stable type."""

from graders.check import expect, fail
from graders.lesson_02.refusals import Refusal
from graders.lesson_02.shapes import media_type
from graders.probes.api import Answer, Api

MEMBERS = ("type", "title", "status", "detail")
BECAUSE = "A client handles failures in one place; each shape more is one that it meets first in production."
BECAUSE_STABLE = "Clients act on the type: it must say the same each time, and other things in other words."


def expect_problem(refusal: Refusal, answer: Answer) -> str:
    """The title of the problem that an answer of 400 and above must be."""
    if media_type(answer) != "application/problem+json":
        fail(
            expected=f"Content-Type: application/problem+json, since {refusal.what}.",
            got=f"Content-Type: {answer.headers.get('Content-Type', 'none')}\n{answer.summary()}",
            because=BECAUSE,
            did=answer.did,
        )
    body = answer.json()
    missing = [name for name in MEMBERS if not isinstance(body, dict) or name not in body]
    expect(
        not missing,
        expected=f"An object with {', '.join(MEMBERS)}.",
        got=f"{', '.join(missing)} missing\n{answer.summary()}",
        because=BECAUSE,
        did=answer.did,
    )
    texts = [
        name for name in ("type", "title", "detail") if not isinstance(body[name], str) or not body[name]
    ]
    expect(
        not texts and body["status"] == answer.status,
        expected=f"type, title and detail are texts, and status is {answer.status} as in the status line.",
        got=answer.summary(),
        because=BECAUSE,
        did=answer.did,
    )
    expect(
        body["type"] in (refusal.type, refusal.or_type) or answer.status != refusal.status,
        expected=f"type: {refusal.type}, since {refusal.what}.",
        got=f"type: {str(body['type'])[:200]}",
        because=BECAUSE_STABLE,
        did=answer.did,
    )
    return str(body["title"])


def expect_one_shape(http: Api, refusals: list[Refusal]) -> None:
    """Each refusal has the shape; of one type and status, the title is always the same."""
    titles: dict[tuple[str, int], str] = {}
    judged = 0
    for refusal in refusals:
        answer = refusal.ask(http)
        if answer.status < 400:
            continue  # another check says which status was promised
        judged += 1
        title = expect_problem(refusal, answer)
        first = titles.setdefault((answer.json()["type"], answer.status), title)
        expect(
            title == first,
            expected=f"The title of {answer.json()['type']} with {answer.status} never changes: {first}",
            got=f"title: {title[:200]}",
            because=BECAUSE_STABLE,
            did=answer.did,
        )
    expect(
        judged > len(refusals) // 2,
        expected=f"Most of these {len(refusals)} requests are refused: each of them is wrong in one way.",
        got=f"{judged} were answered with a status of 400 and above",
        because=BECAUSE,
    )
