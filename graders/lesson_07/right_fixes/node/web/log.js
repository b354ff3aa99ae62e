// Standard output is one JSON object a line.

const RANK = { debug: 0, info: 1, warning: 2, error: 3 };

export const logger = (wanted) => (level, message, fields = {}) => {
  if (RANK[level] < RANK[wanted]) return;
  process.stdout.write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }) + '\n');
};
