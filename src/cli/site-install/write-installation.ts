import { chmodSync, constants, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { OutputFile } from '../../compiler/index.js';
import { WorkflowError } from '../../diagnostics/index.js';
import { stopSignals } from '../uninterrupted.js';
import { type Installation, markerName } from './installation.js';

/** Hears after each file how many bytes have been written. */
export type OnProgress = (bytes: number) => void;

/**
 * Lays everything beside the folder, tries it, and moves it into its place; what was there goes. Nothing is left of it when that fails or
 * is interrupted.
 */
export async function writeInstallation(installation: Installation, onProgress: OnProgress): Promise<void> {
  const { folder } = installation;
  const staging = `${folder}.part-${process.pid}`;
  const removeStaging = () => {
    if (existsSync(staging)) rmSync(staging, { recursive: true, force: true });
  };
  const onSignal = (signal: NodeJS.Signals) => {
    removeStaging();
    stopListening();
    process.kill(process.pid, signal);
  };
  const stopListening = () => {
    for (const signal of stopSignals) process.off(signal, onSignal);
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  try {
    await copyInto(staging, installation, onProgress);
    await tryOut(staging, installation);
    putInPlace(staging, folder);
  } catch (error) {
    if (error instanceof WorkflowError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkflowError({
      code: 'OUT1002',
      message: `${folder} cannot be written: ${reason}`,
      hint: 'choose a folder on the shared file system that has room and that you may write to',
      cause: error,
    });
  } finally {
    stopListening();
    removeStaging();
  }
}

async function copyInto(staging: string, { files, marker }: Installation, onProgress: OnProgress): Promise<void> {
  makeFolder(staging);
  let bytes = 0;
  for (const file of files) {
    await writeOne(join(staging, file.path), file);
    bytes += marker.files[file.path] ?? 0;
    onProgress(bytes);
  }
  writeFileSync(join(staging, markerName), `${JSON.stringify(marker, null, 2)}\n`);
  chmodSync(join(staging, markerName), 0o644);
}

/** Makes a folder, and those around it, that every user of the cluster can enter, whatever the umask. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

async function writeOne(path: string, { content, mode }: OutputFile): Promise<void> {
  makeFolder(dirname(path));
  if (typeof content === 'string') writeFileSync(path, content);
  else if ('bytes' in content) writeFileSync(path, content.bytes);
  else await copyFile(content.file, path, constants.COPYFILE_FICLONE);
  chmodSync(path, mode);
}

/** The copy starts without this machine's environment: the runtime answers, and ONNX Runtime loads. */
async function tryOut(staging: string, { marker }: Installation): Promise<void> {
  const loads = marker.onnxruntime === undefined ? '' : "require('./node_modules/onnxruntime-node');";
  for (const words of [
    ['simwright.mjs', '--version'],
    ['-e', loads],
  ]) {
    const end = await execa(join(staging, 'bin/node'), words, {
      cwd: staging,
      env: {},
      extendEnv: false,
      reject: false,
    });
    if (end.exitCode === 0) continue;
    throw new WorkflowError({
      code: 'RUN1010',
      message: `the copied Node.js does not run by itself: ${end.stderr || end.message || `exit code ${end.exitCode}`}`,
      hint: 'run this command with a Node.js from nodejs.org, which needs no other libraries',
    });
  }
}

function putInPlace(staging: string, folder: string): void {
  const old = `${folder}.old-${process.pid}`;
  let isReplaced = true;
  try {
    renameSync(folder, old);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    isReplaced = false;
  }
  try {
    renameSync(staging, folder);
  } catch (error) {
    if (isReplaced) renameSync(old, folder);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}
