import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Members } from '../../../src/ir/index.js';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { launch } from '../../../src/runtime/launch/launch.js';
import { makePlan } from '../support/make-plan.js';

/** A run: the members that the workflow has by then, which of its attempts fail, and what else has happened. */
interface Step {
  readonly kappa: readonly number[];
  readonly replicas: number;
  /** Runs of the application that fail, counted from 0. */
  readonly failing: readonly number[];
  readonly program: string;
  readonly fresh: boolean;
  readonly keep: boolean;
  /** A directory that the user removes before. */
  readonly removed: number | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  kappa: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
  replicas: fc.integer({ min: 1, max: 2 }),
  failing: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
  program: fc.constantFrom('one', 'one', 'one', 'two'),
  fresh: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  keep: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  removed: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 6, nil: undefined }),
});

/** Says what it does in a log of all runs, marks its directory, and marks it again when it succeeds. */
const application = `key=$(tr -d ' \\n' <params.json)$PROGRAM
[ -e id ] || { echo "$key-$RANDOM$RANDOM" >id; cat id >>../../ids; }
number=$(grep -c . ../../log || true)
echo "$key" >>../../log
case " $FAILING " in *" $number "*) exit 3 ;; esac
echo "$key" >completed`;

/** Text of a file; empty where there is none. */
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const linesOf = (path: string) =>
  read(path)
    .split('\n')
    .filter((line) => line !== '');

/** Counts by text. */
function count(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'simwright-rerun-'));
  #jobs = 0;
  #removed: string[] = [];
  readonly #discarded = new Set<string>();

  async run({ kappa, replicas, failing, program, fresh, keep }: Step): Promise<void> {
    const members: Members = {
      strategy: 'all-perm',
      axes: [{ name: 'KAPPA', values: [...kappa] }],
      replicas,
      count: kappa.length * replicas,
    };
    const commands = [[{ words: ['sh', program], tasks: 1 }]];
    const plan = makePlan([{ name: 'bar', kind: 'ensemble', members, commands, env: { PROGRAM: program } }]);
    mkdirSync(join(this.dir, 'run'), { recursive: true });
    writeFileSync(join(this.dir, 'run/log'), '');
    writeFileSync(join(this.dir, 'plan.json'), JSON.stringify(plan));
    const env = {
      PATH: process.env['PATH'],
      SIMWRIGHT_JOB: 'main',
      SIMWRIGHT_JOB_ID: `${this.#jobs++}`,
      SIMWRIGHT_FRESH: fresh ? '1' : '',
      SIMWRIGHT_KEEP: keep && !fresh ? '1' : '',
      FAILING: failing.join(' '),
    };
    await launch(readJobEnvironment(env, this.dir), {
      entity: 'bar',
      member: undefined,
      atMost: 1,
      line: ['bash', '-c', application],
      env,
      report: (problem) => {
        throw problem;
      },
    });
  }

  /** Names of the members' directories. */
  members(): string[] {
    const folder = join(this.dir, 'run/bar');
    return existsSync(folder) ? readdirSync(folder).filter((name) => /^bar_\d+$/.test(name)) : [];
  }

  remove(index: number): void {
    const path = join(this.dir, 'run/bar', `bar_${index}`);
    this.#removed.push(...linesOf(join(path, 'id')));
    rmSync(path, { recursive: true, force: true });
  }

  /** Record of what each completed member did. */
  completed(): string[] {
    return this.members().flatMap((name) => linesOf(join(this.dir, 'run/bar', name, 'completed')));
  }

  /** Record of what each completed member did whose directory was moved aside, but not with --fresh. */
  aside(): string[] {
    return this.asideNames()
      .filter((name) => !this.#discarded.has(name))
      .flatMap((name) => linesOf(join(this.dir, 'run/aside/bar', name, 'completed')));
  }

  /** Says that what is aside by now and was not before does not come back. */
  discard(before: readonly string[]): void {
    for (const name of this.asideNames()) if (!before.includes(name)) this.#discarded.add(name);
  }

  asideNames(): string[] {
    const folder = join(this.dir, 'run/aside/bar');
    return existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith('.json')) : [];
  }

  /** Ids of all directories that have ever existed, and of those that exist now. */
  ids(): { ever: string[]; now: string[] } {
    const files = readdirSync(join(this.dir, 'run'), { recursive: true, encoding: 'utf8' });
    const now = files.filter((name) => /\/id$/.test(name)).flatMap((name) => linesOf(join(this.dir, 'run', name)));
    const ever = linesOf(join(this.dir, 'run/ids')).filter((id) => !this.#removed.includes(id));
    return { ever: ever.sort(), now: now.sort() };
  }

  end(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

test('no completed member with the same digest runs twice, and no directory is lost', async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
      const world = new World();
      let wasRemoved = false;
      try {
        for (const one of steps) {
          if (one.removed !== undefined) world.remove(one.removed);
          wasRemoved ||= one.removed !== undefined;
          const before = count(world.completed());
          const aside = count(world.aside());
          const names = world.asideNames();
          await world.run(one);
          if (one.fresh) world.discard(names);
          const ran = count(linesOf(join(world.dir, 'run/log')));
          const keys = one.kappa.map((kappa) => `{"KAPPA":${kappa}}${one.program}`);
          for (const key of keys) {
            const most = one.fresh ? one.replicas : Math.max(0, one.replicas - (before.get(key) ?? 0));
            const missing = one.fresh ? most : Math.max(0, most - (aside.get(key) ?? 0));
            const times = ran.get(key) ?? 0;
            // A member that has run again since stays aside when the user removes what it did.
            if (wasRemoved && !one.keep) expect(times).toBeGreaterThanOrEqual(missing);
            if (wasRemoved) expect(times).toBeLessThanOrEqual(most);
            else if (one.keep) expect(times).toBeLessThanOrEqual(missing);
            else expect([key, times]).toEqual([key, missing]);
          }
          expect([...ran.keys()].filter((key) => !keys.includes(key))).toEqual([]);
          const { ever, now } = world.ids();
          expect(now).toEqual(ever);
          expect(world.members()).toHaveLength(keys.length * one.replicas);
          for (const name of world.members()) {
            const key = keys[Math.floor(Number(name.slice('bar_'.length)) / one.replicas)] ?? '';
            const path = join(world.dir, 'run/bar', name, 'completed');
            if (!existsSync(path)) continue;
            // Accepted as what it would be now.
            if (one.keep && !one.fresh) writeFileSync(path, `${key}\n`);
            expect([name, ...linesOf(path)]).toEqual([name, key]);
          }
        }
      } finally {
        world.end();
      }
    }),
    { numRuns: 40 },
  );
}, 360_000);
