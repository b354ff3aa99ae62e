// What there is where there is a queue: orders that are taken on and done later, jobs, exports, and cached summaries.

import { once as event } from 'node:events';
import { Readable } from 'node:stream';
import { invoicesAsCsv } from '../storage/exports.js';
import * as invoices from '../storage/invoices.js';
import * as jobs from '../storage/jobs.js';
import { inTransaction } from '../storage/pool.js';
import { summary } from '../storage/summaries.js';
import { Problem, invalid } from './problems.js';
import { MAX_TOTAL, PAGE, creating, idOf, invoiceOf, ok, page } from './handling.js';
import { bodyOf, day, isId, listQuery, whole } from './requests.js';

const FILTERS = {
  status: ['queued', 'running', 'done', 'dead'],
  kind: ['mail', 'charge', 'report'],
};

const taken = (job) => ({ body: job, location: `/v1/jobs/${job.id}` });

async function remind(context) {
  const { tenant, queueLimit } = context;
  return creating(context, 202, async (client) => {
    const invoice = await invoices.lock(client, tenant, invoiceOf(context));
    if (invoice.status !== 'sent') throw new Problem('wrong-status', `Nobody is reminded of an invoice that is ${invoice.status}.`);
    return taken(await jobs.add(client, queueLimit, { kind: 'mail', tenant, invoice: invoice.id, request: { reminder: true } }));
  });
}

async function charge(context) {
  const { tenant, queueLimit } = context;
  const request = await bodyOf(context.request, { amount_cents: whole(1, MAX_TOTAL) });
  return creating(context, 202, async (client) => {
    const invoice = await invoices.lock(client, tenant, invoiceOf(context));
    invoices.expectPayable(invoice, request.amount_cents + (await jobs.beingCharged(client, invoice.id)));
    return taken(await jobs.add(client, queueLimit, { kind: 'charge', tenant, invoice: invoice.id, request }));
  });
}

async function report(context) {
  const request = await bodyOf(context.request, { from: day, until: day });
  if (request.until <= request.from) throw invalid([{ pointer: '/body/until', detail: 'must be after `from`' }]);
  return creating(context, 202, async (client) =>
    taken(await jobs.add(client, context.queueLimit, { kind: 'report', tenant: context.tenant, request })));
}

async function requeue({ database, queueLimit, tenant, parameters }) {
  const id = idOf(parameters[0], 'job');
  const { body, location } = taken(await inTransaction(database, (client) => jobs.requeue(client, queueLimit, tenant, id)));
  return { status: 202, body, headers: { Location: location } };
}

async function listJobs({ database, tenant, query }) {
  const { limit, after } = listQuery(query, ['id']);
  const errors = Object.entries(FILTERS)
    .filter(([name, values]) => query.has(name) && !values.includes(query.get(name)))
    .map(([name, values]) => ({ pointer: `/query/${name}`, detail: `must be one of ${values.join(', ')}` }));
  if (errors.length) throw invalid(errors);
  const invoice = query.get('invoice_id');
  const wanted = {
    tenant,
    status: query.get('status'),
    kind: query.get('kind'),
    invoice: invoice === null || isId(invoice) ? invoice : '0', // none has that one
  };
  const rows = await jobs.list(database, wanted, after, limit + 1);
  const { body } = page(rows, limit, ({ id }) => ({ id }));
  return ok({ ...body, total: await jobs.count(database, wanted) });
}

async function exportInvoices({ database, tenant }) {
  const stream = Readable.from(invoicesAsCsv(database, tenant));
  await event(stream, 'readable'); // before a status is sent: afterwards no trouble could be told any more
  return { status: 200, type: 'text/csv', stream };
}

async function summaryOf({ database, cache, tenant, parameters }) {
  const id = idOf(parameters[0], 'customer');
  return ok(await cache.get(tenant, id, () => summary(database, tenant, id)));
}

export const LATER = [
  ['/v1/invoices/{invoice_id}/reminders', { POST: remind }],
  ['/v1/invoices/{invoice_id}/charges', { POST: charge }],
  ['/v1/reports', { POST: report }],
  ['/v1/jobs', { GET: listJobs }, [...PAGE, ...Object.keys(FILTERS), 'invoice_id']],
  ['/v1/jobs/{job_id}', {
    GET: async ({ database, tenant, parameters }) => ok(await jobs.get(database, tenant, idOf(parameters[0], 'job'))),
  }],
  ['/v1/jobs/{job_id}/requeue', { POST: requeue }],
  ['/v1/exports/invoices.csv', { GET: exportInvoices }, [], 'text/csv'],
  ['/v1/customers/{customer_id}/summary', { GET: summaryOf }],
];
