import { expect, test } from 'vitest';
import type { Entity } from '../../../src/ir/index.js';
import { standIn } from '../../../src/ml/devices.js';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { MemberSelection } from '../../../src/runtime/job/member-selection.js';
import { parseDeviceMap } from '../../../src/runtime/store/device-map.js';

const ensemble = (name: string, count: number): Pick<Entity, 'name' | 'members'> => ({
  name,
  members: { strategy: 'all-perm', axes: [], replicas: count, count },
});

test('members of named ensembles; the others as a whole', () => {
  const chosen = MemberSelection.parse('sweep:0,2-3 other:1');
  const has = [0, 1, 2, 3, 4].filter((index) => chosen?.has('sweep', index));
  expect(has).toEqual([0, 2, 3]);
  expect(chosen?.count(ensemble('sweep', 10))).toBe(3);
  expect(chosen?.count(ensemble('third', 10))).toBe(10);
  expect(MemberSelection.parse('')?.has('sweep', 7)).toBe(true);
  expect(MemberSelection.parse(undefined)?.count(ensemble('sweep', 4))).toBe(4);
});

test.each(['sweep', 'sweep:', 'sweep:a', ':1', 'sweep:1;2'])('%s is malformed', (text) => {
  expect(MemberSelection.parse(text)).toBeUndefined();
  expect(() => readJobEnvironment({ SIMWRIGHT_JOB: 'e', SIMWRIGHT_MEMBERS: text }, '/')).toThrow(
    expect.objectContaining({ code: 'RUN1014', message: expect.stringContaining('is no list of members') }),
  );
});

test('a device map names pairs of devices; GPU is all GPUs that it does not name itself', () => {
  const map = parseDeviceMap('gpu:1=GPU:0,GPU=CPU');
  expect(map).toEqual({ 'GPU:1': 'GPU:0', GPU: 'CPU' });
  expect(['GPU', 'GPU:0', 'GPU:1', 'GPU:70', 'CPU'].map((device) => standIn(map, device))).toEqual([
    ...['CPU', 'CPU', 'GPU:0', 'CPU', 'CPU'],
  ]);
  expect(standIn({ 'GPU:0': 'CPU' }, 'GPU')).toBe('CPU');
  expect(parseDeviceMap(undefined)).toEqual({});
  expect(parseDeviceMap('GPU=CPU:1')).toEqual({ GPU: 'CPU:1' });
  for (const wrong of ['GPU', 'GPU=CPU=CPU', 'GPU:123456=CPU'])
    expect(() => parseDeviceMap(wrong)).toThrow('two devices');
  expect(() => parseDeviceMap('GPU=TPU')).toThrow(expect.objectContaining({ code: 'RUN1014' }));
});
