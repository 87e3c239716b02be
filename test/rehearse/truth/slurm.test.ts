import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { schedulers } from '../../../src/rehearse/schedulers/index.js';
import { Workspace } from '../../helpers/workspace.js';
import { useCluster, whyNoSlurm } from '../../slurm/cluster.js';
import { callOf, emptyCluster } from './asked.js';

const why = whyNoSlurm();

/** Arguments of the command line, then lines of the script after a bar. Queues and features have whatever names a site gives them. */
const lines = String.raw`
|#SBATCH --job-name=ok
|#SBATCH --job-name="two words"
|#SBATCH -J a -N 2
|#SBATCH --nodes=2
|#SBATCH --nodes=2-3
|#SBATCH --nodes=9
|#SBATCH --nodes=x
|#SBATCH -N2 -n4
|#SBATCH --ntasks=x
|#SBATCH --ntasks=64
|#SBATCH --nodes=2 --ntasks-per-node=2 --cpus-per-task=2
|#SBATCH --nodes=1 --cpus-per-task=8
|#SBATCH --time=10
|#SBATCH --time=10:30
|#SBATCH --time=1-0
|#SBATCH --time=1-02:03:04
|#SBATCH --time=ten
|#SBATCH --time=1:2:3:4
|#SBATCH -t 5
|#SBATCH --mem=1G
|#SBATCH --mem=1000
|#SBATCH --mem=999G
|#SBATCH --mem=x
|#SBATCH --mem=1G --mem-per-cpu=1G
|#SBATCH --array=0-3
|#SBATCH --array=0-3,7
|#SBATCH --array=0-15:4%2
|#SBATCH --array=x
|#SBATCH --array=0-100000
|#SBATCH --partition=debug
|#SBATCH --nosuch=1
|#SBATCH -y
|#SBATCH nosuch
|#SBATCH --exclusive
|#SBATCH --signal=B:USR1@60
|#SBATCH --signal=NOSUCH@60
|#SBATCH --dependency=foo:1
|#SBATCH --output=a-%j.out --error=b
|#SBATCH --nodelist=node1
|#SBATCH --nodelist=node9
|#SBATCH --exclude=node1
|#SBATCH --export=ALL,A=1
|#SBATCH --gres=gpu:1
|#SBATCH --job-name=a # comment
|true\n#SBATCH --nosuch=1
|##SBATCH --nosuch=1
|# SBATCH --nosuch=1
| #SBATCH --nosuch=1
|#SBATCH --nodes=1\n#SBATCH hetjob\n#SBATCH --nodes=2
|#SBATCH --nodes=1\n#SBATCH hetjob\n#SBATCH --nosuch
|#SBATCH --hold
|#SBATCH --begin=now+1hour
|#SBATCH --requeue
|#SBATCH --open-mode=append
|#SBATCH --open-mode=foo
|#SBATCH --kill-on-invalid-dep=yes
--nodes=2|true
--nodes=9|true
--nosuch|true
--time=x|true
-N 2 --ntasks-per-node 2|true
`;

describe.skipIf(why !== '')(`submissions to a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  test('are taken and refused as by the stand-in', async () => {
    const workspace = new Workspace('/var/tmp');
    const cases = lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('|') as [string, string]);
    const words = cases.map(([given, text], index) => {
      workspace.write(`s${index}.sh`, `#!/bin/bash\n${text.replaceAll('\\n', '\n')}\ntrue\n`);
      return `--test-only ${given} s${index}.sh`;
    });
    const ask = 'for line; do sbatch $line >/dev/null 2>&1 </dev/null; echo $?; done';
    const { stdout } = await execa('bash', ['-c', ask, 'ask', ...words], { env: cluster().env, cwd: workspace.cwd });
    const verdict = (code: number | undefined) => (code === 0 ? 'taken' : 'refused');
    const told = stdout.split('\n').map((code, index) => `${cases[index]?.join('|')}: ${verdict(Number(code))}`);
    const machine = emptyCluster(4, 4);
    const said = words.map((line, index) => {
      const readFile = (path: string) => (/^s\d+\.sh$/.test(path) ? workspace.read(path) : undefined);
      const answer = schedulers.slurm?.commands['sbatch']?.(
        callOf(`sbatch ${line}`, { cwd: workspace.cwd, readFile }),
        machine,
      );
      return `${cases[index]?.join('|')}: ${verdict(answer?.code)}`;
    });
    expect(said).toEqual(told);
  });
});
