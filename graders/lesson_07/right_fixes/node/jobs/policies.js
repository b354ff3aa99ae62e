// What is retried, how often and where it ends stands in queues.toml, and nowhere else.

import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';

export const KINDS = ['mail', 'charge', 'report'];
const NUMBERS = ['attempts', 'growth', 'jitter', 'most'];

export function policies() {
  const tables = parse(readFileSync(new URL('../queues.toml', import.meta.url), 'utf8'));
  for (const kind of KINDS) {
    const table = tables[kind];
    if (!NUMBERS.every((name) => Number.isFinite(table?.[name])) || !Array.isArray(table.retried))
      throw new Error(`queues.toml does not say how a ${kind} is retried.`);
  }
  return tables;
}

// In units of RETRY_BASE_MS, after that many tries.
export const wait = ({ growth, jitter, most }, attempts) =>
  Math.min(growth ** (attempts - 1), most) * (1 - jitter * Math.random());
