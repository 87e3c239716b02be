import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';

/** A cluster that nobody can reach: sbatch shows the options it has read before it asks. */
const configuration =
  'ClusterName=none\nSlurmctldHost=localhost\nSlurmctldPort=1\nAuthType=auth/none\nMessageTimeout=1\nSlurmUser=root\n';

/** What the real sbatch reads from a script's directives, by option. */
export function sbatchOptions(script: string): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'simwright-sbatch-'));
  try {
    writeFileSync(join(folder, 'slurm.conf'), configuration);
    const env = { SLURM_CONF: join(folder, 'slurm.conf') };
    const { stderr } = execaSync('sbatch', ['-vvv', '--test-only'], {
      input: script,
      env,
      reject: false,
      timeout: 30_000,
    });
    const [, shown] = /defined options\n(.*?)\nsbatch: end of defined options/s.exec(stderr) ?? [];
    if (shown === undefined) throw new Error(`sbatch has read no options:\n${stderr}`);
    return Object.fromEntries(
      shown.split('\n').flatMap((line) => {
        const [, name, value] = /^sbatch: (\S+)\s+: (.*)$/.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name, value]];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
