import { expect } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** Compiles the workspace's workflow.ts into `out`. */
export async function compiled(workspace: Workspace, site = 'local'): Promise<void> {
  const end = await simwright(workspace, 'compile', 'workflow.ts', '--site', site, '--out', 'out');
  expect(end).toMatchObject({ exitCode: 0 });
}

/** Three jobs of which the last waits for the first two. */
const threeJobs = `experiment('e')
  .model('first', command('/bin/true')).batch({ walltime: '00:05:00' })
  .model('second', command('/bin/true')).batch({ walltime: '00:05:00' })
  .model('third', command('/bin/true')).after('first').after('second').batch({ walltime: '00:05:00' })`;

/** A workspace with the three jobs compiled for a site whose commands are stood in for by bash scripts. */
export async function withScheduler(site: string, programs: Readonly<Record<string, string>>) {
  const workspace = new Workspace();
  workspace.workflow(threeJobs);
  await compiled(workspace, site);
  for (const [name, body] of Object.entries(programs)) {
    workspace.write(`bin/${name}`, `#!/bin/bash\n${body}\n`, 0o755);
  }
  return {
    workspace,
    place: {
      cwd: workspace.cwd,
      env: { PATH: `${workspace.path('bin')}:${process.env['PATH']}`, FOLDER: workspace.cwd },
    },
  };
}

/** A PATH with these tools, and no scheduler. */
export function bareBin(workspace: Workspace, ...tools: readonly string[]): string {
  for (const tool of tools) workspace.write(`bare/${tool}`, `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`, 0o755);
  return workspace.path('bare');
}

/** An application that says its process id in a file beside the workflow, and works until `go` is there. */
export function patient(workspace: Workspace): string {
  return `import { appendFileSync, existsSync } from 'node:fs';
const folder = ${JSON.stringify(workspace.cwd)};
appendFileSync(folder + '/pids', process.pid + '\\n');
setInterval(() => existsSync(folder + '/go') && process.exit(0), 20);
`;
}
