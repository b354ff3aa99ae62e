// One try at one job: it ends as done, put off or dead, and the job's row says so.

import * as leases from '../storage/leases.js';
import { changing } from '../storage/summaries.js';
import { Problem } from '../web/problems.js';
import { wait } from './policies.js';
import { UpstreamFailed } from './upstream.js';
import { WORK } from './work.js';

// Throws LeaseLost, and what Postgres can't note: that is tried again when the lease has run out.
export async function attempt(tools, job) {
  const { database, cache, log } = tools;
  if (job.attempts > tools.policies[job.kind].attempts)
    return leases.bury(database, job, 'exhausted', 'The last try never ended: its worker died.');
  try {
    const finish = await WORK[job.kind](tools, job);
    await changing(cache, database, async (client, touch) => {
      await leases.hold(client, job);
      await leases.done(client, job, await finish(client, touch));
    });
  } catch (error) {
    const problem = Problem.from(error);
    if (error instanceof leases.LeaseLost || problem.status === 503) throw error;
    if (error instanceof UpstreamFailed) return againOrBury(tools, job, error.trouble, error.message);
    if (problem.status < 500) return leases.bury(database, job, 'refused', problem.detail);
    // A bug, or data that nobody thought of: it must not go round for ever.
    log('error', 'a job failed in a way that nobody foresaw', { job_id: job.id, stack: String(error.stack) });
    return againOrBury(tools, job, 'no-answer', `unforeseen: ${error.name}`);
  }
}

function againOrBury({ database, policies, config }, job, trouble, detail) {
  const policy = policies[job.kind];
  if (!policy.retried.includes(trouble)) return leases.bury(database, job, 'refused', detail);
  if (job.attempts >= policy.attempts) return leases.bury(database, job, 'exhausted', detail);
  return leases.putOff(database, job, (wait(policy, job.attempts) * config.retryBaseMs) / 1000);
}
