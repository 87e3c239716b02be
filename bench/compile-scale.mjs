// Compiling 1,000 and 10,000 entities in one experiment, chains of .after(), and a template of one line: wall time, CPU time, peak memory.
// usage: node bench/compile-scale.mjs [RUNS]
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { line, median } from './measure.mjs';
import { measureIn, scratchFolder, verdict } from './measure-command.mjs';

const runs = Number(process.argv[2] ?? 3);
const scratch = scratchFolder('compile-scale');
const measure = measureIn(scratch);

/** What is opened in a loop, by what it is: the calls for entity `i` of `count`. */
const shapes = {
  'models in one job': "e = e.model('m' + i, run)",
  'models after one, before one':
    "e = e.model('m' + i, run).after('first'); if (i === count - 1) for (let k = 0; k < count; k++) e = k === 0 ? e.model('last', run).after('m0') : e.after('m' + k)",
  'models with a template and a store each':
    "e = e.model('m' + i, run).params({ P: i }).attach({ configure: 'in.txt' }).colocate({ uds: true })",
  'ensembles that read a store':
    "e = e.ensemble('m' + i, run).params({ P: [1, 2] }, { asArgs: ['P'] }).registerIncomingEntity('first')",
  jobs: "e = e.model('m' + i, run).batch({ nodes: 1, walltime: '00:10:00' })",
  'members added by hand': "e = e.addModel('m' + i, run)",
};

/**
 * @param {string} shape
 * @param {number} count
 */
function workflow(shape, count) {
  const head = shape.includes('addModel') ? ".ensemble('hand', run)" : '';
  const store = shape.includes('Incoming') ? '.orchestrator()' : '';
  return `import { command, experiment } from 'simwright';
const count = ${count};
const run = command('solve').tasks(2).walltime('00:10:00');
let e: any = experiment<string>('scale')${store}.model('first', run)${head};
for (let i = 0; i < count; i++) { ${shape} }
export default e;
`;
}

/** @param {number} count */
function chain(count) {
  return `import { command, experiment } from 'simwright';
const run = command('solve').tasks(2).walltime('00:10:00');
let e: any = experiment<string>('chain').model('m0', run);
for (let i = 1; i < ${count}; i++) e = e.model('m' + i, run).after('m' + (i - 1));
export default e;
`;
}

/**
 * Runs `compile` of some files in turns, so that what else the machine does falls on all alike.
 * @param {readonly string[]} names
 */
async function compiled(names) {
  /** @type {Map<string, import('./measure-command.mjs').Usage[]>} */
  const found = new Map(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      const out = join(scratch, 'out');
      rmSync(out, { recursive: true, force: true });
      found.get(name)?.push(await measure(['compile', `${name}.ts`, '--site', 'slurm', '--out', out]));
    }
  }
  return (/** @type {string} */ name, /** @type {keyof import('./measure-command.mjs').Usage} */ what) =>
    (found.get(name) ?? []).map((usage) => usage[what]);
}

try {
  writeFileSync(join(scratch, 'in.txt'), 'p = ;P;\n');
  for (const [name, shape] of Object.entries(shapes)) {
    for (const count of [1000, 10_000]) writeFileSync(join(scratch, `scale${count}.ts`), workflow(shape, count));
    const of = await compiled(['scale1000', 'scale10000']);
    console.log(line(`1,000 ${name}`, of('scale1000', 'seconds'), 's'));
    console.log(line(`10,000 ${name}`, of('scale10000', 'seconds'), 's'));
    console.log(line('  peak memory', of('scale10000', 'mebibytes'), 'MiB'));
    // On a machine that does other things as well, wall time says less.
    verdict(
      '  CPU time, to that of 1,000',
      median(of('scale10000', 'cpuSeconds')) / median(of('scale1000', 'cpuSeconds')),
      15,
      '×',
    );
    verdict(
      '  time, to that of 1,000',
      median(of('scale10000', 'seconds')) / median(of('scale1000', 'seconds')),
      15,
      '×',
    );
  }

  writeFileSync(join(scratch, 'chain1000.ts'), chain(1000));
  writeFileSync(join(scratch, 'long.txt'), 'x ;P; '.repeat(700_000));
  writeFileSync(
    join(scratch, 'template.ts'),
    `import { command, experiment } from 'simwright';
export default experiment('template').model('m', command('solve')).params({ P: 1 }).attach({ configure: 'long.txt' });
`,
  );
  const of = await compiled(['chain1000', 'template']);
  verdict('a chain of 1,000 .after(): CPU time', median(of('chain1000', 'cpuSeconds')), 3, 's');
  verdict('a chain of 1,000 .after()', median(of('chain1000', 'seconds')), 3, 's');
  verdict('a template of 4 MB in one line: CPU time', median(of('template', 'cpuSeconds')), 3, 's');
  verdict('a template of 4 MB in one line', median(of('template', 'seconds')), 3, 's');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
