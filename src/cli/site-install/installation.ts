import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { type OutputFile, onnxRuntimeFiles, packageVersion, pythonFiles, runtimeFiles } from '../../compiler/index.js';
import { WorkflowError } from '../../diagnostics/index.js';
import { findModule, serverNames } from '../../runtime/engine/find-engine.js';
import { quoteShellWord } from '../../targets/quoting.js';
import type { ThisNode } from './this-node.js';

/** Name of the file that marks a folder as ours, and lists its contents. */
export const markerName = 'simwright.json';

/** Contents of a folder that `site install` has written. */
const Marker = z.strictObject({
  simwright: z.string(),
  node: z.string(),
  onnxruntime: z.string().optional(),
  /** Fields for the site that uses the folder. */
  site: z.strictObject({ nodeCommand: z.string(), runtimePath: z.string() }),
  /** Bytes by path. */
  files: z.record(z.string(), z.int()),
});
export type Marker = Readonly<z.infer<typeof Marker>>;

/** A folder as it is to be. */
export interface Installation {
  readonly folder: string;
  readonly marker: Marker;
  readonly files: readonly OutputFile[];
  readonly bytes: number;
}

/** Node.js, ONNX Runtime unless it is not wanted, the runtime, its Python workers and the client, as they are installed here. */
export function planInstallation(folder: string, node: ThisNode, withOnnxRuntime: boolean): Installation {
  const onnxRuntime = withOnnxRuntime ? onnxRuntimeToInstall() : [];
  const site = { nodeCommand: join(folder, 'bin/node'), runtimePath: folder };
  const onnxVersion = onnxRuntime.find(({ path }) => path === 'node_modules/onnxruntime-node/package.json');
  const contents: OutputFile[] = [
    { path: 'bin/node', mode: 0o755, content: { file: node.path } },
    ...runtimeFiles(''),
    ...pythonFiles(''),
    ...onnxRuntime,
    ...engineModule(),
  ];
  const facts = {
    simwright: packageVersion(),
    node: node.version,
    ...(onnxVersion === undefined ? {} : { onnxruntime: versionIn(onnxVersion) }),
    site,
  };
  const files = [...contents, { path: 'README.md', mode: 0o644, content: readme(facts) }];
  const sizes = Object.fromEntries(files.map((file) => [file.path, sizeOf(file)]));
  const bytes = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  return { folder, marker: { ...facts, files: sizes }, files, bytes };
}

/** The module for Redis and Valkey, where `engine install` has built it for this user, with the server that it has put beside it. */
function engineModule(): OutputFile[] {
  const module = findModule({ env: process.env });
  if (module === undefined) return [];
  const servers = serverNames.map((name) => join(dirname(module), name)).filter((path) => existsSync(path));
  return [module, ...servers].map((file) => ({ path: `engine/${basename(file)}`, mode: 0o755, content: { file } }));
}

function onnxRuntimeToInstall(): OutputFile[] {
  try {
    return onnxRuntimeFiles('');
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    const hint = `${error.hint}; or use --without-onnxruntime if no store of this site runs ML models`;
    throw new WorkflowError({ code: error.code, message: error.message, hint, cause: error });
  }
}

/** Content that is already in the folder's place. */
export type Found = 'nothing' | 'the same' | { readonly other: Marker };

/** Looks what is there. @throws WorkflowError if it is not ours. */
export function findInstallation({ folder, marker }: Installation): Found {
  // A place that cannot be read cannot be written either: writing reports the reason.
  if (!existsSync(folder)) return 'nothing';
  if (!statSync(folder).isDirectory()) throw notOurs(folder, 'is there and is no folder');
  if (readdirSync(folder).length === 0) return 'nothing';
  const found = readMarker(folder);
  if (found === undefined) throw notOurs(folder, 'holds files that simwright did not write');
  const isWhole = Object.entries(found.files).every(
    ([path, size]) => statSync(join(folder, path), { throwIfNoEntry: false })?.size === size,
  );
  return isWhole && JSON.stringify(found) === JSON.stringify(marker) ? 'the same' : { other: found };
}

function notOurs(folder: string, how: string): WorkflowError {
  return new WorkflowError({
    code: 'OUT1001',
    message: `${folder} ${how}`,
    hint: 'name a new or an empty folder; with the version in its name, running jobs keep the old one',
  });
}

function readMarker(folder: string): Marker | undefined {
  const path = join(folder, markerName);
  if (!existsSync(path)) return undefined;
  try {
    return Marker.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function sizeOf({ content }: OutputFile): number {
  if (typeof content === 'string') return Buffer.byteLength(content);
  return 'bytes' in content ? content.bytes.byteLength : statSync(content.file).size;
}

function versionIn({ content }: OutputFile): string {
  if (typeof content === 'string' || !('file' in content)) return '';
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(content.file, 'utf8'))).version;
}

/** The fields as a site's file in TypeScript or JSON has them. */
export function siteFields({ nodeCommand, runtimePath }: Marker['site']): string {
  return `  "nodeCommand": ${JSON.stringify(nodeCommand)},\n  "runtimePath": ${JSON.stringify(runtimePath)}`;
}

function readme({ simwright, node, onnxruntime, site }: Omit<Marker, 'files'>): string {
  return `# Simwright's runtime for compute nodes

Written by \`simwright site install\`: Simwright ${simwright}, Node.js ${node}, ${onnxruntime === undefined ? 'without ONNX Runtime' : `ONNX Runtime ${onnxruntime}`}.
Compute nodes need nothing else for ONNX models, and nothing from the internet. PyTorch, TensorFlow and TensorFlow Lite come from a Python of
the cluster, which the site's field \`python\` names. A site uses this folder by two fields:

\`\`\`
${siteFields(site)}
\`\`\`

Applications that are started as \`node\` find it by the site's field \`preamble\`:

\`\`\`
  "preamble": [${JSON.stringify(`export PATH=${quoteShellWord(`${site.runtimePath}/bin`)}:$PATH`)}]
\`\`\`
`;
}
