// The flagship, compiled and run by simwright, against its six members run by xargs -P2 without store, staging or analysis.
// usage: node bench/flagship.mjs [RUNS]
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { line, median, secondsOf } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = join(root, 'examples/cavity');
const runs = Number(process.argv[2] ?? 3);
const scratch = mkdtempSync(join(tmpdir(), 'bench-flagship-'));

/** The members' directories, laid out before the clock starts. */
function bareMembers() {
  const template = readFileSync(join(example, 'cavity.in'), 'utf8');
  const members = [100, 400, 1000].flatMap((reynolds) => [0.1, 0.15].map((lid) => ({ reynolds, lid })));
  return members.map(({ reynolds, lid }, index) => {
    const folder = join(scratch, `bare_${index}`);
    mkdirSync(folder);
    for (const file of ['solver.mjs', 'lattice.mjs', 'run-to-steady.mjs', 'profiles.mjs', 'read-input.mjs']) {
      cpSync(join(example, file), join(folder, file));
    }
    const filled = template
      .replaceAll(';REYNOLDS;', String(reynolds))
      .replaceAll(';LID;', String(lid))
      .replaceAll(';GRID;', '96');
    writeFileSync(join(folder, 'cavity.in'), filled);
    return folder;
  });
}

try {
  const folders = bareMembers();
  mkdirSync(join(scratch, 'node_modules'));
  // The solver imports the client, and uses it only where there is a store.
  cpSync(join(root, 'dist/bundle/client.mjs'), join(scratch, 'node_modules/simwright/client.mjs'));
  writeFileSync(
    join(scratch, 'node_modules/simwright/package.json'),
    '{"name":"simwright","exports":{"./client":"./client.mjs"}}',
  );
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^SS(DB|KEY)/.test(name)));
  const ours = [];
  const bare = [];
  for (let run = 0; run < runs; run++) {
    const cli = ['dist/cli/main.js', 'run', 'examples/cavity/workflow.ts', '--fresh', '--out', join(scratch, 'cavity')];
    ours.push(await secondsOf(process.execPath, cli, { cwd: root, stdio: 'ignore' }));
    const line = `printf '%s\\0' "$@" | xargs -0 -P2 -I{} sh -c 'cd "$1" && node solver.mjs' sh {}`;
    bare.push(await secondsOf('bash', ['-c', line, 'bash', ...folders], { env }));
  }
  console.log(line('simwright run (compile, store, six, analysis)', ours, 's'));
  console.log(line('xargs -P2 (the six members alone)', bare, 's'));
  const ratios = ours.map((value, index) => value / bare[index]);
  console.log(
    `ratio ${median(ratios).toFixed(3)} (${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}); whole run limit: 90 s`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
