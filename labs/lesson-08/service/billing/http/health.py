"""Whether the service is well: all that it needs is asked."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from billing.http import problems
from billing.http.answers import Health
from billing.http.parameters import Database
from billing.operations.health import postgres_answers
from billing.storage.pool import Pool

router = APIRouter(tags=["health"])


@router.get("/livez", response_model=Health)
async def live(request: Request, pool: Database) -> Health | Response:
    """Whether this process is of any use. If not, it is restarted, which has always helped."""
    return await _health(request, pool, "alive")


@router.get("/readyz", responses=problems.documented(503), response_model=Health)
async def ready(request: Request, pool: Database) -> Health | Response:
    """Whether requests can be served now."""
    return await _health(request, pool, "ready")


async def _health(request: Request, pool: Pool, status: str) -> Health | Response:
    if not await postgres_answers(pool):
        detail = f"no answer from {pool.conninfo.rpartition('@')[2]}"
        return problems.response(problems.DEPENDENCY_UNAVAILABLE, detail, headers={"Retry-After": "1"})
    cache = getattr(request.app.state, "cache", None)
    if cache is not None:
        await cache._redis.ping()
    return Health(status=status)
