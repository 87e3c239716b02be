import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StagedFile } from '../../../src/ir/index.js';
import { Stager } from '../../../src/runtime/launch/stage.js';
import { makePlan } from '../support/make-plan.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'simwright-stage-'));
  mkdirSync(join(dir, 'artifacts'));
  writeFileSync(join(dir, 'artifacts/tool'), '#!/bin/sh\n', { mode: 0o644 });
  writeFileSync(join(dir, 'artifacts/input.in'), 'n = ;N;\n');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const files: StagedFile[] = [
  { kind: 'directory', to: 'out/frames' },
  { kind: 'copy', artifact: 'artifacts/tool', to: 'bin/tool', mode: 0o751 },
  { kind: 'configure', artifact: 'artifacts/input.in', to: 'input.in', mode: 0o600, tag: ';' },
  { kind: 'symlink', target: 'artifacts/tool', inPlan: true, to: 'links/tool' },
  { kind: 'symlink', target: '/opt/data/mesh', inPlan: false, to: 'mesh' },
];

function stager(staged: StagedFile[] = files): Stager {
  const [entity] = makePlan([{ name: 'sweep', params: { N: [1, 2] }, files: staged }]).entities;
  if (entity === undefined) throw new Error('no entity');
  return new Stager(dir, entity);
}

describe('Stager', () => {
  test('writes files, folders and links with their modes', () => {
    const member = join(dir, 'run/sweep/sweep_0');
    stager().stage(member, { N: 1 });
    expect(statSync(join(member, 'bin/tool')).mode & 0o7777).toBe(0o751);
    expect(statSync(join(member, 'input.in')).mode & 0o7777).toBe(0o600);
    expect(readFileSync(join(member, 'input.in'), 'utf8')).toBe('n = 1\n');
    expect(readdirSync(join(member, 'out/frames'))).toEqual([]);
    expect(readlinkSync(join(member, 'links/tool'))).toBe('../../../../artifacts/tool');
    expect(readFileSync(join(member, 'links/tool'), 'utf8')).toBe('#!/bin/sh\n');
    expect(readlinkSync(join(member, 'mesh'))).toBe('/opt/data/mesh');
    expect(JSON.parse(readFileSync(join(member, 'params.json'), 'utf8'))).toEqual({ N: 1 });
    expect(statSync(join(dir, 'artifacts/tool')).mode & 0o777).toBe(0o644);
  });

  test('a second time, renews its files and keeps what the application wrote', () => {
    const member = join(dir, 'run/sweep/sweep_0');
    stager().stage(member, { N: 1 });
    writeFileSync(join(member, 'input.in'), 'changed');
    writeFileSync(join(member, 'out/frames/1.png'), 'mine');
    stager().stage(member, { N: 2 });
    expect(readFileSync(join(member, 'input.in'), 'utf8')).toBe('n = 2\n');
    expect(readFileSync(join(member, 'out/frames/1.png'), 'utf8')).toBe('mine');
    stager().stage(member, { N: 2 }, () => renameSync(member, join(dir, 'aside')));
    expect(readdirSync(join(member, 'out/frames'))).toEqual([]);
    expect(readdirSync(join(dir, 'run/sweep'))).toEqual(['sweep_0']);
    expect(readFileSync(join(dir, 'aside/out/frames/1.png'), 'utf8')).toBe('mine');
  });

  test('an application that has written through a staged file or link has not changed the artifact', () => {
    const member = join(dir, 'run/sweep/sweep_0');
    stager().stage(member, { N: 1 });
    writeFileSync(join(member, 'bin/tool'), 'changed');
    expect(readFileSync(join(dir, 'artifacts/tool'), 'utf8')).toBe('#!/bin/sh\n');
  });

  test('leaves no directory when a file is missing', () => {
    const staged: StagedFile[] = [...files, { kind: 'copy', artifact: 'artifacts/no', to: 'no', mode: 0o644 }];
    const member = join(dir, 'run/sweep/sweep_0');
    expect(() => stager(staged).stage(member, { N: 1 })).toThrow('artifacts/no, which becomes no of sweep');
    expect(existsSync(member)).toBe(false);
    expect(readdirSync(join(dir, 'run/sweep'))).toEqual([]);
  });
});
