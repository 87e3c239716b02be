import { describe, expect, test } from 'vitest';
import { countShares, type Entry, roomBeside, roomInLine } from '../../../../src/runtime/launch/pool/books.js';
import { describeWait } from '../../../../src/runtime/launch/pool/describe-wait.js';
import { type Need, type PoolNode, Room, withinNodes } from '../../../../src/runtime/launch/pool/room.js';

const nodesOf = (...sizes: readonly (readonly [cpus: number, gpus: number])[]): PoolNode[] =>
  sizes.map(([cpus, gpus], index) => ({
    name: `n${index + 1}`,
    cpus,
    gpus: Array.from({ length: gpus }, (_, gpu) => gpu),
  }));

const need = (given: Partial<Need>): Need => ({ nodes: 1, cpus: 1, gpus: 0, among: [0, 1, 2, 3], ...given });

const entry = (pid: number, given: Partial<Entry>): Entry => ({
  pid,
  startTicks: '1',
  entity: `e${pid}`,
  shares: [],
  ...given,
});

describe('a share of the room', () => {
  test('is on the emptiest nodes, in their order', () => {
    const room = new Room(nodesOf([4, 0], [4, 0], [4, 0]));
    room.take({ nodes: [0], cpus: 3, gpus: [] });
    room.take({ nodes: [1], cpus: 1, gpus: [] });
    expect(room.fit(need({ cpus: 2 }))?.nodes).toEqual([2]);
    expect(room.fit(need({ nodes: 2, cpus: 2 }))?.nodes).toEqual([1, 2]);
    expect(room.fit(need({ nodes: 3, cpus: 2 }))).toBeUndefined();
  });

  test('has the CPUs of a store that shares them last, and its memory where that is named', () => {
    const [first, second] = nodesOf([4, 0], [4, 0]);
    const room = new Room([
      { ...(first as PoolNode), sharedCpus: 2, memoryMiB: 100 },
      { ...(second as PoolNode), memoryMiB: 100 },
    ]);
    const some = need({ among: [0, 1] });
    const places = Array.from({ length: 9 }, () => {
      const share = room.fit(some);
      if (share !== undefined) room.take(share);
      return share?.nodes.join();
    });
    expect(places).toEqual(['1', '1', '0', '1', '0', '1', '0', '0', undefined]);
    const large = new Room(nodesOf([4, 0]).map((node) => ({ ...node, memoryMiB: 100 })));
    const hungry = need({ among: [0], memoryMiB: 60 });
    large.take(large.fit(hungry) ?? { nodes: [], cpus: 0, gpus: [] });
    expect([large.fit(hungry), large.fit(need({ among: [0] }))?.nodes]).toEqual([undefined, [0]]);
    expect(
      withinNodes(need({ among: [0], memoryMiB: 300 }), [{ ...(first as PoolNode), memoryMiB: 100 }]),
    ).toMatchObject({
      memoryMiB: 100,
    });
  });

  test('has GPUs that nobody has, the same on all nodes', () => {
    const room = new Room(nodesOf([8, 2], [8, 2], [8, 2]));
    room.take({ nodes: [0], cpus: 1, gpus: [0] });
    room.take({ nodes: [1], cpus: 1, gpus: [1] });
    expect(room.fit(need({ gpus: 2 }))).toEqual({ nodes: [2], cpus: 1, gpus: [0, 1] });
    expect(room.fit(need({ nodes: 2, gpus: 1 }))).toEqual({ nodes: [0, 2], cpus: 1, gpus: [1] });
    expect(room.fit(need({ nodes: 3, gpus: 1 }))).toBeUndefined();
  });

  test('is on nodes of its group', () => {
    expect(new Room(nodesOf([4, 0], [2, 0])).fit(need({ among: [1] }))?.nodes).toEqual([1]);
  });
});

test('a member that fits no node runs alone on what there is', () => {
  const nodes = nodesOf([4, 1], [3, 2]);
  expect(withinNodes(need({ nodes: 3, cpus: 16, among: [0, 1] }), nodes)).toMatchObject({ nodes: 2, cpus: 3 });
  expect(withinNodes(need({ cpus: 16, gpus: 4, among: [0, 1] }), nodes)).toMatchObject({ cpus: 0, gpus: 0 });
  expect(withinNodes(need({ gpus: 4, among: [0, 1] }), nodes)).toMatchObject({ cpus: 1, gpus: 2 });
  expect(withinNodes(need({ cpus: 2, gpus: 1, among: [0, 1] }), nodes)).toMatchObject({ cpus: 2, gpus: 1 });
});

describe('the line', () => {
  const nodes = nodesOf([4, 0], [4, 0]);
  const small = entry(1, { shares: [{ nodes: [0], cpus: 1, gpus: [], members: 3 }] });
  const wide = entry(2, { waits: { turn: 1, need: need({ nodes: 2, cpus: 4, among: [0, 1] }) } });
  const notUrgent = () => false;
  const late = (among: readonly number[], isUrgent = false) => ({
    turn: 2,
    need: need({ among }),
    isUrgent,
  });

  test('members that are alike count together', () => {
    const share = { nodes: [0], cpus: 1, gpus: [] };
    expect(countShares([share, { ...share, nodes: [1] }, { ...share }])).toEqual([
      { ...share, members: 2 },
      { ...share, nodes: [1], members: 1 },
    ]);
    expect(roomBeside(nodes, [small]).fit(need({ cpus: 2, among: [0] }))).toBeUndefined();
    expect(roomBeside(nodes, [small]).fit(need({ cpus: 1, among: [0] }))).toBeDefined();
  });

  test('nobody passes a wide member that waits for the same nodes', () => {
    expect(roomInLine(nodes, [small, wide], late([0, 1]), notUrgent)).toBeUndefined();
    expect(roomInLine(nodes, [small, wide], { ...late([0, 1]), turn: 0 }, notUrgent)).toBeDefined();
  });

  test('those who wait for other nodes are not held up', () => {
    const apart = entry(2, { waits: { turn: 1, need: need({ nodes: 1, cpus: 8, among: [1] }) } });
    expect(roomInLine(nodes, [small, apart], late([0]), notUrgent)).toBeDefined();
  });

  test('who can go next has its room kept', () => {
    const next = entry(2, { waits: { turn: 1, need: need({ cpus: 4, among: [1] }) } });
    expect(roomInLine(nodes, [small, next], late([0, 1]), notUrgent)?.fit(need({ cpus: 4 }))).toBeUndefined();
  });

  test('members that those who hold hosts wait for come first', () => {
    expect(roomInLine(nodes, [small, wide], late([0, 1], true), notUrgent)?.fit(need({}))).toBeDefined();
    expect(roomInLine(nodes, [small, wide], late([0, 1], true), () => true)).toBeUndefined();
  });

  test('why a member waits is said with those who hold its nodes', () => {
    expect(describeWait(need({ nodes: 2, cpus: 4, gpus: 1, among: [0, 1] }), nodes, [small, wide])).toBe(
      'waits for 2 nodes of 4 CPUs and 1 GPU each: e1 holds n1',
    );
    expect(describeWait(need({ among: [1] }), nodes, [small])).toBe('waits for 1 node of 1 CPU');
  });
});
