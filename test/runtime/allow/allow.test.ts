import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseTold } from '../../../src/runtime/allow/told-addresses.js';
import { outerAddresses } from '../../../src/runtime/job/network-address.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { waitUntil } from '../support/wait-until.js';

const bundle = useBundle();

/** A job that uses a store on the network, of several that there are. */
const makeFolder = () =>
  new JobFolder(
    bundle(),
    makePlan(
      [{ name: 'sim', stores: ['db', 'inner'] }],
      [
        { name: 'db', scope: 'network' },
        { name: 'inner', scope: 'loopback' },
        { name: 'unused', scope: 'network' },
      ],
    ),
  );
const hosts = `export SIMWRIGHT_HOSTS="${hostname()} elsewhere"\n`;

describe('allow', () => {
  test('puts the addresses of nodes on the list of the stores that its job uses, which is closed to others', async () => {
    const folder = makeFolder();
    const list = 'run/stores/db/allow.$$';
    const end = await folder.run(
      `${hosts}umask 022\nruntime allow -- env A=1 -- env A=2\nls run/stores\nstat -c '%a' run run/stores/db ${list}\nstat -c '%a %n' ${list}/*`,
    );
    expect(end).toMatchObject({ code: 0, stderr: '' });
    const [stores, ...modes] = end.stdout.trimEnd().split('\n');
    expect([stores, ...modes.slice(0, 3)]).toEqual(['db', '755', '755', '700']);
    const listed = modes.slice(3).map((line) => line.replace(/ .*\//, ' '));
    expect(listed.sort()).toEqual([...new Set(outerAddresses())].map((address) => `600 ${address}`).sort());
    expect(outerAddresses().filter((address) => /^(127\.|::1$|fe80:)/.test(address))).toEqual([]);
    // Others may have these nodes next.
    expect(readdirSync(folder.path('run/stores/db'))).toEqual([]);
  });

  test.for([
    ['of a node that does not answer', 'env', ''],
    ['of a launcher that is not there', './no-launcher', '\n  spawn ./no-launcher ENOENT'],
    ['of one that fails', "bash -c 'echo no such host >&2; exit 3' launcher", '\n  no such host\n  bash: exit code 3'],
    ['of one that takes too long', "bash -c 'sleep 300' launcher", '\n  it took longer than 1 s\n  bash: SIGTERM'],
  ])('warns %s, and no job ends by it', async ([, launcher, why]) => {
    const folder = makeFolder();
    const job = folder.start(`${hosts}export SIMWRIGHT_UP_TIMEOUT=1\nruntime allow -- ${launcher}\necho goes on`);
    const end = await job.ended;
    expect(end).toMatchObject({ code: 0, stdout: 'goes on\n' });
    const silent = launcher === 'env' ? 'elsewhere' : `${hostname()}, elsewhere`;
    const text = `simwright: ${silent} told no addresses: stores take connections from there by the addresses of the name only`;
    expect(end.stderr).toBe(`${text}${why}\n`);
    await folder.expectNothingLeft(job);
  });

  test('ends at a signal, with its launcher', async () => {
    const folder = makeFolder();
    const job = folder.start(
      `${hosts}runtime allow -- bash -c 'touch begun; sleep 300' launcher & pid=$!\nuntil [ -e begun ]; do sleep 0.02; done\nkill $pid\nwait $pid`,
    );
    await waitUntil('its launcher runs', () => folder.has('begun'));
    expect(await job.ended).toMatchObject({ code: 143, stderr: '' });
    await folder.expectNothingLeft(job);
  });

  test('needs launchers', async () => {
    const calls = ['', '--', '-- env --', '-- -- env'].map((words) => `runtime allow ${words} || echo $?`);
    expect(await makeFolder().run(calls.join('\n'))).toMatchObject({ code: 0, stdout: '2\n2\n2\n2\n' });
  });
});

describe('the word of a node', () => {
  const addresses = ['10.0.0.1', '2001:db8::1'];

  test.each(['', '3: ', '[1,0]<stdout>:'])("behind the label '%s'", (label) => {
    expect(parseTold(`${label}${JSON.stringify({ host: 'n1', addresses })}`)).toEqual({ host: 'n1', addresses });
  });

  test.each([
    'slurmstepd: warning',
    '{"host":"n1"}',
    '{"host":"n1","addresses":["10.0.0.1"',
    '{"host":"n1","addresses":["../../../../etc/cron.d/x"]}',
    '{"host":"n1","addresses":["10.0.0.0/8"]}',
    '{"host":"n1","addresses":["fe80::1%../x"]}',
  ])('is not %s', (line) => {
    expect(parseTold(line)).toBeUndefined();
  });
});
