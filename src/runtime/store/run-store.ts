import { join } from 'node:path';
import type { Plan, StandaloneStore, Store } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { removeUnusedJobFolder } from '../job/job-folder.js';
import { savedFolder, storeJobFolder } from '../job/paths.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { statsFile } from '../store-files/stats-files.js';
import { toWire } from '../supervisor/messages.js';
import type { Engine, StoreArguments } from './engine.js';
import { startEngine } from './engines.js';
import type { Holder } from './holder.js';
import { KeyQuestions } from './key-questions.js';
import { LogFile } from './log-file.js';
import { pinProcess } from './pin-process.js';
import { saveAtEnd } from './save-at-end.js';
import { SocketKeeper } from './socket-keeper.js';
import { keepStatsFile } from './stats-file.js';

/** A store's process on one node: starts its engine, loads its models, says so, and lives until it is told to end. */
export async function runStore(job: JobEnvironment, holder: Holder, args: StoreArguments): Promise<number> {
  const plan = readPlan(job.dir);
  const store = storeOf(plan, args.store);
  const folder = storeJobFolder(job, store.name);
  const log = new LogFile(join(folder, `${thisHost()}.log`));
  const { ended } = holder;
  let engine: Engine | undefined;
  let keeper: SocketKeeper | undefined;
  let questions: KeyQuestions | undefined;
  try {
    // Before it has threads: those it starts later inherit the CPUs.
    if (store.kind === 'colocated' && store.pin !== undefined) pinProcess(store.name, store.pin);
    const { arrange, say, hear } = holder;
    const running = await startEngine({ job, plan, store, args, log, arrange, say, hear });
    engine = running;
    keeper = SocketKeeper.of(job, running.addresses);
    questions = new KeyQuestions(() => running.addresses);
    holder.answer(questions.exists);
    await Promise.race([running.ready(), ended]);
    const stopStats = keepStatsFile(statsFile(folder, thisHost(), process.pid), () => running.stats());
    const { addresses, runId, restored, shards } = running;
    holder.say({
      ready: {
        host: thisHost(),
        addresses: [...addresses],
        pid: process.pid,
        runId,
        restored: [...restored],
        shards: [...shards],
      },
    });
    log.write('info', `ready at ${addresses.join(', ')}`);
    await ended;
    await running.stopWrites?.();
    if (store.kind === 'standalone' && store.saveAtEnd.length > 0)
      await Promise.all(running.addresses.map((address) => saveTensors(job, store, address, log)));
    await running.refreshStats();
    stopStats();
    await end(job, plan, store, running, log, holder);
    holder.say({ ended: { host: thisHost() } });
    return 0;
  } catch (error) {
    const problem = toWire(error, 'RUN1004');
    log.write('error', problem.message);
    holder.say({ failed: problem, host: thisHost() });
    return 1;
  } finally {
    await questions?.close();
    await engine?.stop(false);
    keeper?.release();
    removeUnusedJobFolder(job);
    if (engine?.isStuck === true) log.write('warn', 'a model still runs, which only the end of this process stops');
    log.close();
    await holder.close();
    // Node would wait for its thread.
    if (engine?.isStuck === true) process.kill(process.pid, 'SIGKILL');
  }
}

/** Ends the store, with a checkpoint if its data are still needed. One that cannot be written is said, and ends nothing else. */
async function end(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  engine: Engine,
  log: LogFile,
  { say }: Holder,
): Promise<void> {
  // Most of a start is reading code, and this is for the end.
  const { isToBeSaved } = await import('../rerun/saving.js');
  const save = isToBeSaved(job, plan, store, (users) => {
    if (users.length > 0) log.write('info', `saves, since ${users.join(', ')} can read it and has not completed`);
  });
  if (save) say({ saving: { host: thisHost() } });
  try {
    await engine.stop(save);
    if (save) say({ saved: { host: thisHost() } });
    log.write('info', save ? 'saved, and ended' : 'ended');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say({ notSaved: { host: thisHost(), reason } });
    log.write('info', 'ended');
  }
}

/** A store ends whatever becomes of its tensors: what is wrong is for its log. */
async function saveTensors(job: JobEnvironment, store: StandaloneStore, address: string, log: LogFile): Promise<void> {
  const folder = savedFolder(job, store.name);
  try {
    const count = await saveAtEnd(address, store.saveAtEnd, folder, (message) => log.write('error', message));
    log.write('info', `saved ${count} tensors of ${address} in ${folder}`);
  } catch (error) {
    log.write('error', `tensors were not saved: ${error instanceof Error ? error.message : String(error)}`);
  }
}
