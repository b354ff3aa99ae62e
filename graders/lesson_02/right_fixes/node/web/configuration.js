// Environment variables are the only source; every fault is named at once, and no value is repeated.

export function configuration(environment) {
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
  const config = {
    host: text('HOST', '127.0.0.1'),
    port: number('PORT', 1, 65535),
    databaseUrl: text('DATABASE_URL'),
    logLevel: text('LOG_LEVEL', 'info').toLowerCase(),
    grace: number('SHUTDOWN_GRACE_SECONDS', 0, 3600, '10'),
  };
  if (!['debug', 'info', 'warning', 'error'].includes(config.logLevel))
    faults.push('LOG_LEVEL must be one of debug, info, warning, error.');
  if (config.databaseUrl && !/^postgres(ql)?:\/\/[^/]+\/.+/.test(config.databaseUrl))
    faults.push('DATABASE_URL must look like postgresql://user:password@host:port/database.');
  if (faults.length) {
    const message = `The configuration is not valid. ${faults.join(' ')}`;
    console.log(JSON.stringify({ time: new Date().toISOString(), level: 'error', message }));
    process.exit(78);
  }
  return config;
}
