// What each kind of job does: first the world outside, then what is done in the transaction that ends the job.

import * as customers from '../storage/customers.js';
import * as invoices from '../storage/invoices.js';
import { totals } from '../storage/reports.js';
import { Problem } from '../web/problems.js';
import { post } from './upstream.js';

async function mail({ database, config }, { tenant_id, invoice_id, request, key }) {
  const invoice = await invoices.get(database, tenant_id, invoice_id);
  const { email } = await customers.get(database, tenant_id, invoice.customer_id);
  const subject = `${request.reminder ? 'Reminder: invoice' : 'Invoice'} ${invoice.number}`;
  const text = `${invoice.total_cents - invoice.paid_cents} cents ${invoice.currency} are due on ${invoice.due_on}.`;
  await post(`${config.mailUrl}/messages`, { to: email, subject, text }, key, config.timeoutMs);
  return () => ({});
}

async function charge({ database, config }, { tenant_id, invoice_id, request: { amount_cents }, key }) {
  const invoice = await invoices.get(database, tenant_id, invoice_id);
  explained('Not asked for in this try', () => invoices.expectPayable(invoice, amount_cents));
  const body = { amount_cents, currency: invoice.currency, reference: invoice.number };
  await post(`${config.paymentsUrl}/charges`, body, key, config.timeoutMs);
  return async (client, touch) => {
    const taken = `The provider has taken ${amount_cents} cents that can't be booked`;
    const check = (locked, cents) => explained(taken, () => invoices.expectPayable(locked, cents));
    const payment = await invoices.pay(client, touch, tenant_id, invoice_id, amount_cents, check);
    return { payment: payment.id };
  };
}

const report = async (_, { tenant_id, request }) => async (client) =>
  ({ report: await totals(client, tenant_id, request) });

export const WORK = { mail, charge, report };

// Whoever reads the dead letters learns what became of the money.
function explained(what, check) {
  try {
    check();
  } catch (error) {
    if (error instanceof Problem) error.detail = `${what}: ${error.detail}`;
    throw error;
  }
}
