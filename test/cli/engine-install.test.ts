import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { probeEngine } from '../../src/cli/doctor/engine.js';
import { buildModule } from '../../src/cli/engine-install/build-module.js';
import { planInstallation } from '../../src/cli/site-install/installation.js';
import { thisNode } from '../../src/cli/site-install/this-node.js';
import { hasCompiler, servers } from '../runtime/engine/support/servers.js';

const folder = mkdtempSync(join(tmpdir(), 'simwright-install-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!hasCompiler)(`the module${hasCompiler ? '' : ' (skipped: there is no C compiler)'}`, () => {
  test('is built without a warning, executable, and nothing is left beside it', async () => {
    const flags = ['-Wall', '-Wextra', '-Werror', '-pedantic'];
    const { path, compiler, seconds } = await buildModule({ folder: join(folder, 'engine'), flags });
    expect(path).toBe(join(folder, 'engine/simwright.so'));
    expect(compiler).toBe('cc');
    expect(seconds).toBeGreaterThan(0);
    expect(statSync(path).mode & 0o777).toBe(0o755);
    expect(readdirSync(join(folder, 'engine'))).toEqual(['simwright.so']);
  });

  test('is taken along by site install', () => {
    process.env['SIMWRIGHT_HOME'] = folder;
    const { files } = planInstallation('/site', thisNode(), false);
    delete process.env['SIMWRIGHT_HOME'];
    const file = join(folder, 'engine/simwright.so');
    expect(files).toContainEqual({ path: 'engine/simwright.so', mode: 0o755, content: { file } });
  });

  test('is told of by doctor, with the server that would be used', async () => {
    const { facts, findings } = await probeEngine(folder);
    expect(facts.module).toBe(join(folder, 'engine/simwright.so'));
    if (servers.length > 0) expect(findings[0]?.message).toMatch(/^(Redis|Valkey) \d.* with .*engine\/simwright\.so$/);
  });
});

test('doctor says what is missing, and that stores run without it', async () => {
  const { PATH, HOME } = process.env;
  Object.assign(process.env, { PATH: '/nowhere', HOME: '/nowhere' });
  try {
    const { findings } = await probeEngine(undefined);
    expect(findings).toMatchObject([
      {
        verdict: 'ok',
        message:
          "not to be had: its module is not built, no server is new enough; stores run without it (engine: 'embedded')",
        advice: "simwright engine install, if a site's stores are to run on Redis or Valkey",
      },
    ]);
  } finally {
    Object.assign(process.env, { PATH, HOME });
  }
});

test('without a compiler the command says which it looked for (RUN1041)', async () => {
  const { PATH } = process.env;
  process.env['PATH'] = '/nowhere';
  try {
    await expect(buildModule({ folder: join(folder, 'none') })).rejects.toMatchObject({
      code: 'RUN1041',
      message: 'there is no C compiler on the PATH: cc, gcc, clang, zig cc, python3 -m ziglang cc',
    });
  } finally {
    process.env['PATH'] = PATH;
  }
});

test('a compiler that fails is quoted, and leaves no file (RUN1041)', async () => {
  const cc = join(folder, 'cc');
  writeFileSync(cc, '#!/bin/sh\necho "simwright.c:1: error: no such thing" >&2\nexit 1\n', { mode: 0o755 });
  await expect(buildModule({ folder: join(folder, 'failed'), compiler: [cc] })).rejects.toMatchObject({
    code: 'RUN1041',
    message: expect.stringContaining('simwright.c:1: error: no such thing'),
  });
  expect(existsSync(join(folder, 'failed/simwright.so'))).toBe(false);
  expect(readdirSync(join(folder, 'failed'))).toEqual([]);
});

test('a folder that cannot be made is refused (OUT1002)', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(buildModule({ folder: join(file, 'engine'), compiler: ['cc'] })).rejects.toMatchObject({
    code: 'OUT1002',
  });
});
