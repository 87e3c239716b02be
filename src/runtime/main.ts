import { fileURLToPath } from 'node:url';
import { isMainThread, workerData } from 'node:worker_threads';
import { renderProblem, WorkflowError } from '../diagnostics/index.js';
import { down } from './down/down.js';
import { asDiskProblem } from './job/disk-problem.js';
import { readJobEnvironment } from './job/job-environment.js';
import { launch } from './launch/launch.js';
import { skip } from './launch/skip.js';
import { runSupervisor } from './supervisor/run-supervisor.js';
import { hold } from './up/hold.js';
import { up } from './up/up.js';
import { parseVerb, UsageError } from './verb-arguments.js';
import { version } from './version.js';

const usage = `usage: simwright.mjs VERB …, called by the scripts in jobs/ from the folder of plan.json

  up STORE [-- LAUNCH…]                        start a store; returns when it answers, its models loaded
  launch ENTITY [--member I | --element E] [--at-most N] -- LINE…
                                               stage and run an entity's members
  skip ENTITY [--member I | --element E] -- REASON
                                               record that an entity is not launched
  hold STORE                                   wait until a store's users have ended
  down                                         end what the job left running, write run/members.csv
  --version | --help
`;

const bundle = fileURLToPath(import.meta.url);

async function run(verb: string | undefined, words: readonly string[]): Promise<number> {
  const dir = process.cwd();
  const job = () => readJobEnvironment(process.env, dir);
  switch (verb) {
    case 'up': {
      const { operand, line } = parseVerb(words, { operand: 'STORE', line: 'optional' });
      return up(job(), { store: operand, launch: line, bundle, env: process.env });
    }
    case 'launch': {
      const { operand, numbers, line } = parseVerb(words, {
        operand: 'ENTITY',
        numbers: ['member', 'element', 'at-most'],
        line: 'needed',
      });
      const { member, element, 'at-most': atMost } = numbers;
      if (atMost === 0) throw new UsageError('--at-most 0: at least 1 is expected');
      if (member !== undefined && element !== undefined)
        throw new UsageError('--member and --element exclude each other');
      return launch(job(), { entity: operand, member, element, atMost, line, env: process.env, report });
    }
    case 'skip': {
      const { operand, numbers, line } = parseVerb(words, {
        operand: 'ENTITY',
        numbers: ['member', 'element'],
        line: 'needed',
      });
      return skip(job(), { entity: operand, member: numbers['member'], reason: line.join(' ') });
    }
    case 'hold':
      return hold(job(), parseVerb(words, { operand: 'STORE' }).operand);
    case 'down':
      parseVerb(words, {});
      return down(job());
    case 'supervise':
      parseVerb(words, {});
      return runSupervisor(job(), [process.execPath, bundle]);
    case 'store': {
      const { operand, numbers, texts } = parseVerb(words, {
        operand: 'STORE',
        numbers: ['port'],
        texts: ['onnxruntime'],
      });
      // The store's own rooms are loaded where they are used: the other verbs start in half the time.
      const { runStore } = await import('./store/run-store.js');
      return runStore(job(), {
        store: operand,
        port: numbers['port'],
        onnxRuntime: texts['onnxruntime'],
        workerUrl: new URL(import.meta.url),
      });
    }
    case '--version':
      process.stdout.write(`${version}\n`);
      return 0;
    case '--help':
      process.stdout.write(usage);
      return 0;
    default:
      throw new UsageError(verb === undefined ? 'a verb is expected' : `there is no verb '${verb}'`);
  }
}

/** Prints a problem on standard error, in the form of `simwright compile`. */
function report(thrown: unknown): void {
  const error = asDiskProblem(thrown);
  const text =
    error instanceof WorkflowError
      ? error.problems.map((problem) => renderProblem(problem, { cwd: process.cwd() })).join('\n')
      : `simwright: this is a bug: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  // Whoever reads our output may have gone: what we end and clean up matters more.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    process.exitCode = await run(process.argv[2], process.argv.slice(3));
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`simwright: ${error.message}\n${usage}`);
      process.exitCode = 2;
    } else {
      report(error);
      process.exitCode = asDiskProblem(error) instanceof WorkflowError ? 1 : 70;
    }
  }
  // Watches and sockets that are still open end with the process.
  process.exit();
}

if (isMainThread) {
  await main();
} else if ((workerData as { readonly simwright?: unknown } | null)?.simwright === 'inference') {
  const { runInferenceWorker } = await import('./orchestrator/index.js');
  runInferenceWorker();
}
