import { describe, expect, test } from 'vitest';
import { commandNames, listed, loadCommand } from '../../src/cli/command-table.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const argumentsOf = (command: ReturnType<typeof listed>) =>
  command.registeredArguments.map((argument) => [argument.name(), argument.required]);

describe.each(commandNames)('%s', (name) => {
  test('is listed as it is', async () => {
    const command = await loadCommand(name);
    expect(command.name()).toBe(name);
    expect(command.description()).toBe(listed(name).description());
    expect(argumentsOf(listed(name))).toEqual(argumentsOf(command));
  });
});

test('--help lists every command, and help shows one with its options', async () => {
  const workspace = new Workspace();
  const all = await simwright(workspace, '--help');
  expect(all).toMatchObject({ exitCode: 0, stderr: '' });
  for (const name of commandNames) expect(all.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  const [one, same] = await Promise.all([
    simwright(workspace, 'help', 'compile'),
    simwright(workspace, 'compile', '--help'),
  ]);
  expect(one.stdout).toContain('--with-onnxruntime');
  expect(same).toEqual(one);
});

test('a command that there is not is wrong use, with the nearest', async () => {
  const end = await simwright(new Workspace(), 'complie');
  expect(end).toMatchObject({ exitCode: 2, stdout: '' });
  expect(end.stderr).toContain("unknown command 'complie'");
  expect(end.stderr).toContain('Did you mean compile?');
});
