// Environment variables are the only source; every fault is named at once, and no value is repeated.

import { logger } from './log.js';

export const webConfiguration = (environment) => configuration(environment, (read, queue) => ({
  host: read.text('HOST', '127.0.0.1'),
  port: read.number('PORT', 1, 65535),
  databaseUrl: read.url('DATABASE_URL', 'postgresql'),
  ...(queue && { queueLimit: read.number('QUEUE_LIMIT', 1, 1_000_000, '10000') }),
}));

// Without a queue a worker only waits to be stopped, and needs nothing.
export const workerConfiguration = (environment) => configuration(environment, (read, queue) => queue && {
  databaseUrl: read.url('DATABASE_URL', 'postgresql'),
  mailUrl: read.url('MAIL_URL', 'https?'),
  paymentsUrl: read.url('PAYMENT_PROVIDER_URL', 'https?'),
  timeoutMs: read.number('UPSTREAM_TIMEOUT_MS', 100, 60_000, '10000'),
  retryBaseMs: read.number('RETRY_BASE_MS', 10, 3_600_000, '1000'),
  leaseSeconds: read.number('JOB_LEASE_SECONDS', 1, 3600, '30'),
});

function configuration(environment, own) {
  const faults = [];
  const text = (name, fallback = '') => {
    const value = (environment[name] ?? '').trim() || fallback;
    if (!value) faults.push(`${name} is missing.`);
    return value;
  };
  const number = (name, lowest, highest, fallback) => {
    const value = text(name, fallback);
    if (value && !(/^[0-9]+$/.test(value) && value >= lowest && value <= highest))
      faults.push(`${name} must be a whole number from ${lowest} to ${highest}.`);
    return Number(value);
  };
  const url = (name, scheme) => {
    const value = text(name);
    if (value && !new RegExp(`^${scheme}://[^/]+`).test(value)) faults.push(`${name} must be the URL of a service.`);
    return value;
  };
  const queue = Boolean((environment.QUEUE_URL ?? '').trim());
  const config = {
    logLevel: text('LOG_LEVEL', 'info').toLowerCase(),
    grace: number('SHUTDOWN_GRACE_SECONDS', 0, 3600, '10'),
    queue,
    ...own({ text, number, url }, queue),
    ...(queue && {
      cacheUrl: url('CACHE_URL', 'redis'),
      maxAge: number('SUMMARY_MAX_AGE_SECONDS', 1, 3600, '60'),
    }),
  };
  if (queue) url('QUEUE_URL', 'redis'); // the rows are the queue: nothing more is asked of this one
  if (!['debug', 'info', 'warning', 'error'].includes(config.logLevel))
    faults.push('LOG_LEVEL must be one of debug, info, warning, error.');
  if (faults.length) {
    logger('info')('error', `The configuration is not valid. ${faults.join(' ')}`);
    process.exit(78);
  }
  return config;
}
