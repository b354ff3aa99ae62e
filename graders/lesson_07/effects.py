"""What came of a job: calls at the upstreams, work that was done there, and what is booked."""

from graders.check import expect
from graders.lesson_07.jobs import CHARGE, MAIL, PAYMENTS, REMIND
from graders.lesson_07.world import Invoice, World

BECAUSE_ONCE = (
    "A charge that is made twice is a customer's money; a mail that comes twice is a customer's patience."
)
BECAUSE_NONE = "What was taken on was promised. A job that is lost is found by the customer."


def expect_once(
    world: World, invoice: Invoice, cents: int, *, mails: int, charges: int, did: str = ""
) -> None:
    """So many calls, the work once, and the payment booked once."""
    works = world.upstreams.payments.works(invoice.number)
    seen = (len(world.mails(invoice)), len(world.charges(invoice)), works, *world.paid(invoice))
    expect(
        seen == (mails, charges, 1, cents, 1),
        expected=f"{mails} mails, {charges} charges were asked for, the card was charged once, and one payment of {cents} is booked.",
        got=f"{seen[0]} mails, {seen[1]} charges were asked for, the card was charged {works} times, {seen[4]} payments make {seen[3]}",
        because=BECAUSE_ONCE,
        did=did or f"{CHARGE}; sleep 3; curl -s {PAYMENTS}/calls",
    )


def expect_one_mail(world: World, invoice: Invoice, expected: str, did: str) -> None:
    """Its mail went out once, however often it was asked for."""
    works = world.upstreams.mail.works(invoice.email)
    expect(
        works == 1,
        expected=expected,
        got=f"one mail went out {works} times",
        because=BECAUSE_ONCE,
        did=did,
    )


def expect_called(world: World, invoice: Invoice) -> None:
    """The mail server is being asked about the invoice."""
    expect(
        bool(world.upstreams.mail.await_calls(invoice.email, 1)),
        expected="A worker calls the mail server for a reminder.",
        got="no call of the mail server came for a reminder",
        because=BECAUSE_NONE,
        did=f"{REMIND}; sleep 3; curl -s {MAIL}/calls",
    )
