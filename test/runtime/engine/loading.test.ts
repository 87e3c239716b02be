import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceFolder } from '../../../src/cli/engine-install/build-module.js';
import { isNewEnough, type ServerProgram } from '../../../src/runtime/engine/find-engine.js';
import { RedisStore } from '../../../src/runtime/engine/redis-store.js';
import { firstLack, lackOfModule, orSkipped } from './support/lacks.js';
import { builtModule, servers } from './support/servers.js';

const run = promisify(execFile);

/** Calls of the module API that its header wants of each server. */
const required = (() => {
  const header = readFileSync(join(sourceFolder(), 'module-api.h'), 'utf8');
  const part = /#define REQUIRED_CALLS.*?\n\n/s.exec(header)?.[0] ?? '';
  return [...part.matchAll(/CALL\([^,]+, (\w+), \(/g)].map(([, name = '']) => name);
})();

const lacks = lackOfModule({});

describe.skipIf(lacks !== '')(orSkipped('loading the module', lacks), () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'simwright-loading-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a server that lacks a call of the module API refuses it, and the call is named', async () => {
    const host = join(folder, 'host');
    const source = fileURLToPath(new URL('support/host.c', import.meta.url));
    execFileSync('cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-o', host, source, '-ldl']);
    const module = await builtModule();
    expect(required.length).toBeGreaterThan(50);
    const says = await Promise.all(required.map((name) => run(host, [module, name])));
    for (const [index, { stdout, stderr }] of says.entries()) {
      expect(stdout).toBe('1\n');
      expect(stderr).toBe(`simwright: this server is too old for the module: it lacks the call ${required[index]}\n`);
    }
    expect((await run(host, [module, 'all'])).stderr).toContain(`it lacks the call ${required[0]}\n`);
  });

  const here = servers.filter(isNewEnough);
  describe
    .skipIf(here.length === 0)
    .each(here.length === 0 ? [{ path: '', kind: 'redis' as const, version: '' }] : here)(
    orSkipped('in $kind $version', firstLack({ 'a server': here[0] })),
    (server: ServerProgram) => {
      const start = (module: string) =>
        RedisStore.start({
          programs: { server, module },
          hasWorker: false,
          onDeath: () => undefined,
          store: { listen: [{ kind: 'unix', path: join(folder, 'store.sock'), permissions: 0o700 }] },
        }).then(
          (store) => store.close(),
          (error: Error) => error.message,
        );

      test('a module for another machine is named, with the reason', async () => {
        const module = Buffer.from(readFileSync(await builtModule()));
        // The machine of an ELF file: that of the 64-bit ARM, or where that is this one, of x86-64.
        module.writeUInt16LE(module.readUInt16LE(18) === 183 ? 62 : 183, 18);
        const path = join(folder, 'other.so');
        writeFileSync(path, module);
        chmodSync(path, 0o755);
        expect(await start(path)).toMatch(
          / did not start \(exit code 1\).*Module \S+other\.so failed to load: .*cannot open/s,
        );
      });

      test('a library that is no module is named', async () => {
        const path = join(folder, 'library.so');
        const source = join(folder, 'library.c');
        writeFileSync(source, 'int nothing(void) { return 0; }\n');
        execFileSync('cc', ['-shared', '-fPIC', '-o', path, source]);
        expect(await start(path)).toMatch(/ did not start \(exit code 1\).*library\.so does not export/s);
      });
    },
  );
});
