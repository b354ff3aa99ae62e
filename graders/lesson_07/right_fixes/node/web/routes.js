// Which handler answers which path, and with what.

import { readFileSync } from 'node:fs';
import * as customers from '../storage/customers.js';
import * as invoices from '../storage/invoices.js';
import * as jobs from '../storage/jobs.js';
import * as reads from '../storage/reads.js';
import { MAX_TOTAL, PAGE, creating, idOf, invoiceOf, ok, page } from './handling.js';
import { LATER } from './later.js';
import { Problem, invalid, notFound, unavailable } from './problems.js';
import {
  address, bodyOf, checked, day, email, isNumber, lines, listQuery, merged, number, patchOf, text, whole,
} from './requests.js';

const DOCUMENT = documentOf('openapi.json');
const DOCUMENT_OF_JOBS = documentOf('openapi.jobs.json');
const CUSTOMER = { name: text, email, address };

function documentOf(name) {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}

const customerOf = ({ database, tenant, parameters }) =>
  customers.get(database, tenant, idOf(parameters[0], 'customer'));

async function ready({ database }) {
  try {
    await Promise.race([
      database.query('SELECT 1'),
      new Promise((_, refuse) => setTimeout(refuse, 1000, new Error('late')).unref()),
    ]);
  } catch {
    throw unavailable();
  }
  return ok({ status: 'ready' });
}

async function createCustomer(context) {
  const body = await bodyOf(context.request, CUSTOMER);
  return creating(context, 201, async (client) => {
    const customer = await customers.add(client, context.tenant, body);
    return { body: customer, location: `/v1/customers/${customer.id}` };
  });
}

async function replaceCustomer({ request, database, tenant, parameters }) {
  const id = idOf(parameters[0], 'customer');
  return ok(await customers.replace(database, tenant, id, await bodyOf(request, CUSTOMER)));
}

async function changeCustomer({ request, database, tenant, parameters }) {
  const id = idOf(parameters[0], 'customer');
  const patch = await patchOf(request);
  // What the caller may not choose is no part of the target, so a patch that names it adds an unknown field.
  return ok(await customers.change(database, tenant, id, ({ name, email: mail, address: place }) =>
    checked(merged({ name, email: mail, ...(place ? { address: place } : {}) }, patch), CUSTOMER)));
}

async function deleteCustomer({ write, tenant, parameters }) {
  await customers.remove(write, tenant, idOf(parameters[0], 'customer'));
  return { status: 204 };
}

async function listCustomers({ database, tenant, query }) {
  const { limit, after } = listQuery(query, ['id']);
  return page(await customers.list(database, tenant, after, limit + 1), limit, ({ id }) => ({ id }));
}

async function createInvoice(context) {
  const body = await bodyOf(context.request, { lines, number });
  const total = body.lines.reduce((sum, line) => sum + BigInt(line.quantity) * BigInt(line.unit_price_cents), 0n);
  if (total < 1n || total > MAX_TOTAL)
    throw invalid([{ pointer: '/body/lines', detail: `must add up to 1 to ${MAX_TOTAL} cents` }]);
  const customer = await customerOf(context);
  return creating(context, 201, async (client, touch) => {
    const invoice = await invoices.add(client, touch, context.tenant, customer.id, Number(total), body);
    return { body: invoice, location: `/v1/invoices/${invoice.id}` };
  });
}

async function listInvoices(context) {
  const { limit, after } = listQuery(context.query, ['created_at', 'id']);
  const customer = await customerOf(context);
  const rows = await reads.newest(context.database, customer.id, after, limit + 1);
  return page(rows, limit, ({ created_at, id }) => ({ created_at, id }));
}

async function listOverdue({ database, tenant, query }) {
  const { limit, after, asOf } = listQuery(query, ['due_on', 'id']);
  const rows = await reads.overdue(database, tenant, asOf, after, limit + 1);
  return page(rows, limit, ({ due_on, id }) => ({ due_on, id }));
}

async function byNumber({ database, tenant, parameters }) {
  if (!isNumber(parameters[0])) throw notFound('invoice');
  return ok(await reads.byNumber(database, tenant, parameters[0]));
}

async function send(context) {
  const { due_on } = await bodyOf(context.request, { due_on: day });
  const { tenant, queueLimit, write } = context;
  return ok(await write(async (client, touch) => {
    const invoice = await invoices.send(client, touch, tenant, invoiceOf(context), due_on);
    if (queueLimit) await jobs.add(client, queueLimit, { kind: 'mail', tenant, invoice: invoice.id });
    return invoice;
  }));
}

async function pay(context) {
  const { amount_cents } = await bodyOf(context.request, { amount_cents: whole(1, MAX_TOTAL) });
  return creating(context, 201, async (client, touch) => {
    const payment = await invoices.pay(client, touch, context.tenant, invoiceOf(context), amount_cents);
    return { body: payment, location: `/v1/invoices/${payment.invoice_id}/payments/${payment.id}` };
  });
}

const ROUTES = [
  ['/livez', { GET: () => ok({ status: 'alive' }) }],
  ['/readyz', { GET: ready }],
  ['/openapi.json', { GET: ({ queueLimit }) => ({ status: 200, text: queueLimit ? DOCUMENT_OF_JOBS : DOCUMENT }) }],
  ['/v1/customers', { GET: listCustomers, POST: createCustomer }, PAGE],
  ['/v1/customers/{customer_id}', {
    GET: async (context) => ok(await customerOf(context)),
    PUT: replaceCustomer,
    PATCH: changeCustomer,
    DELETE: deleteCustomer,
  }],
  ['/v1/customers/{customer_id}/balance', {
    GET: async ({ database, tenant, parameters }) => ok(await reads.balance(database, tenant, idOf(parameters[0], 'customer'))),
  }],
  ['/v1/customers/{customer_id}/invoices', { GET: listInvoices, POST: createInvoice }, PAGE],
  ['/v1/invoices/overdue', { GET: listOverdue }, ['as_of', ...PAGE]],
  ['/v1/invoices/by-number/{number}', { GET: byNumber }],
  ['/v1/invoices/{invoice_id}', {
    GET: async (context) => ok(await invoices.get(context.database, context.tenant, invoiceOf(context))),
  }],
  ['/v1/invoices/{invoice_id}/send', { POST: send }],
  ['/v1/invoices/{invoice_id}/void', {
    POST: async (context) => ok(await context.write((client, touch) =>
      invoices.withdraw(client, touch, context.tenant, invoiceOf(context)))),
  }],
  ['/v1/invoices/{invoice_id}/payments', { POST: pay }],
  ['/v1/invoices/{invoice_id}/payments/{payment_id}', {
    GET: async ({ database, tenant, parameters: [invoice, payment] }) =>
      ok(await invoices.payment(database, tenant, idOf(invoice, 'invoice'), idOf(payment, 'payment'))),
  }],
].map(routed);
const ALL = [...ROUTES, ...LATER.map(routed)];

function routed([route, methods, query = [], type = 'application/json']) {
  return { route, methods, query, type, pattern: patternOf(route) };
}

// A number may hold slashes, so it is the whole rest of the path.
function patternOf(route) {
  return new RegExp(`^${route.replace('{number}', '(.+)').replace(/\{\w+\}/g, '([^/]+)')}$`);
}

export function routeFor(method, path, queue) {
  const fitting = (queue ? ALL : ROUTES).filter(({ pattern }) => pattern.test(path));
  if (!fitting.length) throw new Problem(404, 'There is nothing at this path.', { route: null });
  const [{ route, methods, pattern, query, type }] = fitting;
  const handler = methods[method === 'HEAD' ? 'GET' : method];
  if (!handler) {
    const allowed = Object.keys(methods).flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
    const headers = { Allow: allowed.join(', ') };
    throw new Problem(405, 'This path has other methods; see Allow.', { route, headers });
  }
  // A query belongs to GET; nothing else here has one.
  const asks = method === 'GET' || method === 'HEAD';
  return { route, handler, type, query: asks ? query : [], parameters: pattern.exec(path).slice(1).map(decoded) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
