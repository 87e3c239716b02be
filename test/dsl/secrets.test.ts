import { describe, expect, test } from 'vitest';
import { command, experiment, fromEnvironment } from '../../src/index.js';
import type { AuthoredExperiment } from '../../src/ir/index.js';
import { compileFor } from '../compiler/support/compile-experiment.js';

const warned = (authored: AuthoredExperiment): string[] =>
  compileFor('local', authored)
    .warnings.filter(({ code }) => code === 'DSL1020')
    .map(({ message }) => message.replace(/ looks like a secret.*/, ''));

const withEnv = (variables: Readonly<Record<string, string | number>>) =>
  warned(experiment('e').model('m', command('true').env(variables)));

describe('a literal value under the name of a secret is a warning', () => {
  test.each([
    'HF_TOKEN',
    'token',
    'WANDB_API_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'dbPassword',
    'PGPASSWORD',
    'MYSQL_PWD',
    'SSH_PRIVATE_KEY',
    'CLIENT_SECRET',
    'MY_CREDENTIALS',
  ])('%s', (name) => {
    expect(withEnv({ [name]: 'abc' })).toEqual([`.env(): ${name}`]);
  });

  test.each([
    ['MAX_TOKENS', '512'],
    ['TOKENIZERS_PARALLELISM', 'false'],
    ['TOKEN_FILE', 'token.txt'],
    ['GOOGLE_APPLICATION_CREDENTIALS', '/home/ada/key.json'],
    ['TOKEN', ''],
    ['TOKEN', 7],
    ['KEY', 'a'],
    ['PWD', 'x'],
    ['OMP_NUM_THREADS', '4'],
  ])('%s=%s is none', (name, value) => {
    expect(withEnv({ [name]: value })).toEqual([]);
  });

  test('a reference is none', () => {
    expect(warned(experiment('e').model('m', command('true').env({ HF_TOKEN: fromEnvironment('HF_TOKEN') })))).toEqual(
      [],
    );
  });

  test('among parameters, words, lines of setup and preamble too', () => {
    const authored = experiment('e')
      .batch({ preamble: ['export HF_TOKEN=abc', 'export A=1 OTHER_TOKEN=$HF_TOKEN'], walltime: '00:01:00' })
      .model('m', command('app', '--api-key=abc', '--password', 'abc', '--token', '--verbose', '--max-tokens=5'))
      .params({ DB_PASSWORD: 'abc' }, { asArgs: ['DB_PASSWORD'] })
      .setup({ commands: ["login --quiet; SECRET='a b' app", 'export TOKEN="$(cat ~/token)"'] });
    expect(warned(authored).sort()).toEqual([
      '.batch(): HF_TOKEN',
      '.params(): DB_PASSWORD',
      '.setup(): SECRET',
      'command(): --api-key',
      'command(): --password',
    ]);
  });

  test('says it once of a command that several entities share, and never the value', () => {
    const shared = command('true').env({ HF_TOKEN: 'abc-the-value' });
    const { warnings } = compileFor('local', experiment('e').model('one', shared).model('other', shared));
    const mine = warnings.filter(({ code }) => code === 'DSL1020');
    expect(mine).toHaveLength(1);
    expect(mine[0]?.at?.file).toBe(import.meta.filename);
    expect(JSON.stringify(mine)).not.toContain('abc-the-value');
  });
});
