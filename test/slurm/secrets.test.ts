import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

const secret = "s3cr\nt 'of' $HOME,a=b";
const sha256 = createHash('sha256').update(secret).digest('hex');

const application = `
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
console.log(createHash('sha256').update(process.env.PASS ?? '').digest('hex'));
`;

describe.skipIf(why !== '')(`secrets on a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  test('reach members that are packed, elements of an array and jobs of their own; a job without them says so', async () => {
    const workspace = sharedWorkspace();
    workspace.write('app.mjs', application);
    workspace.write(
      'workflow.ts',
      `import { command, experiment, fromEnvironment } from 'simwright';
const app = command('node', 'app.mjs').env({ PASS: fromEnvironment('TEST_PASS') });
const options = { asArgs: ['N'] };
export default experiment('e')
  .ensemble('packed', app).params({ N: [1, 2] }, options).attach({ copy: 'app.mjs' }).batch({ walltime: '00:05:00' })
  .ensemble('array', app).params({ N: [1, 2] }, options).attach({ copy: 'app.mjs' }).batch({ mode: 'array', walltime: '00:05:00' })
  .ensemble('own', app).params({ N: [1, 2] }, options).attach({ copy: 'app.mjs' }).batch({ mode: 'separate', walltime: '00:05:00' });
`,
    );
    await compileForSlurm(workspace);
    const { stdout } = await execa(workspace.path('out/submit.sh'), [], {
      env: { ...cluster().env, TEST_PASS: secret },
      stdin: 'ignore',
    });
    const ids = stdout.split('\n').map((line) => line.split('\t'));
    expect(ids.map(([name]) => name)).toEqual(['packed', 'array', 'own', 'own']);
    for (const [name = '', id = ''] of ids) {
      const ended = await cluster().ended(id, name === 'array' ? 2 : 1);
      expect(
        ended.map(({ state }) => state),
        log(workspace, `${name}-${id}.out`),
      ).toEqual(ended.map(() => 'COMPLETED'));
    }
    for (const name of ['packed', 'array', 'own']) {
      for (const member of [`${name}_0`, `${name}_1`]) {
        expect(workspace.lines('out/run', name, member, `${member}.out`)).toEqual([sha256]);
      }
    }
    const found = await execa('grep', ['-rlF', 's3cr', workspace.path('out')], { reject: false });
    expect(found.stdout).toBe('');

    // By hand, without submit.sh.
    const byHand = await simwright({ cwd: workspace.cwd, env: cluster().env }, 'submit', 'out');
    expect(byHand).toMatchObject({ exitCode: 2, stdout: '' });
    const { stdout: id } = await execa('sbatch', ['--parsable', 'jobs/packed.sbatch'], {
      cwd: workspace.path('out'),
      env: cluster().env,
    });
    expect((await cluster().ended(id)).map(({ state }) => state)).toEqual(['FAILED']);
    expect(log(workspace, `packed-${id}.out`)).toContain("error[RUN1030]: TEST_PASS is not set in job 'packed'");
  });

  test('a folder with signs that Slurm fills in, and a name with a slash by directive', async () => {
    const workspace = sharedWorkspace();
    workspace.write('app.mjs', 'console.log("fine")');
    workspace.workflow(`experiment('e')
  .batch({ walltime: '00:05:00', directives: { set: { '--job-name': 'a/b%j' } } })
  .model('m', command('node', 'app.mjs')).attach({ copy: 'app.mjs' })
  .ensemble('array', command('node', 'app.mjs')).replicas(2).attach({ copy: 'app.mjs' }).batch({ mode: 'array', walltime: '00:05:00' })`);
    const folder = 'a %j 100% %x$HOME %%';
    const words = ['compile', 'workflow.ts', '--site', 'slurm', '--out', folder];
    expect(await simwright(workspace, ...words)).toMatchObject({ exitCode: 0 });
    const ids = await cluster().submit(workspace.path(folder));
    for (const [name, id] of Object.entries(ids)) {
      const ended = await cluster().ended(id, name === 'array' ? 2 : 1);
      const logs = readdirSync(workspace.path(folder, 'logs'));
      expect(
        ended.map(({ state }) => state),
        `${logs}`,
      ).toEqual(ended.map(() => 'COMPLETED'));
      expect(logs).toContain(name === 'array' ? `array-${id}_1.out` : `e-${id}.out`);
    }
    expect(workspace.lines(folder, 'run/m/m.out')).toEqual(['fine']);
  });
});
