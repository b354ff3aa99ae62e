// Which handler answers which path, and with what.

import { readFileSync } from 'node:fs';
import * as customers from '../storage/customers.js';
import * as invoices from '../storage/invoices.js';
import * as reads from '../storage/reads.js';
import { Problem, invalid, notFound, unavailable } from './problems.js';
import { bodyOf, day, email, encodeCursor, idOf, isNumber, lines, listQuery, number, text, whole } from './requests.js';

const MAX_TOTAL = 1_000_000_000_000;
const DOCUMENT = readFileSync(new URL('../openapi.json', import.meta.url), 'utf8');

const ok = (body) => ({ status: 200, body });
const created = (body, location) => ({ status: 201, body, headers: { Location: location } });

function page(rows, limit, position) {
  const items = rows.slice(0, limit);
  const last = items[items.length - 1];
  return ok({ items, next_cursor: rows.length > limit ? encodeCursor(position(last)) : null });
}

const customerOf = ({ database, tenant, parameters }) =>
  customers.get(database, tenant, idOf(parameters[0], 'customer'));
const invoiceOf = ({ parameters }) => idOf(parameters[0], 'invoice');

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

async function createCustomer({ request, database, tenant }) {
  const body = await bodyOf(request, { name: text, email });
  const customer = await customers.add(database, tenant, body.name, body.email);
  return created(customer, `/v1/customers/${customer.id}`);
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
  const invoice = await invoices.add(context.database, context.tenant, customer.id, Number(total), body);
  return created(invoice, `/v1/invoices/${invoice.id}`);
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
  return ok(await invoices.send(context.database, context.tenant, invoiceOf(context), due_on));
}

async function pay(context) {
  const { amount_cents } = await bodyOf(context.request, { amount_cents: whole(1, MAX_TOTAL) });
  const payment = await invoices.pay(context.database, context.tenant, invoiceOf(context), amount_cents);
  return created(payment, `/v1/invoices/${payment.invoice_id}/payments/${payment.id}`);
}

const ROUTES = [
  ['/livez', { GET: () => ok({ status: 'alive' }) }],
  ['/readyz', { GET: ready }],
  ['/openapi.json', { GET: () => ({ status: 200, text: DOCUMENT }) }],
  ['/v1/customers', { GET: listCustomers, POST: createCustomer }],
  ['/v1/customers/{customer_id}', { GET: async (context) => ok(await customerOf(context)) }],
  ['/v1/customers/{customer_id}/balance', {
    GET: async ({ database, tenant, parameters }) => ok(await reads.balance(database, tenant, idOf(parameters[0], 'customer'))),
  }],
  ['/v1/customers/{customer_id}/invoices', { GET: listInvoices, POST: createInvoice }],
  ['/v1/invoices/overdue', { GET: listOverdue }],
  ['/v1/invoices/by-number/{number}', { GET: byNumber }],
  ['/v1/invoices/{invoice_id}', {
    GET: async (context) => ok(await invoices.get(context.database, context.tenant, invoiceOf(context))),
  }],
  ['/v1/invoices/{invoice_id}/send', { POST: send }],
  ['/v1/invoices/{invoice_id}/void', {
    POST: async (context) => ok(await invoices.withdraw(context.database, context.tenant, invoiceOf(context))),
  }],
  ['/v1/invoices/{invoice_id}/payments', { POST: pay }],
  ['/v1/invoices/{invoice_id}/payments/{payment_id}', {
    GET: async ({ database, tenant, parameters: [invoice, payment] }) =>
      ok(await invoices.payment(database, tenant, idOf(invoice, 'invoice'), idOf(payment, 'payment'))),
  }],
].map(([route, methods]) => ({ route, methods, pattern: patternOf(route) }));

// A number may hold slashes, so it is the whole rest of the path.
function patternOf(route) {
  return new RegExp(`^${route.replace('{number}', '(.+)').replace(/\{\w+\}/g, '([^/]+)')}$`);
}

export function routeFor(method, path) {
  const fitting = ROUTES.filter(({ pattern }) => pattern.test(path));
  if (!fitting.length) throw new Problem(404, 'There is nothing at this path.', { route: null });
  const [{ route, methods, pattern }] = fitting;
  const handler = methods[method === 'HEAD' ? 'GET' : method];
  if (!handler) {
    const allowed = [...new Set(fitting.flatMap((each) => Object.keys(each.methods)))].sort();
    const headers = { Allow: allowed.join(', ') };
    throw new Problem(405, 'This path has other methods; see Allow.', { route, headers });
  }
  return { route, handler, parameters: pattern.exec(path).slice(1).map(decoded) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
