import { execa } from 'execa';
import { describe, expect, test, vi } from 'vitest';
import { srun } from '../../../src/rehearse/launchers/srun.js';
import { schedulers } from '../../../src/rehearse/schedulers/index.js';
import { Workspace } from '../../helpers/workspace.js';
import { waitUntil } from '../../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from '../../slurm/cluster.js';
import { type Defect, largeStep, lateDirective, saidIn, wrongDependency } from '../defects.js';
import { compiled } from '../support.js';
import { allocationOf, callOf, emptyCluster, nodesOf } from './asked.js';

const why = whyNoSlurm();

vi.setConfig({ testTimeout: 180_000 });

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
|#SBATCH --cpus-per-task=0
|#SBATCH --ntasks-per-node=x
|#SBATCH --mem-per-cpu=x
|#SBATCH --gpus-per-node=2
|#SBATCH --gpus-per-node=3
|#SBATCH --gpus-per-node=x
|#SBATCH --gres=none
|#SBATCH --gres=nosuch:1
|#SBATCH --distribution=cyclic:block
|#SBATCH --distribution=nosuch
|#SBATCH --exclusive=x
|#SBATCH --hint=nosuch
|#SBATCH --threads-per-core=x
|#SBATCH --gres-flags=nosuch
|#SBATCH --mail-type=BEGIN,END
|#SBATCH --mail-type=nosuch
|#SBATCH --kill-on-invalid-dep=x
|#SBATCH --switches=x
|#SBATCH --time-min=x
|#SBATCH --profile=nosuch
--nodes=2|true
--nodes=9|true
--nosuch|true
--time=x|true
-N 2 --ntasks-per-node 2|true
`;

/** Arguments of srun in a job of 2 nodes that has 4 tasks, 2 GPUs and 2000 MB a node; `where` says its rank and node. */
const steps = `
where
-N 1 where
-n 9 where
-N 3 where
-N 1 -n 5 where
-n 0 where
-n x where
-N x where
-N 0 where
--ntasks 3 --nodes=2 where
--nodes=1-2 -n 2 where
--nodes=2 --ntasks=4 --ntasks-per-node=1 where
--nodes=1 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=2 where
--nodes=1 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=3 where
--nodes=1 --ntasks=1 --cpus-per-task=4 where
--nodes=1 --ntasks=1 --cpus-per-task=5 where
--nodes=1 --ntasks=1 -c x where
--nodes=1 --ntasks=1 --mem=1G where
--nodes=1 --ntasks=1 --mem=3000 where
--nodes=1 --ntasks=1 --mem=x where
--nodes=1 --ntasks=1 --mem=100 --mem-per-cpu=100 where
--nodes=1 --ntasks=4 --mem-per-cpu=1000 where
--nodes=1 --ntasks=1 --overlap --exact where
--nodes=1 --ntasks=1 --mem=0 --overlap --kill-on-bad-exit=1 where
--nodes=1 --ntasks=1 --kill-on-bad-exit=x where
--nodes=1 --ntasks=1 --gpus-per-node=2 where
--nodes=1 --ntasks=1 --gpus-per-node=3 where
--nodes=1 --ntasks=1 --gpus-per-node=x where
--nodes=1 --ntasks=2 --gpus-per-task=1 where
--nodes=1 --ntasks=3 --gpus-per-task=1 where
--nodes=1 --ntasks=1 --gres=gpu:3 where
--nodes=1 --ntasks=1 --gres=none where
--nodes=1 --ntasks=1 --gres=nosuch:1 where
--nodes=2 --gpus=5 where
-w node2 -n 1 where
--nodelist=node1,node2 -n 2 where
-w node3 -n 1 where
-x node1 -n 1 -N 1 where
-x node1 -N 2 where
-x node1,node2 -n 1 where
-r 1 -N 1 -n 2 where
-r 2 -N 1 -n 1 where
-n 2 -r 1 where
-r x -n 1 where
-n 1 -z where
-n 1 --nosuch where
-n 1 --overl where
-n 1 --over where
-n 1 --cpu-bind=verbose,cores where
-n 1 --cpu-bind=map_cpu:0,1 where
-n 1 --cpu-bind=nosuch where
-n 1 --cpu-bind= where
-n 1 --mem-bind=nosuch where
-n 4 -m cyclic where
-n 5 -m plane=2 where
-n 4 -m pack where
-n 4 -m plane where
-n 4 -m block:x where
-n 1 -m nosuch where
-n 1 --mpi=nosuch where
-n 1 --export=NONE where
-n 1 -J
-n 1
-n 1 -t x where
-n 1 -I5 where
-n 1 -Ix where
-n 1 -W x where
-n 1 -T x where
-n 1 -p nosuch where
-n 1 --signal=NOSUCH@60 where
-n 1 --exclusive=x where
-n 1 --hint=nosuch where
-n 1 --threads-per-core=x where
-n 1 --cpus-per-gpu=x where
-n 1 --mem-per-gpu=x where
-n 1 --tmp=x where
-n 1 --profile=nosuch where
-n 1 --open-mode=foo where
-n 1 --het-group=0 where
-n 1 --het-group=1 where
-n 1 --multi-prog programs
-n 2 --multi-prog programs
-n 3 --multi-prog programs
-n 2 --multi-prog nosuch
-n 1 where : -n 1 where
-n 1 : where
-O -n 9 where
--overcommit -N 1 -n 6 where
-n 1 --test-only true
-n 1 --ntasks-per-gpu=1 --gpus=1 where
-n 1 --gres-flags=nosuch where
-n 1 --mail-type=nosuch where
`;

/** Job that asks srun about each line of a file: what it prints, or its exit code. */
const asker = `#!/bin/bash
#SBATCH --nodes=2 --ntasks-per-node=4 --mem=2000 --gpus-per-node=2 --time=10 --output=said
env -0 | grep -z ^SLURM_ >environment
PATH=$PWD:$PATH
set -f
while IFS= read -r line; do
  said=$(timeout -k 1 30 srun $line 2>/dev/null </dev/null) && sort -n <<<"$said" || echo "refused $?"
  echo =
done <lines
`;

describe.skipIf(why !== '')(`a real Slurm and its stand-in${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster('--gpus', '2');

  test('submissions are taken and refused alike', async () => {
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
    const machine = emptyCluster(4, 4, 2);
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

  test('steps are taken and refused as by the stand-in, with the same places', async () => {
    const workspace = new Workspace('/var/tmp');
    const cases = steps.trim().split('\n');
    workspace.write('lines', `${cases.join('\n')}\n`);
    workspace.write('where', '#!/bin/sh\necho "$SLURM_PROCID $SLURMD_NODENAME"\n', 0o755);
    workspace.write('programs', '0 ./where\n1 ./where\n');
    workspace.write('ask', asker);
    await execa('sbatch', ['--wait', 'ask'], { env: cluster().env, cwd: workspace.cwd });
    const answers = workspace.read('said').split('=\n');
    const told = cases.map((line, index) => `${line}: ${answers[index]?.trim()}`);
    const variables = workspace.read('environment').split('\0').slice(0, -1);
    const env = Object.fromEntries(variables.map((one) => one.split(/=(.*)/s).slice(0, 2)));
    const allocation = allocationOf(nodesOf(2, { gpus: 2, memoryMiB: 2000 }));
    const readFile = (path: string) => (workspace.has(path) ? workspace.read(path) : undefined);
    const said = cases.map((line) => {
      const answer = srun(callOf(`srun ${line}`, { env, cwd: workspace.cwd, readFile }), allocation);
      if (!('ranks' in answer)) return `${line}: ${answer.code === 0 ? '' : `refused ${answer.code}`}`;
      const places = answer.ranks.flatMap(({ rank, node, command: [program] }) =>
        program === 'true' ? [] : `${rank} ${node}`,
      );
      return `${line}: ${places.join('\n')}`;
    });
    expect(said).toEqual(told);
  });

  test('three defects fail there as in a rehearsal', async (context) => {
    await Promise.all(
      [lateDirective, largeStep, wrongDependency].map(async (defect: Defect) => {
        const folder = compiled(context, defect.experiment, 'slurm', '/var/tmp');
        defect.bring(folder);
        const ids = await cluster().submit(folder.dir);
        const states = Object.entries(ids).map(async ([job, id]) => {
          const [{ state, exitCode } = { state: '', exitCode: '' }] = await cluster().ended(id, 1, 120);
          const [word = ''] = state.toLowerCase().split(' ');
          return `${job} ${word}${word === 'cancelled' ? '' : ` ${exitCode.replace(/:.*/, '')}`}`;
        });
        expect(await Promise.all(states)).toEqual(defect.states);
        await waitUntil('its logs are there', () => saidIn(folder.dir).includes(defect.says) || saidIn(folder.dir), 30);
      }),
    );
  });
});
