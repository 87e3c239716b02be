import { expect, test } from 'vitest';
import { command, experiment, fromEnvironment } from '../../src/index.js';
import { compileFor, lint, runtimeLines, scriptOf, secretiveNames, textsOf } from './support/compile-experiment.js';

const authored = experiment('e')
  .batch({ nodes: 2, walltime: '00:10:00' })
  .model(
    'm',
    command('app')
      .tasks(2)
      .nodes(2)
      .env({ PASS: fromEnvironment('TEST_PASS') }),
  )
  .ensemble('s', command('app').env({ PASS: fromEnvironment('TEST_PASS'), OTHER: fromEnvironment('TEST_OTHER') }))
  .replicas(3)
  .batch({ mode: 'separate', walltime: '00:10:00' });

test('launchers that hand on only what they are told are told the name, and so is PBS', () => {
  const compiled = compileFor({ name: 'mine', target: 'pbs', launcher: 'mpirun' }, authored);
  expect(runtimeLines(scriptOf(compiled, 'e'))[0]).toContain(' -x PASS -x SIMWRIGHT_DIR -x');
  expect(textsOf(compiled)['submit.sh']).toMatch(
    /qsub -v "\$\{own:\+\$own,\}SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN,TEST_OTHER,TEST_PASS\$/,
  );
});

test.each(secretiveNames)('submit.sh of %s asks for what is needed, and is clean', (name) => {
  const compiled = compileFor(name, authored);
  expect(textsOf(compiled)['submit.sh']).toContain('for needed in TEST_OTHER TEST_PASS; do');
  expect(lint(compiled)).toBe('');
});
