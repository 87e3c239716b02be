// Reads Vitest's reports: `count REPORT...` prints one line that any reader can count and fails on a skip, `failed REPORT` names the files that failed.
import { readFileSync } from 'node:fs';

const [verb, ...files] = process.argv.slice(2);
const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
const [first] = reports;

if (verb === 'failed') {
  for (const { name, status } of first.testResults) if (status === 'failed') console.log(name);
} else {
  // Files of a later report were run again: their first results count no more.
  const again = new Set(reports.slice(1).flatMap(({ testResults }) => testResults.map(({ name }) => name)));
  const results = [
    ...first.testResults.filter(({ name }) => !again.has(name)),
    ...reports.slice(1).flatMap((one) => one.testResults),
  ];
  const states = results.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const count = (...which) => states.filter((state) => which.includes(state)).length;
  const skipped = count('pending', 'skipped', 'todo', 'disabled');
  console.log(`${count('passed')} passed, ${count('failed')} failed, ${skipped} skipped`);
  if (skipped > 0) {
    console.error('CI has every part, so nothing may skip here');
    process.exit(1);
  }
}
