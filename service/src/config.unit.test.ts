import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ConfigError, readConfig } from './config.ts';
import {
  baseSettings,
  flag,
  integer,
  kafkaSettings,
  logSettings,
  oneOf,
  postgresSettings,
  type Settings,
  statusSettings,
  url,
} from './settings.ts';

const run = promisify(execFile);

function one(schema: Settings[string]['schema'], value: string | undefined, secret = false) {
  const settings = { it: { variable: 'TASKFLOW_IT', description: '', schema, secret } } as const;
  return readConfig(settings, value === undefined ? {} : { TASKFLOW_IT: value }).it;
}

describe('readConfig', () => {
  it('takes defaults, and an empty variable as unset', () => {
    const config = readConfig(baseSettings, { TASKFLOW_LOG_LEVEL: '' });
    expect(config.brokers).to.deep.equal(['127.0.0.1:29092']);
    expect(config.logLevel).to.equal('info');
    expect(config.kafkaTls).to.equal(false);
    expect(config.kafkaUsername).to.equal(undefined);
  });

  it('reads lists, numbers, flags and URLs', () => {
    const config = readConfig(
      { ...kafkaSettings, ...statusSettings },
      {
        TASKFLOW_KAFKA_BROKERS: 'a:1, b:2',
        TASKFLOW_STATUS_PORT: '9100',
        TASKFLOW_KAFKA_TLS: 'true',
        TASKFLOW_REGISTRY_URL: 'http://registry:8081/apis/ccompat/v7/',
      },
    );
    expect(config.brokers).to.deep.equal(['a:1', 'b:2']);
    expect(config.statusPort).to.equal(9100);
    expect(config.kafkaTls).to.equal(true);
    expect(config.registryUrl).to.equal('http://registry:8081/apis/ccompat/v7');
  });

  const wrong: [string, Settings[string]['schema'], string | undefined, string][] = [
    ['a number out of bounds', integer({ min: 1, max: 9 }), '10', 'must be a whole number from 1 to 9 (it is "10")'],
    [
      'a number with a fraction',
      integer({ min: 1, max: 9 }),
      '1.5',
      'must be a whole number from 1 to 9 (it is "1.5")',
    ],
    ['a flag that is neither', flag, 'yes', 'must be true or false (it is "yes")'],
    ['a word that is none of the choices', oneOf('a', 'b'), 'c', 'must be one of a, b (it is "c")'],
    ['a URL of another scheme', url('http:'), 'ftp://x', 'must be a URL that begins with http:// (it is "ftp://x")'],
    ['a required variable that is unset', integer({ min: 1, max: 9 }), undefined, 'is required'],
    [
      'a broker without port',
      kafkaSettings.brokers.schema,
      'a',
      'must be a comma-separated list of host:port (it is "a")',
    ],
  ];
  for (const [what, schema, value, message] of wrong) {
    it(`refuses ${what} with one line that names the variable`, () => {
      expect(() => one(schema, value)).to.throw(ConfigError, `TASKFLOW_IT ${message}`);
    });
  }

  it('does not print a secret', () => {
    expect(() => readConfig(postgresSettings, { TASKFLOW_POSTGRES_URL: 'hunter2' })).to.throw(
      ConfigError,
      /^TASKFLOW_POSTGRES_URL must be a URL that begins with postgres:\/\/ or postgresql:\/\/$/,
    );
  });

  it('has a variable once only', () => {
    const variables = Object.values({ ...baseSettings, ...statusSettings }).map((setting) => setting.variable);
    expect(variables).to.have.lengthOf(new Set(variables).size);
  });
});

describe('loadConfig', () => {
  it('ends the process with code 1 and that line alone', async () => {
    const program = `
      import { loadConfig } from ${JSON.stringify(path.join(import.meta.dirname, 'config.ts'))};
      import { logSettings } from ${JSON.stringify(path.join(import.meta.dirname, 'settings.ts'))};
      loadConfig(logSettings);
      console.log('went on');`;
    const ended = await run(process.execPath, ['--input-type=module', '--eval', program], {
      env: { ...process.env, [logSettings.logLevel.variable]: 'loud' },
    }).then(
      () => expect.fail('it went on'),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(ended.code).to.equal(1);
    expect(ended.stdout).to.equal('');
    expect(ended.stderr).to.equal('TASKFLOW_LOG_LEVEL must be one of error, warn, info, debug (it is "loud")\n');
  });
});

describe('docs/configuration.md', () => {
  it('is what the settings say', async () => {
    const script = path.join(import.meta.dirname, '..', '..', 'scripts', 'configurationDocs.ts');
    await run(process.execPath, ['--conditions=taskflow-source', script, '--check']);
  });
});
