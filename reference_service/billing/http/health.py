"""Alive and ready are two questions: without its database a process is unready, but no restart helps."""

from fastapi import APIRouter
from starlette.responses import Response

from billing.http import problems
from billing.http.answers import Health
from billing.http.parameters import Database
from billing.operations.health import postgres_answers

router = APIRouter(tags=["health"])


@router.get("/livez")
async def live() -> Health:
    """Whether this process answers at all. Touches nothing that it depends on."""
    return Health(status="alive")


@router.get("/readyz", responses=problems.documented(503), response_model=Health)
async def ready(pool: Database) -> Health | Response:
    """Whether requests can be served now."""
    if not await postgres_answers(pool):
        return problems.unavailable("postgres")
    return Health(status="ready")
