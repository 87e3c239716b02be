import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { mpiexec } from '../../../src/rehearse/launchers/hydra.js';
import { mpirun } from '../../../src/rehearse/launchers/open-mpi.js';
import type { LauncherStandIn } from '../../../src/rehearse/standins.js';
import { root } from '../../helpers/simwright.js';
import { Workspace } from '../../helpers/workspace.js';
import { cluster, mpis, useMachines, whyNoMpi } from '../../mpi/cluster.js';
import { allocationOf, callOf, nodesOf } from './asked.js';

const why = whyNoMpi();
const agent = `${root}/test/clusters/mpi/agent`;

/** Lines of Open MPI's mpirun; `where` says its rank and host. */
const openMpiLines = `
-np 2 where
-np 2 -np 1 where
--np 2 where
-n 1 where
-c 1 where
--n 1 where
-np 0 where
-np x where
-np -1 where
-np 2
where
-np 64 where
-np 4 --oversubscribe true
-np 1 -l where
-np 1 -z where
-np 2 --nosuch where
--bind-to=none -np 2 where
-bind-to none -np 2 where
-np 2 --bind-to core:overload-allowed where
-np 2 --bind-to CORE where
-np 2 --bind-to cor where
-np 2 --bind-to depth where
-np 2 --bind-to foo where
--bind-to core --bind-to none -np 1 where
-np 2 --cpu-list 0,1 where
-np 2 --bind-to cpu-list:ordered --cpu-list 0,1 where
-np 2 --host node1,node2 where
-np 3 --host node1,node2 where
-np 3 --host node1:2,node2:1 where
-np 4 --host node1,node1,node2,node2 where
--host node1:2,node2:2 where
-np 2 -H node3:2 where
-np 2 -host node3:2 where
-np 2 --host node1, where
-np 2 --host node1:0 where
-np 2 --host node1:x where
-np 3 --host node1,node2 --oversubscribe where
-np 3 --host node1,node2 --nooversubscribe where
-np 4 --host node1,node2 --oversubscribe where
-np 2 --host nowhere where
-np 2 --hostfile /nosuch where
-np 4 --host node1:2,node2:2 --map-by ppr:2:node where
-np 4 --host node1:1,node2:1 --map-by ppr:2:node where
-np 5 --host node1:2,node2:2 --map-by ppr:2:node where
-np 3 --host node1:3,node2:3 --map-by ppr:2:node where
-np 5 --host node1:3,node2:3 --map-by node where
-np 5 --host node1:3,node2:3 --map-by slot where
-np 5 --host node1:3,node2:3 where
-np 2 --host node1:2 --map-by NODE where
-np 2 --map-by foo where
-np 2 --map-by ppr:2:foo where
-np 2 --host node1:2 --map-by ppr:2 where
-np 2 --host node1:2 --map-by socket:FOO=1 where
-np 2 --host node1:2 --map-by ppr:2:node:PE=1 --bind-to none where
-np 4 -N 2 --host node1:3,node2:3 where
-np 4 -N 1 --host node1:2,node2:2 where
-np 2 -npernode 1 --host node1:2,node2:2 where
-pernode --host node1:2,node2:2 where
-np 2 --rank-by foo where
-np 2 -timeout x where
-np 1 --tag-output --timestamp-output true
-np 1 --mca btl tcp where
-np 2 -x NOSUCH where
-np 2 -x A=1 -x A=2 where
-np 2 --host node1:2 -x where
-np 1 --host node1 where : -np 2 --host node2:2 where
-np 1 --host node1 where : -np 2 --map-by node --host node2:2 where
-np 3 --map-by node --host node1:3,node2:3 where : -np 3 --host node1:3,node2:3 where
-np 3 --host node1:3,node2:3 where : -np 3 --host node1:3,node2:3 where
-np 1 --host node1 where : -np 1 where
-np 1 --host node1:2 where :
-np 1 :
-np 1 --host node1:2 where : -np 1
`;

const hydraLines = `
-n 2 where
--n 2 where
-n=2 where
-np 2 where
-n 2 -n 3 where
-n 1 -np 1 where
-n 0 where
-n -1 where
-n x where
where
-n
-n 2 -hosts node1,node2 where
-n 3 -hosts node1,node2 where
-n 2 -host node2 where
-n 2 -hosts node1, where
-n 1 -hosts node1 -hosts node2 where
-n 1 -hosts node1 -f /etc/hostname where
-n 1 -f /nosuch where
-n 4 -ppn 2 -hosts node1,node2 where
-n 4 -ppn 1 -hosts node1,node2 where
-n 3 -ppn 2 -hosts node1,node2 where
-n 6 -ppn 2 -hosts node1,node2 where
-n 4 -ppn x -hosts node1,node2 where
-n 4 -ppn 0 -hosts node1,node2 where
-n 1 -ppn 1 -ppn 2 where
-n 1 -perhost 1 where
-n 7 -hosts node1:2,node2:1 where
-n 5 -hosts node1:2,node2:2 where
-n 2 -hosts node1:x,node2 where
-n 1 where : -n 1 -hosts node2 where
-n 1 -hosts node1,node2 where : -n 1 where
-n 1 where : -ppn 1 -n 1 where
-n 3 -ppn 2 -hosts node1,node2 where : -n 2 where
-n 1 : where
-n 2 -bind-to core where
-n 2 -bind-to cpu-list where
-n 2 -bind-to board where
-n 2 -bind-to user:0,1 where
-n 2 -bind-to none where
-n 2 -bind-to rr where
-n 2 -bind-to core:2 -map-by socket where
-n 2 -bind-to core -map-by foo where
-n 2 -map-by foo where
-n 1 -env A 1 where
-n 1 -genv A 1 where
-n 1 -genv A=1 where
-n 1 -genv A 1 -genv A 2 where
-n 1 -genvlist A where
-n 1 -genvnone where
-n 1 -genvall -genvnone where
-n 1 -envall where
-n 1 -envall -envnone where
-n 1 where : -n 1 -genv A 1 where
-genv
-n 1 -s all where
-n 1 -nosuch where
-n 1 -l true
-n 1 -l -l true
-n 1 -wdir /tmp -wdir /tmp where
-n 1 -dir /tmp where
-n 1 -usize 4 where
-n 1 -usize x where
-n 1 -order-nodes foo where
-n 1 -demux foo where
-n 1 -rmk foo where
-n 1 -disable-auto-cleanup where
-n 1 -- where
`;

/** Lines that a real launcher takes, with the hosts of its ranks; `refused` for others. */
async function real(program: string, lines: readonly string[], folder: string): Promise<string[]> {
  const { stdout } = await cluster('on', 'node1', '--', 'bash', `${folder}/ask`, program, ...lines);
  return `${stdout}\n`.split('=\n').slice(0, lines.length);
}

/** The same of a stand-in. */
function standIn(launcher: LauncherStandIn, line: string): string {
  const env = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const nodes = nodesOf(3, { cpus: availableParallelism() });
  const answer = launcher(callOf(`launcher ${line}`, { env }), allocationOf(nodes));
  if (!('ranks' in answer)) return answer.code === 0 ? '' : 'refused';
  return answer.ranks.flatMap(({ rank, node, command }) => (command[0] === 'true' ? [] : `${rank} ${node}`)).join('\n');
}

const asker = `
program=$1; shift
cd "${'$'}{0%/*}"
PATH=$PWD:$PATH
export OMPI_MCA_plm_rsh_agent=${agent} OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 HYDRA_LAUNCHER=rsh HYDRA_LAUNCHER_EXEC=${agent}
for line; do
  # hydra loses a rank of a program that ends at once now and then: a line is refused that is never taken.
  for try in 1 2 3; do
    taken=yes
    said=$(timeout -k 1 20 $program ${'$'}{line//where/$PWD/where} 2>/dev/null </dev/null) && break
    taken=no
    [[ $program == *hydra* ]] || break
  done
  if [ $taken = yes ]; then sort -n <<<"$said"; else echo refused; fi
  echo =
done
`;

describe.skipIf(why !== '')(`launch lines of MPI${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  useMachines();

  test.each([
    ['Open MPI', mpis[0]?.program ?? '', mpirun, openMpiLines],
    ['hydra', mpis[1]?.program ?? '', mpiexec, hydraLines],
  ] as const)(
    'are taken and refused by the stand-in for %s as by the real one, with the same places',
    async (_, program, launcher, text) => {
      // All machines see it, which have a /tmp each.
      const workspace = new Workspace('/var/tmp');
      workspace.write('ask', asker);
      workspace.write('where', '#!/bin/sh\necho "$OMPI_COMM_WORLD_RANK$PMI_RANK $(hostname)"\n', 0o755);
      const lines = text.trim().split('\n');
      const answers = await real(program, lines, workspace.cwd);
      expect(answers.length).toBe(lines.length);
      const told = lines.map((line, index) => `${line}\n${answers[index]?.trim()}`);
      expect(lines.map((line) => `${line}\n${standIn(launcher, line)}`)).toEqual(told);
    },
  );
});
