import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { WorkflowError } from '../../diagnostics/index.js';
import { printJson } from '../compile-workflow.js';
import { needsLinux } from '../needs-linux.js';
import { reported } from '../reported.js';
import { findInstallation, type Installation, planInstallation, siteFields } from '../site-install/installation.js';
import { glibcVersions, type ThisNode, thisNode } from '../site-install/this-node.js';
import { type OnProgress, writeInstallation } from '../site-install/write-installation.js';

interface InstallOptions {
  readonly force?: boolean;
  readonly onnxruntime: boolean;
  readonly json?: boolean;
}

/** `simwright site install`: what compute nodes need, in one folder of the shared file system. */
export function siteInstallCommand(): Command {
  return new Command('install')
    .argument('<path>', 'the folder to make, on a file system that compute nodes see')
    .description('install Node.js, ONNX Runtime and the runtime for compute nodes')
    .option('--force', 'replace an installation of another version')
    .option('--without-onnxruntime', 'leave ONNX Runtime out')
    .addOption(new Option('--json', 'print one JSON document'))
    .action(
      reported(async (path: string, options: InstallOptions & { readonly withoutOnnxruntime?: boolean }) => {
        await install(path, { ...options, onnxruntime: options.withoutOnnxruntime !== true });
      }),
    );
}

async function install(path: string, options: InstallOptions): Promise<void> {
  needsLinux('site install');
  const node = thisNode();
  const installation = planInstallation(resolve(path), node, options.onnxruntime);
  const found = findInstallation(installation);
  if (typeof found === 'object' && options.force !== true) {
    const { simwright, node: version, onnxruntime = 'none' } = found.other;
    throw new WorkflowError({
      code: 'OUT1001',
      message: `${installation.folder} holds another installation: Simwright ${simwright}, Node.js ${version}, ONNX Runtime ${onnxruntime}`,
      hint: 'install into a new folder, and let the site name it; or use --force while no job runs from this one',
    });
  }
  if (found !== 'the same') await writeInstallation(installation, progress(installation, options.json === true));
  report(installation, node, found !== 'the same', options);
}

function report(
  { folder, marker, bytes }: Installation,
  node: ThisNode,
  isNew: boolean,
  options: InstallOptions,
): void {
  const { simwright, onnxruntime, site } = marker;
  if (options.json) {
    const { glibc, sharedLibraries } = node;
    printJson({
      ok: true,
      folder,
      written: isNew,
      bytes,
      simwright,
      node: { version: node.version, glibc, sharedLibraries },
      onnxruntime: onnxruntime ?? null,
      site,
    });
    return;
  }
  if (node.sharedLibraries.length > 0) {
    process.stderr.write(
      `warning: this Node.js takes ${node.sharedLibraries.join(', ')} from the machine, so compute nodes need the same; a build of nodejs.org has them in itself\n`,
    );
  }
  const { runtime } = glibcVersions();
  const needs = node.glibc === undefined ? '' : `, built with glibc ${node.glibc} (this machine has ${runtime})`;
  process.stdout.write(
    `${isNew ? 'wrote' : 'nothing to do:'} ${folder}
  Simwright ${simwright}
  Node.js ${node.version}${needs}
  ${onnxruntime === undefined ? 'without ONNX Runtime' : `ONNX Runtime ${onnxruntime}`}
in the site:
${siteFields(site)}
`,
  );
}

/** A line that grows on a terminal; elsewhere a line at the start. */
function progress({ bytes, folder }: Installation, isQuiet: boolean): OnProgress {
  if (isQuiet) return () => {};
  const total = `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  const { stderr } = process;
  if (!stderr.isTTY) {
    stderr.write(`copying ${total} to ${folder}\n`);
    return () => {};
  }
  return (done) => {
    const percent = Math.floor((100 * done) / bytes);
    stderr.write(`\rcopying ${total} to ${folder}: ${percent} %${done === bytes ? '\n' : ''}`);
  };
}
