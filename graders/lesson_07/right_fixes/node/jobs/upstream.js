// A call to another's service ends in bounded time, with a success or with the trouble that there was.

import http from 'node:http';
import https from 'node:https';

// trouble: as in queues.toml, or `refused`: a lasting no.
export class UpstreamFailed extends Error {
  constructor(trouble, detail) {
    super(detail);
    this.trouble = trouble;
  }
}

export async function post(url, body, key, timeoutMs) {
  const { request } = url.startsWith('https:') ? https : http;
  const options = {
    method: 'POST',
    agent: false,
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    signal: AbortSignal.timeout(timeoutMs),
  };
  const status = await new Promise((resolve, reject) => {
    const call = request(url, options, (answer) => {
      answer.on('error', reject).on('end', () => resolve(answer.statusCode)).resume();
    });
    call.on('error', reject).end(JSON.stringify(body));
  }).catch((error) => {
    throw new UpstreamFailed('no-answer', `no answer: ${error.code ?? error.name}`);
  });
  if (status < 200 || status > 299) throw new UpstreamFailed(troubleOf(status), `status ${status}`);
}

function troubleOf(status) {
  if (status === 408 || status === 429) return String(status);
  return status >= 500 ? '5xx' : 'refused';
}
