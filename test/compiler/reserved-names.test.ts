import { expect, test } from 'vitest';
import { command, experiment } from '../../src/index.js';
import { messagesOf } from './support/compile-experiment.js';

// What the runtime keeps in run/, where each entity's folder goes.
test.each(['status', 'stores', 'recipes', 'aside', 'node_modules', 'members.csv', 'jobs.tsv'])(
  '%s is no entity',
  (name) => {
    const taken = ': the name is taken by the runtime';
    expect(messagesOf('local', experiment('e').model(name, command('true')))).toEqual([
      `DSL1002 model '${name}'${taken}`,
    ]);
    expect(messagesOf('local', experiment('e').ensemble(name, command('true')))).toEqual([
      `DSL1002 ensemble '${name}'${taken}`,
    ]);
    const store = experiment('e').orchestrator({ name }).model('m', command('true'));
    expect(messagesOf('local', store), 'a store has its folder in run/stores').toEqual([]);
  },
);
