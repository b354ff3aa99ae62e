// What comes in is checked here: past this file an id is an id and a date is a date.

import { Problem, invalid, notFound } from './problems.js';

const MAX_BODY = 262_144;
const CONTROL = /[\u0000-\u001f\u007f]/;

export function tenantOf(request) {
  const values = request.headersDistinct['x-tenant-id'] ?? [];
  if (values.length !== 1 || !isId(values[0]))
    throw new Problem('invalid-tenant', 'Send the header X-Tenant-ID once, with the id of the tenant.');
  return values[0];
}

export function idOf(text, what) {
  if (!isId(text)) throw notFound(what);
  return text;
}

function isId(text) {
  return /^[1-9][0-9]{0,18}$/.test(text) && BigInt(text) < 2n ** 63n;
}

export function listQuery(query, position) {
  const errors = [];
  const limit = query.get('limit') ?? '20';
  if (!/^[0-9]{1,3}$/.test(limit) || limit < 1 || limit > 100)
    errors.push({ pointer: '/query/limit', detail: 'must be a whole number from 1 to 100' });
  const after = query.has('cursor') ? decodeCursor(query.get('cursor'), position) : null;
  if (after === undefined) errors.push({ pointer: '/query/cursor', detail: 'is no cursor of this list' });
  const asOf = query.get('as_of') ?? new Date().toISOString().slice(0, 10);
  if (!isDate(asOf)) errors.push({ pointer: '/query/as_of', detail: 'must be a date, YYYY-MM-DD' });
  if (errors.length) throw invalid(errors);
  return { limit: Number(limit), after, asOf };
}

export const encodeCursor = (position) => Buffer.from(JSON.stringify(position)).toString('base64url');

function decodeCursor(text, position) {
  try {
    const found = JSON.parse(Buffer.from(text, 'base64url').toString());
    const whole = position.every((name) => typeof found[name] === 'string') && isId(found.id);
    const [first] = position;
    return whole && (first === 'id' || !Number.isNaN(Date.parse(found[first]))) ? found : undefined;
  } catch {
    return undefined;
  }
}

export function isDate(text) {
  if (typeof text !== 'string' || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && text >= '0001';
}

export async function bodyOf(request, fields) {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') throw new Problem(415, 'Send a body of Content-Type application/json.');
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Problem(413, `A body has at most ${MAX_BODY} bytes.`);
    chunks.push(chunk);
  }
  let body;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new Problem(400, "The body can't be read as JSON.");
  }
  const errors = faultsOf(body, fields, '/body');
  if (errors.length) throw invalid(errors);
  return body;
}

function faultsOf(value, fields, pointer) {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return [{ pointer, detail: 'must be an object' }];
  const errors = Object.keys(value)
    .filter((name) => !(name in fields))
    .map((name) => ({ pointer: `${pointer}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`, detail: 'is unknown' }));
  for (const [name, check] of Object.entries(fields)) errors.push(...check(value[name], `${pointer}/${name}`));
  return errors;
}

const rule = (test, detail) => (value, pointer) => (test(value) ? [] : [{ pointer, detail }]);

export const whole = (lowest, highest) =>
  rule((n) => Number.isSafeInteger(n) && n >= lowest && n <= highest, `must be a whole number from ${lowest} to ${highest}`);
export const text = rule(
  (t) => typeof t === 'string' && [...t].length >= 1 && [...t].length <= 200 && !CONTROL.test(t) && t.isWellFormed?.() !== false,
  'must be text of 1 to 200 characters',
);
export const email = rule((t) => typeof t === 'string' && t.length <= 254 && /^[!-?A-~]+@[!-?A-~]+$/.test(t), 'must be an e-mail address');
export const day = rule(isDate, 'must be a date, YYYY-MM-DD');
export const isNumber = (t) => typeof t === 'string' && t.length <= 64 && /^[!-~]([ -~]*[!-~])?$/.test(t);
export const number = rule((t) => t === undefined || t === null || isNumber(t), 'must be 1 to 64 printable ASCII characters');

export function lines(value, pointer) {
  if (!Array.isArray(value) || value.length < 1 || value.length > 100)
    return [{ pointer, detail: 'must be a list of 1 to 100 lines' }];
  const line = { description: text, quantity: whole(1, 1_000_000), unit_price_cents: whole(0, 100_000_000_000) };
  return value.flatMap((each, at) => faultsOf(each, line, `${pointer}/${at}`));
}
