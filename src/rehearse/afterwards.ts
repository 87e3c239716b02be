import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Plan } from '../ir/index.js';
import { schedulers } from './schedulers/index.js';
import type { Answer, Call, Cluster, Job } from './standins.js';

/** File that marks a folder as a rehearsal's copy; it keeps what the fake machine knew of its jobs. */
export const marker = '.rehearsal';

/** Memory of a fake machine after its end. */
export interface Memory extends Pick<Cluster, 'name' | 'loginNode' | 'launchNode' | 'nodes' | 'user' | 'jobs'> {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** State of a machine, without the environment that jobs got handed on, which may hold secrets. */
export function memoryOf(machine: Omit<Memory, 'startedAt' | 'endedAt'> & Pick<Cluster, 'wallClock' | 'now'>): Memory {
  const { name, loginNode, launchNode, nodes, user } = machine;
  const jobs = machine.jobs.map(
    ({ id, request, submittedAt, runs }): Job => ({
      ...{ id, submittedAt },
      request: { ...request, env: {}, text: '' },
      runs: runs.map((run) => ({ ...run, job: undefined })),
    }),
  );
  return {
    name,
    loginNode,
    launchNode,
    nodes,
    user,
    jobs,
    startedAt: machine.wallClock(0),
    endedAt: machine.wallClock(machine.now()),
  };
}

export function keepMemory(dir: string, memory: Memory): void {
  writeFileSync(join(dir, marker), JSON.stringify(memory), { mode: 0o600 });
}

/** Answer of a scheduler's command about the jobs of a rehearsal that is over; `undefined` in any other folder. */
export function answerAfterwards(dir: string, [name = '', ...argv]: readonly string[]): Answer | undefined {
  let memory: Memory;
  let plan: Plan;
  try {
    memory = JSON.parse(readFileSync(join(dir, marker), 'utf8')) as Memory;
    plan = Plan.parse(JSON.parse(readFileSync(join(dir, 'plan.json'), 'utf8')));
  } catch {
    return undefined;
  }
  const command = schedulers[plan.target]?.commands[name];
  if (command === undefined) return undefined;
  const nothing = () => undefined;
  const call: Call = {
    ...{ name, argv, env: {}, cwd: dir, stdin: undefined, host: memory.loginNode, readFile: nothing },
    isDirectory: () => false,
  };
  return command(call, clusterOf(memory));
}

/** The machine as it was when it ended: nothing changes any more. */
function clusterOf({ startedAt, endedAt, ...rest }: Memory): Cluster {
  const now = () => (endedAt - startedAt) / 1000;
  return {
    ...rest,
    now,
    wallClock: (seconds = now()) => startedAt + seconds * 1000,
    submit: () => {
      throw new Error('a rehearsal that is over takes no jobs');
    },
    fits: () => false,
    cancel: () => false,
    signal: () => false,
    release: () => false,
    steps: () => [],
  };
}
