import { WorkflowError } from '../diagnostics/index.js';

/**
 * Refuses what starts jobs and stores where these cannot run.
 *
 * @throws WorkflowError CLI1010 elsewhere than on Linux on x86-64.
 */
export function needsLinux(command: string): void {
  const { platform, arch } = process;
  if (platform === 'linux' && arch === 'x64') return;
  throw new WorkflowError({
    code: 'CLI1010',
    message: `simwright ${command} needs Linux on x86-64, and this machine is ${platform} on ${arch}`,
    hint: 'check, compile, preview, diff, members and graph work here; copy the compiled folder to the cluster',
  });
}
