/**
 * Judges the ensemble: reads each member's tensors, compares them with the table of Ghia, Ghia and Shin and with what the
 * surrogate said, prints a table, and writes cavity.json and cavity.svg in its working directory.
 *
 * Usage: node analyse.mjs        SSKEYIN lists the members
 * Exit codes: 0, 1 (a member is off, or its tensors cannot be read), 2 (usage)
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Client } from 'simwright/client';
import { readGhia } from './ghia.mjs';
import { judge, TOLERANCE } from './judge.mjs';
import { readMemberResult } from './member-result.mjs';
import { drawCavities } from './picture.mjs';
import { printTable } from './table.mjs';

/** Writes a file whole or not at all. @param {string} file @param {string} text */
function write(file, text) {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}

async function analyse() {
  const names = (process.env.SSKEYIN ?? '').split(',').filter((name) => name !== '');
  if (names.length === 0) {
    console.error('analyse: SSKEYIN names no member; register the ensemble as an incoming entity');
    return 2;
  }
  const table = readGhia();
  const client = await Client.connect();
  const judged = [];
  for (const name of names) {
    client.setDataSource(name);
    const member = await readMemberResult(client, name);
    judged.push({ member, verdict: judge(member, table) });
  }
  await client.close();

  printTable(judged);
  const passed = judged.every(({ verdict }) => verdict.failures.length === 0);
  const members = judged.map(({ member, verdict }) => {
    const { name, reynolds, lid, cells, steps } = member;
    const profiles = {
      profileU: Array.from(member.profileU),
      profileV: Array.from(member.profileV),
      surrogate: Array.from(member.surrogate),
    };
    return { name, reynolds, lid, cells, steps, time: (steps * lid) / cells, ...verdict, ...profiles };
  });
  write('cavity.json', `${JSON.stringify({ tolerance: TOLERANCE, passed, members }, null, 1)}\n`);
  write(
    'cavity.svg',
    drawCavities(
      judged.map(({ member }) => member),
      table,
    ),
  );
  for (const { member, verdict } of judged) {
    for (const failure of verdict.failures) console.error(`analyse: ${member.name}: ${failure}`);
  }
  return passed ? 0 : 1;
}

try {
  process.exitCode = await analyse();
} catch (error) {
  console.error(`analyse: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
