import { expect, test } from 'vitest';
import { diagnosticsOf } from './support.js';

const stages = `import type { ApplicationBuilder, Opening } from 'simwright';
function bars<N extends string>(e: Opening<N>) {
  return e.ensemble('bar', c).params({ A: [1, 2] }).after('bar_1', 'started').model('rod', c).colocate({ uds: true }).after('bar');
}
function stores<N extends string>(e: Opening<N>) {
  return e.orchestrator().orchestrator({ name: 'fields', port: 1 }).ensemble('more', c).addModel('own', c).after('fields');
}
function analysis<N extends string>(e: Opening<N>, of: NoInfer<N>) {
  return e.model('analysis', c).after(of).sharesNodesWith(of);
}
function described<B extends ApplicationBuilder<string>>(b: B) {
  return b.attach({ copy: 'a' }).setup({ modules: 'gcc' });
}
const x = experiment('e').model('a', c);
`;
const lines = stages.split('\n').length - 1;

/** Diagnostics of statements that follow the stages, each with its line among them. */
function diagnosticsAfterStages(...statements: readonly string[]): string[] {
  return diagnosticsOf(stages + statements.join('\n')).map((text) =>
    text.replace(/^\d+/, (line) => String(Number(line) - lines)),
  );
}

test('stages over any experiment type-check as they are written, and keep the names', () => {
  const found = diagnosticsAfterStages(
    "bars(x).after('bar').after('a').after('rod_2');",
    "x.apply(bars).after('bar').after('a');",
    "experiment('e').apply(bars).apply(stores).after('bar').after('own').after('fields').model('b', c);",
    "analysis(x, 'a').after('analysis').after('a');",
    "bars(x).apply((e) => analysis(e, 'bar')).after('a');",
    "described(x).colocate({ uds: true }).after('a');",
    "x.apply(described).params({ N: 1 }).after('a');",
    "bars(experiment<string>('e')).after('anything');",
  );
  expect(found).toEqual([]);
});

test('a name that is not there is refused after a stage, by the names of the experiment and of the stage', () => {
  const found = diagnosticsAfterStages(
    "bars(x).after('nope');",
    "x.apply(bars).after('nope');",
    "experiment('e').apply(stores).after('nope');",
    "analysis(x, 'nope');",
    "x.apply((e) => analysis(e, 'nope'));",
  );
  expect(found.map((text) => text.replace(/ to parameter of type .*/, ''))).toEqual(
    [1, 2, 3, 4, 5].map((line) => `${line}: Argument of type '"nope"' is not assignable`),
  );
  expect(found[1]).toContain('"bar" | ');
  expect(found[1]).toContain('"a" | ');
});

test('a name that a stage has taken is refused after it', () => {
  const taken = (name: string) =>
    `Argument of type 'string' is not assignable to parameter of type 'NotAllowed<"the experiment already has an entity named '${name}'">'.`;
  expect(diagnosticsAfterStages("bars(x).model('bar', c);", "x.apply(bars).ensemble('a', c);")).toEqual([
    `1: ${taken('bar')}`,
    `2: ${taken('a')}`,
  ]);
});

test('inside a stage, a name that is nobody’s is refused', () => {
  const found = diagnosticsOf(`import type { Opening } from 'simwright';
const stage = <N extends string>(e: Opening<N>) => e.model('a', c).after('b');
void stage;`);
  expect(found).toEqual([expect.stringContaining(`2: Argument of type '"b"' is not assignable to parameter of type`)]);
});
