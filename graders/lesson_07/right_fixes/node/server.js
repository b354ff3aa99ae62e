// The process `web`: configuration, the server, one log line for each request, a clean stop. No framework.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { webConfiguration } from './web/configuration.js';
import { logger } from './web/log.js';
import { Problem, escaped, invalid, problemDocument } from './web/problems.js';
import { routeFor } from './web/routes.js';
import { expectWanted, tenantOf } from './web/requests.js';
import { pool } from './storage/pool.js';
import { SummaryCache, changing } from './storage/summaries.js';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const config = webConfiguration(process.env);
const log = logger(config.logLevel);
const database = pool(config.databaseUrl);
const cache = config.queue ? new SummaryCache(config.cacheUrl, config.maxAge) : null;
const shared = {
  database,
  cache,
  queueLimit: config.queueLimit,
  write: (work) => changing(cache, database, work),
};

async function answer(request) {
  const url = new URL(request.url, 'http://service');
  const { route, handler, type, parameters, query } = routeFor(request.method, url.pathname, config.queue);
  request.route = route;
  if (route.startsWith('/v1')) {
    request.tenant = tenantOf(request);
    if (request.method !== 'DELETE') expectWanted(request, type);
    const unknown = [...new Set(url.searchParams.keys())].filter((name) => !query.includes(name));
    if (unknown.length) throw invalid(unknown.map((name) => ({ pointer: `/query/${escaped(name)}`, detail: 'is unknown' })));
  }
  return handler({ request, parameters, query: url.searchParams, tenant: request.tenant, ...shared });
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
  const { status, stream } = result;
  const body = stream || status === 204 ? null : Buffer.from(result.text ?? JSON.stringify(result.body));
  response.writeHead(status, {
    ...(status !== 204 && { 'Content-Type': result.type ?? 'application/json' }),
    ...(body && { 'Content-Length': body.length }),
    'X-Request-ID': requestId,
    ...result.headers,
  });
  const whole = await sent(request, response, stream, body);
  log('info', 'request', {
    request_id: requestId,
    tenant_id: request.tenant ?? null,
    method: request.method,
    route: request.route,
    status: whole ? status : 0,
    duration_ms: Math.round((performance.now() - started) * 1000) / 1000,
  });
}

// Whether all of it went out. Once the caller has left, nobody reads on.
async function sent(request, response, stream, body) {
  if (stream && request.method !== 'HEAD') return pipeline(stream, response).then(() => true, () => false);
  stream?.destroy();
  response.end(request.method === 'HEAD' || !body ? undefined : body);
  return true;
}

const server = createServer({ keepAliveTimeout: 60_000 }, serve);

function stop() {
  log('info', 'draining');
  server.close(async () => {
    cache?.close();
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
Promise.all([database.query('SELECT 1'), cache?.open()]).then(
  () => server.listen(config.port, config.host, () => log('info', 'listening')),
  (error) => {
    log('error', `postgres did not answer: ${error.code ?? 'no code'}`);
    process.exit(69);
  },
);
