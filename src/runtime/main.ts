import { fileURLToPath } from 'node:url';
import { renderProblem, WorkflowError } from '../diagnostics/index.js';
import { asDiskProblem } from './job/disk-problem.js';
import { readJobEnvironment } from './job/job-environment.js';
import { keepDebuggerClosed } from './job/keep-debugger-closed.js';
import { keepAsPrivateAsPlan } from './job/private-files.js';
import { inferenceRole } from './orchestrator/inference/role.js';
import { launchesOf, parseVerb, UsageError } from './verb-arguments.js';
import { version } from './version.js';

const usage = `usage: simwright.mjs VERB …, called by the scripts in jobs/ from the folder of plan.json

  allow -- LAUNCH… [-- LAUNCH…]                let the job's nodes use its stores: ask each node for its addresses
  up STORE [-- LAUNCH…]                        start a store; returns when it answers, its models loaded
  launch ENTITY [--member I | --element E] [--at-most N] -- LINE…
                                               stage and run an entity's members
  skip ENTITY [--member I | --element E] -- REASON
                                               record that an entity is not launched
  why                                          say what a submission would run, and why
  hold STORE                                   wait until a store's users have ended
  down                                         end what the job left running, write run/members.csv
  --version | --help
`;

const bundle = fileURLToPath(import.meta.url);

/** Every verb loads its own rooms only, and an inference thread none of them: most of a start is reading code. */
async function run(verb: string | undefined, words: readonly string[]): Promise<number> {
  // It is started as applications are, in run/NAME.
  if (verb === 'ray-node') process.chdir('../..');
  const dir = process.cwd();
  keepAsPrivateAsPlan(dir);
  const job = () => readJobEnvironment(process.env, dir);
  switch (verb) {
    case 'allow': {
      const { line } = parseVerb(words, { line: 'needed' });
      const { allow } = await import('./allow/allow.js');
      return allow(job(), { launches: launchesOf(line), runtime: [process.execPath, bundle], env: process.env });
    }
    case 'addresses': {
      parseVerb(words, {});
      const { tellAddresses } = await import('./allow/tell-addresses.js');
      return tellAddresses();
    }
    case 'up': {
      const { operand, line } = parseVerb(words, { operand: 'STORE', line: 'optional' });
      const { up } = await import('./up/up.js');
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
      const { launch } = await import('./launch/launch.js');
      return launch(job(), { entity: operand, member, element, atMost, line, env: process.env, report });
    }
    case 'skip': {
      const { operand, numbers, line } = parseVerb(words, {
        operand: 'ENTITY',
        numbers: ['member', 'element'],
        line: 'needed',
      });
      const { skip } = await import('./launch/skip.js');
      return skip(job(), { entity: operand, member: numbers['member'], reason: line.join(' ') });
    }
    case 'why': {
      parseVerb(words, {});
      const { why } = await import('./rerun/why.js');
      return why(dir, process.env);
    }
    case 'hold': {
      const { operand } = parseVerb(words, { operand: 'STORE' });
      const { hold } = await import('./up/hold.js');
      return hold(job(), operand);
    }
    case 'down': {
      parseVerb(words, {});
      const { down } = await import('./down/down.js');
      return down(job());
    }
    case 'supervise': {
      parseVerb(words, {});
      const { runSupervisor } = await import('./supervisor/run-supervisor.js');
      return runSupervisor(job(), [process.execPath, bundle]);
    }
    case 'store': {
      const { operand, numbers, texts } = parseVerb(words, {
        operand: 'STORE',
        numbers: ['port'],
        texts: ['onnxruntime', 'python', 'id', 'holder', 'ports'],
      });
      const { id, onnxruntime: onnxRuntime, python } = texts;
      const ports = texts['ports']?.split(',').map(Number);
      // Its supervisor may tell it more of its environment.
      const { findHolder } = await import('./store/find-holder.js');
      const holder = await findHolder(process.env, id ?? '', texts['holder'] === 'link' ? 'link' : 'pipe');
      const { runStore } = await import('./store/run-store.js');
      const workerUrl = new URL(import.meta.url);
      return runStore(job(), holder, {
        store: operand,
        port: numbers['port'],
        onnxRuntime,
        python,
        id,
        ports,
        workerUrl,
      });
    }
    case 'ray-node': {
      const { operand } = parseVerb(words, { operand: 'CLUSTER' });
      const { runRayNode } = await import('./ray-node/ray-node.js');
      return runRayNode(operand, dir);
    }
    case 'ai-worker': {
      parseVerb(words, {});
      const { runWorkerProcess } = await import('./engine/worker-main.js');
      return runWorkerProcess();
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

if (inferenceRole() === undefined) {
  keepDebuggerClosed();
  await main();
} else {
  const { runInferenceWorker } = await import('./orchestrator/inference/worker.js');
  runInferenceWorker();
}
