import { describe, expect, test } from 'vitest';
import { describeChange, paramChanges, recipeChanges } from '../../../src/runtime/rerun/change.js';
import { type Decisions, decide, type Facts } from '../../../src/runtime/rerun/decide.js';
import { describeSummary, summarizeDecisions } from '../../../src/runtime/rerun/describe.js';
import type { MemberEvent, MemberState } from '../../../src/runtime/status/index.js';

/** Members that have run: what each did, and how it ended. */
function eventsOf(...members: readonly (readonly [digest: string, state?: MemberState] | undefined)[]) {
  const events = members.flatMap((one, index): [number, MemberEvent][] => {
    if (one === undefined) return [];
    const [digest, state = 'completed'] = one;
    const common = { time: '2026-01-01T00:00:00.000Z', job: 'main', jobId: '1', entity: 'bar' };
    return [[index, { ...common, index, member: `bar_${index}`, digest, state }]];
  });
  return new Map(events);
}

function decided(now: readonly string[], events: Facts['events'], further: Partial<Facts> = {}): Decisions {
  return decide({
    count: now.length,
    digestOf: (index) => now[index] ?? '',
    events,
    hasDirectory: () => true,
    changesSince: () => [{ what: 'KAPPA', from: '0.5', to: '0.6' }],
    changedInputs: () => [],
    hasData: () => true,
    asideOf: () => [],
    isRunning: () => false,
    numberMatters: undefined,
    isPast: () => false,
    keep: false,
    ...further,
  });
}

/** A completed member whose directory stands aside. */
function aside(digest: string, index: number): Pick<Facts, 'asideOf'> {
  const [event] = eventsOf(...Array(index).fill(undefined), [digest]).values();
  return {
    asideOf: (asked) => (asked === digest && event !== undefined ? [{ name: `bar/bar_${index}.1`, event }] : []),
  };
}

function later(events: Facts['events']): [number, MemberEvent][] {
  return [...events].map(([index, event]) => [index, { ...event, time: '2026-01-02T00:00:00.000Z' }]);
}

const say = (decisions: Decisions) => describeSummary(summarizeDecisions(decisions), false);

describe('decide', () => {
  test.each<[string, readonly string[], Facts['events'], Partial<Facts>, string]>([
    ['nothing has run', ['a', 'b'], eventsOf(), {}, '2 new'],
    ['all has', ['a', 'b'], eventsOf(['a'], ['b']), {}, 'all 2 done'],
    ['a value more', ['a', 'b', 'c'], eventsOf(['a'], ['b']), {}, '1 new; 2 done'],
    ['a value in the middle', ['a', 'x', 'b'], eventsOf(['a'], ['b']), {}, '1 new; 2 done, 1 of them renumbered'],
    ['a value changed', ['a', 'x'], eventsOf(['a'], ['b']), {}, '1 changed: KAPPA 0.5 → 0.6; 1 done'],
    [
      'a value less',
      ['b'],
      eventsOf(['a'], ['b']),
      {},
      'all 1 done, 1 of them renumbered; 1 no longer a member, moved aside',
    ],
    ['two change places', ['b', 'a'], eventsOf(['a'], ['b']), {}, 'all 2 done, 2 of them renumbered'],
    ['more replicas', ['a', 'a', 'a'], eventsOf(['a'], ['a']), {}, '1 new; 2 done'],
    ['one failed', ['a', 'b'], eventsOf(['a'], ['b', 'failed']), {}, '1 failed; 1 done'],
    ['one was cut short', ['a', 'b'], eventsOf(['a'], ['b', 'running']), {}, '1 interrupted; 1 done'],
    ['one runs', ['a', 'b'], eventsOf(['a'], ['b', 'running']), { isRunning: () => true }, '1 running; 1 done'],
    [
      'a replica too many that failed',
      ['a'],
      eventsOf(['a', 'failed'], ['a']),
      {},
      'all 1 done, 1 of them renumbered; 1 no longer a member, moved aside',
    ],
    [
      'a directory is gone',
      ['a', 'b'],
      eventsOf(['a'], ['b']),
      { hasDirectory: ({ index }) => index === 0 },
      '1 whose directory is gone; 1 done',
    ],
    [
      'a number matters',
      ['a', 'x', 'b'],
      eventsOf(['a'], ['b']),
      { numberMatters: 'command holds {name}' },
      '1 new; 1 renumbered, whose command holds {name}; 1 done',
    ],
    [
      'data are gone',
      ['a', 'b'],
      eventsOf(['a'], ['b']),
      { hasData: ({ index }) => index === 0 || 'whose data the store no longer has' },
      '1 whose data the store no longer has; 1 done',
    ],
    ['inputs are others', ['a'], eventsOf(['a']), { changedInputs: () => ['mesh'] }, '1 input changed: mesh'],
    ['it starts afresh', ['a', 'b'], eventsOf(['a']), { isPast: () => true }, '1 run afresh; 1 new'],
    [
      'what is there is kept',
      ['a', 'x'],
      eventsOf(['a'], ['b']),
      { keep: true },
      'all 2 done, 1 of them kept as it is, though it has changed: KAPPA 0.5 → 0.6',
    ],
    [
      'what is there is kept, but for what is not there',
      ['a', 'x'],
      eventsOf(['a'], ['b']),
      { keep: true, hasDirectory: ({ index }) => index === 0 },
      '1 new; 1 done',
    ],
    [
      'what is there is kept, though it was made from something else',
      ['a', 'b', 'c'],
      eventsOf(['a'], ['b'], ['c']),
      { keep: true, changedInputs: ({ index }) => (index === 0 ? [] : ['mesh']) },
      'all 3 done, 2 of them kept as they are, though their input has changed: mesh',
    ],
    [
      'a value came back',
      ['a', 'b'],
      eventsOf(['a']),
      aside('b', 1),
      'all 2 done, 1 of them brought back from run/aside',
    ],
    [
      'it came back with another number',
      ['b', 'a'],
      eventsOf(['a']),
      aside('b', 1),
      'all 2 done, 1 of them renumbered, 1 of them brought back from run/aside',
    ],
    [
      'its number matters',
      ['a', 'x', 'b'],
      eventsOf(['a']),
      { ...aside('b', 1), numberMatters: 'command holds {name}' },
      '1 new; 1 renumbered, whose command holds {name}; 1 done',
    ],
    [
      'it was made from something else',
      ['a', 'b'],
      eventsOf(['a']),
      { ...aside('b', 1), changedInputs: ({ index }) => (index === 0 ? [] : ['mesh']) },
      '1 new; 1 done',
    ],
    [
      'its data are gone',
      ['a', 'b'],
      eventsOf(['a']),
      { ...aside('b', 1), hasData: ({ index }) => index === 0 || 'whose data the store no longer has' },
      '1 whose data the store no longer has: its directory is run/aside/bar/bar_1.1; 1 done',
    ],
    ['all starts afresh', ['a', 'b'], eventsOf(['a']), { ...aside('b', 1), isPast: () => true }, '1 run afresh; 1 new'],
    [
      'two replicas, and one came back',
      ['a', 'b', 'b'],
      eventsOf(['a']),
      aside('b', 1),
      '1 new; 2 done, 1 of them brought back from run/aside',
    ],
    [
      'it has run again since, and was removed',
      ['a', 'b'],
      new Map([...eventsOf(['a']), ...later(eventsOf(undefined, ['b']))]),
      { ...aside('b', 1), hasDirectory: ({ index }) => index === 0 },
      '1 whose directory is gone; 1 done',
    ],
  ])('%s', (_what, now, events, further, text) => {
    expect(say(decided(now, events, further))).toBe(text);
  });

  test('a failed member goes on in its directory; of one that has changed, or whose input has, it gives way', () => {
    const failed = eventsOf(['a', 'failed']);
    expect(decided(['a'], failed).members[0]).toMatchObject({ anew: false });
    expect(decided(['x'], failed).members[0]).toMatchObject({ anew: true });
    expect(decided(['a'], failed, { changedInputs: () => ['mesh'] }).members[0]).toMatchObject({ anew: true });
    expect(decided(['x', 'a'], failed).members[1]).toMatchObject({ from: 0, anew: false, reason: { kind: 'failed' } });
  });
});

describe('what is said', () => {
  test('groups by reason, and names values while they are few', () => {
    const changes = (to: string) => ({ kind: 'changed', changes: [{ what: 'KAPPA', from: '0.5', to }] }) as const;
    const members = [
      ...[0, 1, 2, 3].map((index) => ({ index, anew: true, reason: { kind: 'new' } as const })),
      { index: 4, anew: true, reason: changes('0.6') },
      ...[5, 6, 7].map((index) => ({
        index,
        anew: true,
        reason: { kind: 'changed', changes: [{ what: 'solver.py' }] } as const,
      })),
    ];
    expect(say({ members, leftovers: [] })).toBe('4 new; 3 changed: solver.py; 1 changed: KAPPA 0.5 → 0.6');
    const many = Array.from({ length: 50 }, (_, index) => ({ index, anew: true, reason: changes(`${index}`) }));
    expect(say({ members: many, leftovers: [] })).toBe('50 changed: KAPPA');
  });

  test('names files, variables, words and tasks, and shows no secret', () => {
    const command = (...words: (string | number)[]) => JSON.stringify([words]);
    const before = {
      command: command(1, 'sh', '--steps=3'),
      'file solver.py': '1',
      'variable A': '4',
      'variable TOKEN': 'hash 0123456789abcdef',
    };
    const now = {
      command: command(1, 'sh', '--steps=5'),
      'file solver.py': '2',
      'variable A': '8',
      'variable TOKEN': 'hash fedcba9876543210',
    };
    expect(recipeChanges(before, now).map(describeChange)).toEqual([
      'the word --steps=3 → --steps=5',
      'solver.py',
      'A 4 → 8',
      'TOKEN',
    ]);
    expect(recipeChanges({ command: command(1, 'a') }, { command: command(4, 'a') }).map(describeChange)).toEqual([
      'tasks 1 → 4',
    ]);
    expect(paramChanges({ A: 1, B: 'x'.repeat(99) }, { A: 1, B: 'y' }).map(describeChange)).toEqual(['B']);
    expect(paramChanges({ A: 1 }, { A: 1, B: 2 }).map(describeChange)).toEqual(['B 2 is new']);
  });
});
