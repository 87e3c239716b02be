import { describe, expect, test } from 'vitest';
import { diagnosticsOf, instantiationsOf } from './support.js';

describe('calls that are refused say why, at the argument', () => {
  test.each([
    [
      'a name used twice',
      "experiment('e')\n.model('a', c)\n.model('a', c);",
      `3: Argument of type 'string' is not assignable to parameter of type 'NotAllowed<"the experiment already has an entity named 'a'">'.`,
    ],
    [
      'a name that is a store',
      "experiment('e')\n.orchestrator()\n.ensemble('orchestrator', c);",
      `3: Argument of type 'string' is not assignable to parameter of type 'NotAllowed<"the experiment already has an entity named 'orchestrator'">'.`,
    ],
    [
      'a second colocated store',
      "experiment('e')\n.model('a', c)\n.colocate({ uds: true })\n.colocate({ tcp: true });",
      `4: Object literal may only specify known properties, and 'tcp' does not exist in type 'NotAllowed<"this entity already has a colocated orchestrator">'.`,
    ],
    [
      'an unknown name in .after',
      "experiment('e')\n.model('simulation', c)\n.model('b', c)\n.after('simulatoin');",
      `4: Argument of type '"simulatoin"' is not assignable to parameter of type '"simulation" | "b" | \`simulation_\${number}\` | \`b_\${number}\`'.`,
    ],
    [
      'an unknown event',
      "experiment('e')\n.model('a', c)\n.model('b', c)\n.after('a', 'finished');",
      `4: Argument of type '"finished"' is not assignable to parameter of type '"started" | "completed" | "failed" | "ended" | AfterKeyOptions | undefined'.`,
    ],
    [
      'a call before any entity',
      "experiment('e')\n.params({});",
      "2: Property 'params' does not exist on type 'Experiment<never>'.",
    ],
    [
      'an unknown option',
      "experiment('e')\n.batch({ wallTime: '1' });",
      "2: Object literal may only specify known properties, but 'wallTime' does not exist in type 'BatchOptions'. Did you mean to write 'walltime'?",
    ],
  ])('%s', (_what, snippet, expected) => {
    expect(diagnosticsOf(snippet)).toEqual([expected]);
  });

  test('two stores with the same name, given and by default', () => {
    expect(diagnosticsOf("experiment('e')\n.orchestrator({ name: 's' })\n.orchestrator({ name: 's' });")).toEqual([
      expect.stringContaining(`NotAllowed<"the experiment already has an entity named 's'">`),
    ]);
    expect(diagnosticsOf("experiment('e')\n.orchestrator()\n.orchestrator({ port: 1 });")).toEqual([
      expect.stringContaining("the experiment already has an entity named 'orchestrator'"),
    ]);
  });

  test('both transports at once, and neither', () => {
    expect(diagnosticsOf("experiment('e').model('a', c).colocate({ uds: true, tcp: true });")).toHaveLength(1);
    expect(diagnosticsOf("experiment('e').model('a', c).colocate({});")).toHaveLength(1);
  });
});

describe('calls that are allowed', () => {
  test.each([
    [
      'the flagship',
      "experiment('e').batch({ nodes: 3 }).orchestrator().ensemble('a', c).params({ A: [1, 2], B: 'x' }, { asArgs: ['A'] }).attach({ copy: 'x', configure: ['y'] }).addMlModel('m', mlFile('m.onnx'), { backend: 'ONNX', device: 'GPU:1' }).registerIncomingEntity('a').model('b', c).after('a').after('a_3', 'ended');",
    ],
    [
      'stores with names of their own',
      "experiment('e').orchestrator().orchestrator({ name: 'fields' }).orchestrator({ name: 'more', port: 1 }).model('a', c).after('a');",
    ],
    [
      'one colocated store each',
      "experiment('e').model('a', c).colocate({ uds: true }).model('b', c).colocate({ tcp: true, port: 1 });",
    ],
    [
      'half an experiment, extended twice',
      "const half = experiment('e').model('a', c); half.model('b', c).after('a'); half.ensemble('b', c).after('a');",
    ],
    ['names that are not literals', "const name = 'x' as string; experiment('e').model(name, c);"],
    [
      'a way out of the chain',
      "const grown: string = experiment('e').model('a', c).apply((e) => e.model('b', c).after('a')).apply(() => 'x'); void grown;",
    ],
  ])('%s', (_what, snippet) => {
    expect(diagnosticsOf(snippet)).toEqual([]);
  });
});

test('a chain of 60 calls stays cheap to check', () => {
  const chain = (models: number) =>
    `experiment('e')${Array.from({ length: models }, (_, i) => `.model('m${i}', c).params({ A: 1 }).after('m${i}')`).join('')};`;
  const sixty = instantiationsOf(chain(20));
  expect(sixty).toBeGreaterThan(0);
  expect(sixty).toBeLessThan(6000);
  // Twice the chain costs about twice as much, not four times.
  expect(instantiationsOf(chain(40)) / sixty).toBeLessThan(3.5);
});
