import { describe, expect, test } from 'vitest';
import { sgeStandIn } from '../../../src/rehearse/schedulers/sge/index.js';
import type { Cluster } from '../../../src/rehearse/standins.js';
import { Workspace } from '../../helpers/workspace.js';
import { useCluster, whyNoSge } from '../../sge/cluster.js';
import { callOf, emptyCluster } from './asked.js';

const why = whyNoSge();

/** Arguments of the command line, then lines of the script after a bar; all jobs are held. */
const lines = String.raw`
|#$ -N ok
|#$ -N two words
|#$ -N 9x
|#$ -N a:b
|#$ -N a@b
|#$ -t 0-3
|#$ -t 1-3 -tc 2
|#$ -t 1-3:2
|#$ -t 1-3,5
|#$ -t 3-1
|#$ -t 4
|#$ -tc x
|#$ -pe smp 2
|#$ -pe smp
|#$ -pe nosuch 2
|#$ -pe smp 0
|#$ -pe smp x
|#$ -pe smp 2-4
|#$ -pe smp 64
|#$ -pe mpi-2 4
|#$ -l h_rt=5
|#$ -l h_rt=0:5:0
|#$ -l h_rt=5m
|#$ -l h_rt=five
|#$ -l nosuch=1
|#$ -l mem_free=1G
|#$ -l mem_free=1X
|#$ -l gpu=1
|#$ -l gpu=x
|#$ -l h_rt=5,mem_free=1G
|#$ -l
|#$ -q all.q
|#$ -q nosuch.q
|#$ -j y
|#$ -j x
|#$ -o logs/
|#$ -o "a b"
|#$ -S /bin/bash
|#$ -m abe
|#$ -m q
|#$ -r n
|#$ -r x
|#$ -hold_jid 1
|#$ -hold_jid nosuch
|#$ -P nosuch
|#$ -A "a # b" -N x
|#$ -v A=1,B
|#$ -V
|#$ -notify
|#$ -cwd
|#$ -b x
|#$ --nodes=2
|#$ -nosuch
|#$ nosuch
|true\n#$ -nosuch
|true\n#$ -N late
| #$ -nosuch
|##$ -nosuch
|#$-N x
|#$
|#$ -p 5000
|#$ -p -5
|#$ -a 203001010000
|#$ -a x
|#$ -ar 7
|#$ -ckpt nosuch
|#$ -N a -N b
|#$ -N
-w e -pe smp 64|true
-w v -pe smp 64|true
-w v -pe smp 4|true
-w e -l nosuch=1|true
-terse|true
-N cmd|#$ -N scr
-nosuch|true
-sync x|true
-R y|true
-R x|true
-binding linear:1|true
-e err|true
`;

describe.skipIf(why !== '')(`submissions to a real Grid Engine${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  test('are taken and refused as by the stand-in', async () => {
    const workspace = new Workspace('/var/tmp');
    const cases = lines
      .trim()
      .split('\n')
      .map((line) => line.split('|') as [string, string]);
    const scripts = cases.map(([words, text], index) => {
      workspace.write(`s${index}.sh`, `#!/bin/bash\n${text.replaceAll('\\n', '\n')}\ntrue\n`);
      return `-h ${words} s${index}.sh`;
    });
    workspace.write(
      'ask',
      'for line; do qsub $line >/dev/null 2>&1 </dev/null; echo $?; done\nqdel -u root >/dev/null 2>&1\n',
    );
    const { stdout } = await cluster().run(workspace.cwd, 'bash', 'ask', ...scripts);
    const told = cases.map((line, index) => `${line.join('|')}: ${stdout.split('\n')[index]}`);
    const { qsub } = sgeStandIn({
      environments: ['smp', 'mpi-2', 'mpi-4', 'scatter', 'mpi'],
      queues: ['all.q'],
      resources: ['gpu'],
      projects: [],
    }).commands;
    const machine: Cluster = emptyCluster(2, 4);
    const said = scripts.map((line, index) => {
      const answer = qsub?.(
        callOf(`qsub ${line}`, { cwd: workspace.cwd, readFile: (path) => read(workspace, path) }),
        machine,
      );
      return `${cases[index]?.join('|')}: ${answer?.code}`;
    });
    expect(said).toEqual(told);
  });
});

function read(workspace: Workspace, path: string): string | undefined {
  return /^s\d+\.sh$/.test(path) ? workspace.read(path) : undefined;
}
