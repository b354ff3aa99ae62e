// Every refusal has one shape: application/problem+json (RFC 9457).

const BILLING = 'urn:problem-type:billing:';
const TITLES = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
};
const KINDS = {
  'invalid-tenant': [400, 'The tenant is missing or malformed'],
  'invalid-request': [422, 'The request does not say what it must'],
  'wrong-status': [409, "The invoice's status does not allow this"],
  overpayment: [409, 'The payment is more than what is outstanding'],
  'customer-has-invoices': [409, 'The customer has invoices'],
  'idempotency-key-reused': [422, 'The idempotency key was used for another request'],
  'number-taken': [409, 'The invoice number is taken'],
  'queue-full': [503, 'Too much is waiting to be done'],
  'job-not-dead': [409, 'Only a dead job can be queued again'],
  'dependency-unavailable': [503, 'Something this service depends on does not answer'],
};
const CONNECTION_TROUBLE = /^(08|57P0|53)|ECONN|ETIMEDOUT|EPIPE/;

export class Problem extends Error {
  constructor(kind, detail, more = {}) {
    super(detail);
    const [status, title] = KINDS[kind] ?? [kind, TITLES[kind]];
    Object.assign(this, { type: KINDS[kind] ? BILLING + kind : 'about:blank', status, title, detail }, more);
  }

  static from(error) {
    if (error instanceof Problem) return error;
    if (CONNECTION_TROUBLE.test(error.code ?? '') || /timeout|terminated/.test(error.message))
      return unavailable();
    return new Problem(500, 'Something went wrong here. It is logged.');
  }
}

// A name as a part of a JSON Pointer (RFC 6901).
export const escaped = (name) => name.replace(/~/g, '~0').replace(/\//g, '~1');

export const notFound = (what) => new Problem(404, `There is no such ${what}.`);

export const unavailable = () =>
  new Problem('dependency-unavailable', 'postgres does not answer at the moment; try again.', {
    dependency: 'postgres',
    headers: { 'Retry-After': '1' },
  });

export function invalid(errors) {
  const detail = errors.map((error) => `${error.pointer}: ${error.detail}`).join('; ');
  return new Problem('invalid-request', detail, { errors });
}

export function problemDocument({ type, title, status, detail, errors, dependency, headers }) {
  const body = { type, title, status, detail, errors, dependency };
  return { status, type: 'application/problem+json', body, headers };
}
