"""What may come in: known fields only, of the right type, within bounds that the database can hold."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from billing.domain.invoices import Line
from billing.domain.money import MAX_QUANTITY, MAX_TOTAL_CENTS, MAX_UNIT_PRICE_CENTS
from billing.http.parameters import IsoDate, Number

MAX_LINES = 100

# Control characters have no place in a name; Postgres can't even store the first of them.
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[!-?A-~]+@[!-?A-~]+$")]


class Body(BaseModel):
    """Strict: "7" is no number, and a field that nobody asked for is a fault and not ignored."""

    model_config = ConfigDict(strict=True, extra="forbid")


class NewCustomer(Body):
    name: Text
    email: Email


class NewLine(Body):
    description: Text
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
    unit_price_cents: Annotated[int, Field(ge=0, le=MAX_UNIT_PRICE_CENTS)]

    def line(self) -> Line:
        return Line(self.description, self.quantity, self.unit_price_cents)


class NewInvoice(Body):
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=MAX_LINES)]
    number: Number | None = Field(None, description="left out: the next number of the tenant")


class Sending(Body):
    due_on: IsoDate


class NewPayment(Body):
    amount_cents: Annotated[int, Field(ge=1, le=MAX_TOTAL_CENTS)]
