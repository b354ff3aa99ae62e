// The process `web`: configuration, the server, one log line for each request, a clean stop. No framework.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { configuration } from './web/configuration.js';
import { Problem, escaped, invalid, problemDocument } from './web/problems.js';
import { routeFor } from './web/routes.js';
import { expectJsonWanted, tenantOf } from './web/requests.js';
import { pool } from './storage/pool.js';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const config = configuration(process.env);
const database = pool(config.databaseUrl);

function log(level, message, fields = {}) {
  const wanted = { debug: 0, info: 1, warning: 2, error: 3 };
  if (wanted[level] < wanted[config.logLevel]) return;
  process.stdout.write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }) + '\n');
}

async function answer(request) {
  const url = new URL(request.url, 'http://service');
  const { route, handler, parameters, query } = routeFor(request.method, url.pathname);
  request.route = route;
  if (route.startsWith('/v1')) {
    request.tenant = tenantOf(request);
    if (request.method !== 'DELETE') expectJsonWanted(request);
    const unknown = [...new Set(url.searchParams.keys())].filter((name) => !query.includes(name));
    if (unknown.length) throw invalid(unknown.map((name) => ({ pointer: `/query/${escaped(name)}`, detail: 'is unknown' })));
  }
  return handler({ request, parameters, query: url.searchParams, tenant: request.tenant, database });
}

async function serve(request, response) {
  const started = performance.now();
  const given = request.headers['x-request-id'] ?? '';
  const requestId = REQUEST_ID.test(given) ? given : randomUUID();
  let result;
  try {
    result = await answer(request);
  } catch (error) {
    const problem = Problem.from(error);
    request.route ??= problem.route ?? null;
    if (problem.status === 500) log('error', error.message, { request_id: requestId, stack: String(error.stack) });
    result = problemDocument(problem);
  }
  const empty = result.status === 204;
  const body = Buffer.from(empty ? '' : (result.text ?? JSON.stringify(result.body)));
  response.writeHead(result.status, {
    ...(empty ? {} : { 'Content-Type': result.type ?? 'application/json', 'Content-Length': body.length }),
    'X-Request-ID': requestId,
    ...result.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  log('info', 'request', {
    request_id: requestId,
    tenant_id: request.tenant ?? null,
    method: request.method,
    route: request.route,
    status: result.status,
    duration_ms: Math.round((performance.now() - started) * 1000) / 1000,
  });
}

const server = createServer({ keepAliveTimeout: 60_000 }, serve);

function stop() {
  log('info', 'draining');
  server.close(async () => {
    await database.end();
    log('info', 'stopped');
    process.exit(0);
  });
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), config.grace * 1000).unref();
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
database.on('error', (error) => log('warning', error.message));
database.query('SELECT 1').then(
  () => server.listen(config.port, config.host, () => log('info', 'listening')),
  (error) => {
    log('error', `postgres did not answer: ${error.code ?? 'no code'}`);
    process.exit(69);
  },
);
