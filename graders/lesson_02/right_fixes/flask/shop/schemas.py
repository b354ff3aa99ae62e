"""What may come in, as marshmallow schemas; their errors become pointers."""

import re
from datetime import date

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from shop.problems import Problem, invalid

MAX_BODY = 262_144


class Text(fields.String):
    def __init__(self, pattern=r"[^\x00-\x1f\x7f\ud800-\udfff]+", most=200, **options):
        rules = [validate.Length(1, most), validate.Regexp(re.compile(rf"(?:{pattern})\Z"))]
        super().__init__(validate=rules, **options)


class Whole(fields.Integer):
    def __init__(self, lowest, highest, **options):
        super().__init__(strict=True, validate=validate.Range(lowest, highest), required=True, **options)

    def _deserialize(self, value, *args, **options):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **options)


class Day(fields.Field):
    def _deserialize(self, value, *args, **options):
        return day(value)


def day(text):
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValidationError("must be a date, YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError("there is no such day") from None


class Strict(Schema):
    class Meta:
        unknown = RAISE


class Address(Strict):
    street = Text(required=True)
    city = Text(required=True)
    postcode = Text(allow_none=True)
    country = Text("[A-Z]{2}", required=True)


class Customer(Strict):
    name = Text(required=True)
    email = Text("[!-?A-~]+@[!-?A-~]+", 254, required=True)
    address = fields.Nested(Address, allow_none=True)


class Line(Strict):
    description = Text(required=True)
    quantity = Whole(1, 1_000_000)
    unit_price_cents = Whole(0, 100_000_000_000)


class NewInvoice(Strict):
    lines = fields.List(fields.Nested(Line), required=True, validate=validate.Length(1, 100))
    number = Text("[!-~]([ -~]*[!-~])?", 64, allow_none=True)


class Sending(Strict):
    due_on = Day(required=True)


class NewPayment(Strict):
    amount_cents = Whole(1, 1_000_000_000_000)


def load(schema, value):
    """The value as the schema reads it. Raises Problem with every fault."""
    if not isinstance(value, dict):
        raise invalid([("/body", "must be an object")])
    try:
        return schema().load(value)
    except ValidationError as faults:
        raise invalid(list(pointed("/body", faults.messages))) from None


def pointed(pointer, messages):
    """marshmallow nests messages as the value was nested; a list holds the texts of one place."""
    if isinstance(messages, list):
        yield pointer, " ".join(map(str, messages))
        return
    for name, inner in messages.items():
        part = str(name).replace("~", "~0").replace("/", "~1")
        yield from pointed(pointer if name == "_schema" else f"{pointer}/{part}", inner)


def body(media_type="application/json"):
    """The JSON of the request. Raises Problem: 415, 413, 400."""
    if request.mimetype != media_type:
        headers = {"Accept-Patch": media_type} if request.method == "PATCH" else {}
        raise Problem(415, f"Send a body of Content-Type {media_type}.", headers)
    raw = request.get_data()
    if len(raw) > MAX_BODY:
        raise Problem(413, f"A body has at most {MAX_BODY} bytes.")
    import json

    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "The body can't be read as JSON.") from None


def _no_constant(name):
    raise ValueError(name)
