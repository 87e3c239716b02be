import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small file system of its own, to fill or to make read-only. */
export class Tmpfs {
  readonly folder = mkdtempSync(join(tmpdir(), 'simwright-tmpfs-'));

  constructor(size: string) {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.folder], { stdio: 'pipe' });
    } catch (error) {
      rmSync(this.folder, { recursive: true, force: true });
      throw error;
    }
  }

  remount(option: string): void {
    execFileSync('mount', ['-o', `remount,${option}`, this.folder], { stdio: 'pipe' });
  }

  remove(): void {
    execFileSync('umount', ['--lazy', this.folder], { stdio: 'pipe' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether this process may mount file systems. */
export const mayMount = (() => {
  try {
    new Tmpfs('64k').remove();
    return true;
  } catch {
    return false;
  }
})();
