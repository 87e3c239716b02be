import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, experiment } from 'simwright';
import { compileForTest } from 'simwright/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TargetName } from '../../src/ir/index.js';
import { targets } from '../../src/targets/registry.js';
import type { Directive } from '../../src/targets/target.js';

const hasShellcheck = (() => {
  try {
    execFileSync('shellcheck', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

/** A job; one a member that waits for it; one that waits for all of those. */
const chained = () =>
  experiment('chained')
    .batch({ walltime: '00:10:00', mail: { to: 'a@b.org', events: ['end'] } })
    .model('first', command('/bin/true'))
    .ensemble('sweep', command('/bin/echo'))
    .params({ X: [1, 2, 3] }, { asArgs: ['X'] })
    .after('first')
    .batch({ mode: 'separate', walltime: '00:10:00' })
    .model('last', command('/bin/true').tasks(4))
    .after('sweep')
    .batch({ walltime: '25:00:00' });

/** Stands in for a scheduler's command: writes down what it was given, says what the scheduler says. */
function stub(says: string): string {
  return [
    '#!/bin/bash',
    'n=$(cat "$STUB_DIR/count" 2>/dev/null || echo 0)',
    'echo $((n + 1)) >"$STUB_DIR/count"',
    // bsub reads the script from its input.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash expands it
    'script=${!#}; first=$(head -n 1)',
    `{ printf '%s|' "$@"; printf 'index=%s' "\${SIMWRIGHT_ARRAY_INDEX-}"; echo; } >>"$STUB_DIR/calls"`,
    'case $first in "#!"*) ;; *) [ -e "$script" ] || exit 9 ;; esac',
    says,
    '',
  ].join('\n');
}

interface Submission {
  readonly command: string;
  readonly says: string;
  readonly ids: readonly string[];
  /** What the command is given, each call in one line. */
  readonly calls: readonly string[];
}

const submissions: Readonly<Record<Exclude<TargetName, 'local'>, Submission>> = {
  slurm: {
    command: 'sbatch',
    says: 'echo "$((n + 10));cluster"',
    ids: ['10', '11', '12', '13', '14'],
    calls: [
      '--parsable|jobs/chained.sbatch|index=',
      '--parsable|--dependency=afterok:10|--kill-on-invalid-dep=yes|jobs/sweep.sbatch|index=0',
      '--parsable|--dependency=afterok:10|--kill-on-invalid-dep=yes|jobs/sweep.sbatch|index=1',
      '--parsable|--dependency=afterok:10|--kill-on-invalid-dep=yes|jobs/sweep.sbatch|index=2',
      '--parsable|--dependency=afterok:11:12:13|--kill-on-invalid-dep=yes|jobs/last.sbatch|index=',
    ],
  },
  pbs: {
    command: 'qsub',
    // Ids start at 0.
    says: 'echo "$n.server"',
    ids: ['0.server', '1.server', '2.server', '3.server', '4.server'],
    calls: [
      '-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN|jobs/chained.pbs|index=',
      '-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN,SIMWRIGHT_ARRAY_INDEX|-W|depend=afterok:0.server|jobs/sweep.pbs|index=0',
      '-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN,SIMWRIGHT_ARRAY_INDEX|-W|depend=afterok:0.server|jobs/sweep.pbs|index=1',
      '-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN,SIMWRIGHT_ARRAY_INDEX|-W|depend=afterok:0.server|jobs/sweep.pbs|index=2',
      '-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN|-W|depend=afterok:1.server:2.server:3.server|jobs/last.pbs|index=',
    ],
  },
  lsf: {
    command: 'bsub',
    says: 'echo "Welcome."; echo "Job <$((n + 7))> is submitted to default queue <normal>."',
    ids: ['7', '8', '9', '10', '11'],
    calls: [
      '|index=',
      '-w|done(7)|-ti|index=0',
      '-w|done(7)|-ti|index=1',
      '-w|done(7)|-ti|index=2',
      '-w|done(8) && done(9) && done(10)|-ti|index=',
    ],
  },
  cobalt: {
    command: 'qsub',
    says: 'echo "Job routed to queue \\"default\\"."; echo "$((n + 500))"',
    ids: ['500', '501', '502', '503', '504'],
    calls: [
      '--env|SIMWRIGHT_FRESH=:SIMWRIGHT_KEEP=:SIMWRIGHT_RETRY=0:SIMWRIGHT_RUN=RUN|jobs/chained.cobalt|index=',
      ...[0, 1, 2].map(
        (i) =>
          `--env|SIMWRIGHT_FRESH=:SIMWRIGHT_KEEP=:SIMWRIGHT_RETRY=0:SIMWRIGHT_RUN=RUN:SIMWRIGHT_ARRAY_INDEX=${i}|-O|logs/sweep-${i}|--dependencies|500|jobs/sweep.cobalt|index=${i}`,
      ),
      '--env|SIMWRIGHT_FRESH=:SIMWRIGHT_KEEP=:SIMWRIGHT_RETRY=0:SIMWRIGHT_RUN=RUN|--dependencies|501:502:503|jobs/last.cobalt|index=',
    ],
  },
  sge: {
    command: 'qsub',
    says: 'echo "checked by the site"; echo "$((n + 700))"',
    ids: ['700', '701', '702', '703', '704'],
    calls: [
      '-terse|-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN|jobs/chained.sge|index=',
      ...[0, 1, 2].map(
        (i) =>
          `-terse|-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN,SIMWRIGHT_ARRAY_INDEX|-hold_jid|700|jobs/sweep.sge|index=${i}`,
      ),
      '-terse|-v|SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN|-hold_jid|701,702,703|jobs/last.sge|index=',
    ],
  },
};

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'simwright-submission-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The workflow's text files, in a folder of their own. */
async function compiled(site: string): Promise<{ dir: string; scripts: string[] }> {
  const { files } = await compileForTest(chained(), site);
  const dir = mkdtempSync(join(scratch, 'out-'));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text, { mode: 0o755 });
  }
  return { dir, scripts: [...files.keys()].filter((path) => path === 'submit.sh' || path.startsWith('jobs/')) };
}

const sites = Object.keys(targets);

describe('scripts', () => {
  it.each(sites)('for %s are bash without a finding', async (site) => {
    const { dir, scripts } = await compiled(site);
    expect(scripts).toHaveLength(4);
    for (const script of scripts) execFileSync('bash', ['-n', script], { cwd: dir });
    if (hasShellcheck) execFileSync('shellcheck', ['--norc', ...scripts], { cwd: dir, encoding: 'utf8' });
    else console.warn('shellcheck is not on this machine: scripts were only parsed');
  });
});

describe.each(Object.entries(submissions))('submit.sh for %s', (name, { command: program, says, ids, calls }) => {
  it('chains the jobs by what the scheduler says', async () => {
    const { dir } = await compiled(name);
    const bin = mkdtempSync(join(scratch, 'bin-'));
    writeFileSync(join(bin, program), stub(says));
    chmodSync(join(bin, program), 0o755);
    const out = execFileSync('bash', ['submit.sh'], {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, STUB_DIR: bin },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const names = ['chained', 'sweep', 'sweep', 'sweep', 'last'];
    expect(out.trim().split('\n')).toEqual(names.map((one, index) => `${one}\t${ids[index]}`));
    const recorded = readFileSync(join(bin, 'calls'), 'utf8');
    const runs = new Set(recorded.match(/(?<=SIMWRIGHT_RUN=)\d+-\d+/g));
    expect(runs.size).toBeLessThanOrEqual(1);
    expect(
      recorded
        .replaceAll(/(?<=SIMWRIGHT_RUN=)\d+-\d+/g, 'RUN')
        .trim()
        .split('\n'),
    ).toEqual(calls);
    expect(readFileSync(join(dir, 'run/jobs.tsv'), 'utf8')).toBe(out);
  });
});

describe('hosts of an allocation', () => {
  const cases: readonly [TargetName, Record<string, string>, string, Directive[]?][] = [
    ['cobalt', { COBALT_PARTNAME: '3080-3082,3090' }, '3080 3081 3082 3090'],
    ['cobalt', { COBALT_PARTNAME: 'x', COBALT_NODEFILE: 'n2\nn1\nn1\n' }, 'n2 n1'],
    ['pbs', { PBS_NODEFILE: 'n2\nn2\nn1\n' }, 'n2 n1'],
    ['sge', { PE_HOSTFILE: 'n2 2 a.q@n2 UNDEFINED\nn2 1 b.q@n2 UNDEFINED\nn1 3 a.q@n1 UNDEFINED\n' }, 'n2 n1: 3'],
    ['sge', { HOSTNAME: 'n7' }, 'n7: 1'],
    ['lsf', { LSB_MCPU_HOSTS: 'n4 2 n3 4 ' }, 'n4 n3: 2'],
    // Jobs of whole nodes begin on a launch node.
    ['lsf', { LSB_MCPU_HOSTS: 'batch5 1 n3 42 n4 42' }, 'n3 n4: 42', [{ flag: '-nnodes', value: 2 }]],
  ];
  it.each(cases)('by %s with %o', (name, variables, wanted, directives = []) => {
    const files = Object.entries(variables).map(([key, value]): [string, string] => {
      if (!/(NODE|HOST)FILE$/.test(key)) return [key, value];
      const file = join(scratch, `nodes-${name}`);
      writeFileSync(file, value);
      return [key, file];
    });
    const env = { PATH: process.env['PATH'], ...Object.fromEntries(files) };
    const { hosts, cpusPerNode } = targets[name].variables;
    const told = (fact: typeof hosts) => (typeof fact === 'string' ? fact : fact(directives));
    const cpus = wanted.includes(':') ? `cpus=${told(cpusPerNode)}; printf ': %s' "$cpus"` : ':';
    const script = `set -euo pipefail; hosts=${told(hosts)}; printf '%s' "$hosts"; ${cpus}`;
    expect(execFileSync('bash', ['--norc', '-c', script], { env, encoding: 'utf8' })).toBe(wanted);
  });
});
