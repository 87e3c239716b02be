import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSite, compile, writeFolder } from '../../src/compiler/index.js';
import { command, experiment } from '../../src/dsl/index.js';
import { type AuthoredExperiment, authoredExperiment } from '../../src/ir/index.js';
import { useBundle } from '../runtime/support/bundle.js';
import { word } from '../targets/word.js';

const bundle = useBundle();
const local = checkSite({ name: 'local', target: 'local' }, 'local', undefined);

/** Writes down what it was started with: its words and its environment, each ended by a NUL. */
const application = '#!/bin/bash\nprintf "%s\\0" "$0" "$@" >words\nenv -0 >environment\n';

/** What the runtime would replace in a command, as a user writes it who means the text itself. */
const literal = (text: string) => text.replace(/^\{+(?:args|dir|name|hosts)\}+$/, '{$&}');

/** A parameter as SmartSim writes it: `-n value`, `--name=value`; dashes of the user's own stay. */
function asWords(name: string, value: string): string[] {
  if (name.startsWith('--')) return [`${name}=${value}`];
  if (name.startsWith('-')) return [name, value];
  return name.length === 1 ? [`-${name}`, value] : [`--${name}=${value}`];
}

const fileName = word.filter((text) => text !== '' && !/^\.{0,2}$|\//.test(text));
const parameterName = word.filter((text) => text !== '' && text !== '__proto__' && text !== 'T');
const variables = fc.dictionary(fc.stringMatching(/^USER_[A-Za-z0-9_]{1,8}$/), word, { maxKeys: 5 });

test('any name, argument, variable and value reaches the application byte for byte, by real bash and the real runtime', async () => {
  await fc.assert(
    fc.asyncProperty(
      fileName,
      fc.array(word, { maxLength: 30 }),
      variables,
      parameterName,
      fc.uniqueArray(word, { minLength: 2, maxLength: 3 }),
      async (executable, args, env, parameter, values) => {
        const folder = realpathSync(mkdtempSync(join(tmpdir(), 'simwright-bytes-')));
        try {
          writeFileSync(join(folder, executable), application);
          chmodSync(join(folder, executable), 0o755);
          writeFileSync(join(folder, 'template.in'), 'a=;T;\r\n\xe9;T;', 'latin1');
          const authored = experiment('bytes')
            .ensemble('e', command(`./${executable}`, ...args.map(literal)).env(env))
            .params({ [parameter]: values, T: values }, { strategy: 'step', asArgs: [parameter] })
            .attach({ copy: executable, configure: 'template.in' });
          await run(authored, folder);
          for (const [index, value] of values.entries()) {
            const directory = join(folder, `out/run/e/e_${index}`);
            expect(parts(join(directory, 'words'))).toEqual([`./${executable}`, ...args, ...asWords(parameter, value)]);
            const got = parts(join(directory, 'environment'));
            for (const [name, text] of Object.entries(env)) expect(got).toContain(`${name}=${text}`);
            const filled = Buffer.concat([Buffer.from(`a=${value}\r\n`), Buffer.from([0xe9]), Buffer.from(value)]);
            expect(readFileSync(join(directory, 'template.in')).equals(filled)).toBe(true);
          }
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 16 },
  );
}, 720_000);

/** Compiles into out/, and runs the job's script there. */
async function run(authored: AuthoredExperiment, folder: string): Promise<void> {
  const { files } = compile({ ...authored[authoredExperiment], file: join(folder, 'workflow.ts') }, local);
  const out = join(folder, 'out');
  writeFolder(out, files);
  mkdirSync(join(out, 'runtime'), { recursive: true });
  cpSync(bundle(), join(out, 'runtime'), { recursive: true });
  const { exitCode, stderr } = await execa('bash', [join(out, 'jobs/bytes.sh')], { reject: false }).catch(() => ({
    exitCode: -1,
    stderr: '',
  }));
  if (exitCode !== 0) throw new Error(`the job ended ${exitCode}:\n${stderr}`);
}

/** What lies between a file's NULs. */
function parts(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}
