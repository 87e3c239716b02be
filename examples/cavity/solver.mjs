/**
 * One member of the ensemble: reads cavity.in in its working directory, computes the flow until it is steady, and keeps
 * the store up to date. Without SSDB in its environment it computes without a store.
 *
 * Usage: node solver.mjs [--check]     --check: judge the result at the end and exit 1 when it is off
 * Exit codes: 0, 1 (failed), 2 (usage, or a mistake in cavity.in), 143 (SIGTERM)
 *
 * Puts: parameters [Re, U, N], velocity [N, N, 2] as it develops, progress [time, change, seconds], surrogate_in and
 * surrogate_out at the surrogate's time, and at the end profile_u and profile_v [33] and steps [1].
 */
import { blockMeans, profile } from './profiles.mjs';
import { InputError, readInput } from './read-input.mjs';
import { runToSteady } from './run-to-steady.mjs';

const REPORT_EVERY = 5;

process.on('SIGTERM', () => process.exit(143));

/** @param {import('./read-input.mjs').Input} input @param {boolean} check */
async function solve({ reynolds, lid, grid, endTime, steadyChange, surrogateTime }, check) {
  const start = performance.now();
  const store = await openStore();
  await store?.putTensor('parameters', { dtype: 'DOUBLE', shape: [3], data: Float64Array.of(reynolds, lid, grid) });
  console.log(
    `Re ${reynolds}, U ${lid}, ${grid} x ${grid} cells, until ${endTime} L/U or a change below ${steadyChange}`,
  );

  let asked = false;
  for (const moment of runToSteady({ cells: grid, lid, reynolds, endTime, steadyChange })) {
    const { velocity, time, change, steady } = moment;
    const seconds = (performance.now() - start) / 1000;
    const ended = steady || time >= endTime - lid / grid;
    await store?.putTensor('velocity', { dtype: 'FLOAT', shape: [grid, grid, 2], data: Float32Array.from(velocity) });
    await store?.putTensor('progress', { dtype: 'DOUBLE', shape: [3], data: Float64Array.of(time, change, seconds) });
    // Moments come each whole L/U, to within half a step.
    if (!asked && (Math.round(time) >= surrogateTime || ended)) {
      asked = true;
      await store?.askSurrogate(Float32Array.from(blockMeans(velocity, grid)));
    }
    if (Math.round(time) % REPORT_EVERY === 0 || ended) {
      console.log(`t = ${time.toFixed(1)} L/U   change ${change.toExponential(2)} per L/U   ${seconds.toFixed(1)} s`);
    }
    if (ended) {
      const profiles = { profile_u: profile(velocity, grid, 'u'), profile_v: profile(velocity, grid, 'v') };
      for (const [name, data] of Object.entries(profiles)) {
        await store?.putTensor(name, { dtype: 'DOUBLE', shape: [data.length], data });
      }
      await store?.putTensor('steps', { dtype: 'INT32', shape: [1], data: Int32Array.of(moment.cavity.steps) });
      console.log(`${steady ? 'steady' : 'end time reached'} after ${moment.cavity.steps} steps`);
    }
    // Lets signals and the store's connection be served.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (check) await checkResult(store);
  await store?.close();
}

/** The store named by the environment, if any. */
async function openStore() {
  if (!process.env.SSDB) return undefined;
  const { Client } = await import('simwright/client');
  const client = await Client.connect();
  const name = process.env.SSKEYOUT ?? '';
  const sources = process.env.SSKEYIN ?? '';
  // What is written gets this member's prefix. What is read gets that of the data source; without one, the key is literal.
  if (sources !== '' && name !== '') client.setDataSource(name);
  /** @param {string} tensor */
  const ownKey = (tensor) => (sources === '' && name !== '' ? `${name}.${tensor}` : tensor);
  return {
    client,
    name,
    ownKey,
    /** @type {typeof client.putTensor} */
    putTensor: (tensor, value) => client.putTensor(tensor, value),
    /** @param {Float32Array} data */
    async askSurrogate(data) {
      await client.putTensor('surrogate_in', { dtype: 'FLOAT', shape: [1, data.length], data });
      await client.runModel('surrogate', [ownKey('surrogate_in')], ['surrogate_out']);
    },
    close: () => client.close(),
  };
}

/** @param {Awaited<ReturnType<typeof openStore>>} store */
async function checkResult(store) {
  if (store === undefined) throw new Error('--check reads the result back from the store, and SSDB is not set');
  const [{ judge }, { readGhia }, { readMemberResult }] = await Promise.all([
    import('./judge.mjs'),
    import('./ghia.mjs'),
    import('./member-result.mjs'),
  ]);
  const { failures } = judge(await readMemberResult(store.client, store.name, store.ownKey), readGhia());
  for (const failure of failures) console.error(`solver: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
  else console.log('check: within tolerance of the table and of the surrogate');
}

const options = process.argv.slice(2);
try {
  const unknown = options.find((option) => option !== '--check');
  if (unknown !== undefined) throw new InputError(`unknown option '${unknown}'; usage: node solver.mjs [--check]`);
  await solve(readInput('cavity.in'), options.includes('--check'));
} catch (error) {
  console.error(`solver: ${error instanceof Error ? error.message : error}`);
  process.exit(error instanceof InputError ? 2 : 1);
}
