"""What takes longer than a caller should wait is taken on (202), done by `worker`, and asked after here."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from billing.domain.jobs import DeadReason, JobStatus, Kind
from billing.domain.jobs import Job as StoredJob
from billing.http.answers import Answer
from billing.http.cursors import Cursors
from billing.http.negotiation import json_wanted
from billing.http.parameters import Cursor, Database, Id, Limit, id_from, known_query
from billing.http.problems import documented
from billing.http.tenancy import Tenant
from billing.storage import jobs
from billing.storage.jobs import JobFilter, JobPosition

router = APIRouter(
    prefix="/v1/jobs",
    tags=["jobs"],
    dependencies=[Depends(json_wanted), Depends(known_query)],
    responses=documented(400, 406, 422, 500, 503),
)
BY_ID = Cursors(JobPosition)


class Report(BaseModel):
    invoices: int
    total_cents: int
    paid_cents: int


class Job(Answer):
    id: str
    kind: Kind
    status: JobStatus
    attempts: int
    invoice_id: str | None
    payment_id: str | None = Field(description="of a charge that is done")
    report: Report | None = Field(description="of a report that is done")
    reason: DeadReason | None = Field(description="why it is dead")
    detail: str | None
    created_at: datetime
    finished_at: datetime | None


class JobPage(BaseModel):
    items: list[Job]
    next_cursor: str | None
    total: int = Field(description="how many jobs match, on all pages together")


def _id_or_nobody(text: str) -> int:
    try:
        return id_from(text)
    except ValueError:
        return 0


InvoiceFilter = Annotated[int | None, BeforeValidator(_id_or_nobody), WithJsonSchema({"type": "string"})]


async def queue_limit(request: Request) -> int:
    """How many jobs may be open."""
    return int(request.app.state.queue_limit)


QueueLimit = Annotated[int, Depends(queue_limit)]


@router.get("")
async def list_jobs(
    tenant: Tenant,
    pool: Database,
    status: JobStatus | None = None,
    kind: Kind | None = None,
    invoice_id: Annotated[InvoiceFilter, Query(description="only those about this invoice")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JobPage:
    """The tenant's jobs in the order of their creation. Dead letters are those with the status `dead`."""
    wanted = JobFilter(tenant, status, kind, invoice_id)
    after = BY_ID.decode(cursor)
    async with pool.connection() as connection:
        page = await jobs.page(connection, wanted, after, limit)
        total = await jobs.count(connection, wanted)
    items = [Job.model_validate(job) for job in page.items]
    return JobPage(items=items, next_cursor=BY_ID.encode(page.next), total=total)


@router.get("/{job_id}", responses=documented(404))
async def get_job(job_id: Id, tenant: Tenant, pool: Database) -> Job:
    async with pool.connection() as connection:
        return Job.model_validate(await jobs.get(connection, tenant, job_id))


@router.post("/{job_id}/requeue", status_code=202, response_model=Job, responses=documented(404, 409))
async def requeue_job(job_id: Id, tenant: Tenant, pool: Database, limit: QueueLimit) -> Response:
    """A dead letter gets all its tries again."""
    async with pool.connection() as connection, connection.transaction():
        job = await jobs.requeue(connection, tenant, job_id, limit)
    return Response(said_of(job).model_dump_json(), 202, {"Location": path_of(job)}, "application/json")


def said_of(job: StoredJob) -> Job:
    return Job.model_validate(job)


def path_of(job: StoredJob) -> str:
    return f"/v1/jobs/{job.id}"
