"""What may come in: known fields only, of the right type, within bounds that the database can hold."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from billing.domain.customers import CustomerDetails
from billing.domain.invoices import Line
from billing.domain.money import MAX_QUANTITY, MAX_TOTAL_CENTS, MAX_UNIT_PRICE_CENTS
from billing.http.parameters import IsoDate, Number

MAX_LINES = 100

# Control characters have no place in a name; Postgres can't even store the first of them.
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[!-?A-~]+@[!-?A-~]+$")]


Country = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(description="two letters of ISO 3166-1")
]


def _without_default(schema: JsonDict) -> None:
    """A default that says only "it was left out" is no value to offer in the document."""
    del schema["default"]


Unset = Field(json_schema_extra=_without_default)

CUSTOMER = {
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "address": {"street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB"},
}
LINE = {"description": "Consulting, hours", "quantity": 12, "unit_price_cents": 9500}


def example(body: dict[str, Any]) -> JsonDict:
    """A body that is accepted as it stands, for the document."""
    return {"examples": [body]}


class Body(BaseModel):
    """Strict: "7" is no number, and a field that nobody asked for is a fault and not ignored."""

    model_config = ConfigDict(strict=True, extra="forbid")


class AddressBody(Body):
    street: Text
    city: Text
    postcode: Text | None = None
    country: Country


class CustomerBody(Body):
    """All that callers may choose of a customer: what is left out has no value afterwards."""

    model_config = ConfigDict(json_schema_extra=example(CUSTOMER))

    name: Text
    email: Email
    address: AddressBody | None = None

    def details(self) -> CustomerDetails:
        return CustomerDetails(**self.model_dump())


class AddressPatch(Body):
    street: Annotated[Text, Unset] = ""
    city: Annotated[Text, Unset] = ""
    postcode: Annotated[Text | None, Unset] = None
    country: Annotated[Country, Unset] = ""


class CustomerPatch(Body):
    """A merge patch (RFC 7396): what is left out stays, and null removes what may be missing."""

    model_config = ConfigDict(json_schema_extra=example({"email": "ada.lovelace@example.org"}))

    name: Annotated[Text, Unset] = ""
    email: Annotated[Email, Unset] = ""
    address: Annotated[AddressPatch | None, Unset] = None


class NewLine(Body):
    description: Text
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
    unit_price_cents: Annotated[int, Field(ge=0, le=MAX_UNIT_PRICE_CENTS)]

    def line(self) -> Line:
        return Line(self.description, self.quantity, self.unit_price_cents)


class NewInvoice(Body):
    """The lines must add up to 1 to 1 000 000 000 000 cents; the sum of each is quantity times unit price."""

    model_config = ConfigDict(json_schema_extra=example({"lines": [LINE]}))

    lines: Annotated[list[NewLine], Field(min_length=1, max_length=MAX_LINES)]
    number: Number | None = Field(None, description="left out: the next number of the tenant")


class Sending(Body):
    model_config = ConfigDict(json_schema_extra=example({"due_on": "2026-03-31"}))

    due_on: IsoDate


class NewPayment(Body):
    """At most what is outstanding: total_cents minus paid_cents of the invoice."""

    model_config = ConfigDict(json_schema_extra=example({"amount_cents": 18250}))

    amount_cents: Annotated[int, Field(ge=1, le=MAX_TOTAL_CENTS)]
