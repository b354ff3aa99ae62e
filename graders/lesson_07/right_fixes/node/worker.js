// The process `worker`: it takes what is due, some of each kind at a time, until it is asked to stop.

import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from './jobs/attempt.js';
import { KINDS, policies } from './jobs/policies.js';
import * as leases from './storage/leases.js';
import { pool } from './storage/pool.js';
import { SummaryCache } from './storage/summaries.js';
import { workerConfiguration } from './web/configuration.js';
import { logger } from './web/log.js';

const AT_ONCE = 6;
const MS_BETWEEN_LOOKS = 100;

let stopping = false;
const asked = new Promise((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, resolve);
}).then(() => { stopping = true; });
const config = workerConfiguration(process.env);
const log = logger(config.logLevel);

if (config.queue) await work();
else {
  const nothing = setInterval(() => {}, 60_000);
  await asked;
  clearInterval(nothing);
}
process.exit(0);

async function work() {
  const database = pool(config.databaseUrl, 'billing-worker');
  database.on('error', (error) => log('warning', error.message));
  await database.query('SELECT 1').catch((error) => leave(69, `postgres did not answer: ${error.code ?? 'no code'}`));
  const cache = new SummaryCache(config.cacheUrl, config.maxAge);
  await cache.open();
  const tools = { config, database, cache, log, policies: understood() };
  const inHand = new Map(); // by lease
  const renewing = setInterval(() => {
    if (inHand.size) leases.keep(database, [...inHand.keys()], config.leaseSeconds).catch(tell);
  }, (config.leaseSeconds * 1000) / 3);
  log('info', 'working');
  // Each kind has hands of its own, so that one whose upstream hangs keeps the others from nothing.
  await Promise.all(KINDS.map((kind) => serve(tools, kind, inHand)));
  log('info', 'draining');
  const all = [...inHand.values()].map(({ trying }) => trying);
  await Promise.race([Promise.all(all), sleep(config.grace * 1000)]);
  await Promise.race([leases.giveBack(database, [...inHand.keys()]).catch(tell), sleep(1000)]);
  clearInterval(renewing);
  log('info', 'stopped');
}

async function serve(tools, kind, inHand) {
  while (!stopping) {
    const free = AT_ONCE - [...inHand.values()].filter((each) => each.kind === kind).length;
    // What is taken in the moment of the stop is given back with the rest.
    const jobs = free ? await leases.take(tools.database, kind, free, config.leaseSeconds).catch(tell) : [];
    for (const job of jobs ?? []) {
      const trying = stopping
        ? Promise.resolve()
        : attempt(tools, job).catch(tell).finally(() => inHand.delete(job.lease));
      inHand.set(job.lease, { kind, trying });
    }
    await Promise.race([sleep(MS_BETWEEN_LOOKS), asked]);
  }
}

function understood() {
  try {
    return policies();
  } catch (error) {
    return leave(78, `queues.toml can't be understood: ${error.message}`);
  }
}

function tell(error) {
  log('warning', `${error.name}: ${error.code ?? error.message}`);
}

function leave(code, message) {
  log('error', message);
  process.exit(code);
}
