import { readFileSync } from 'node:fs';
import type { ServerConfig, ServerReport } from './config.js';
import { Rehearsal } from './rehearsal.js';

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ServerConfig;

function report(line: ServerReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const rehearsal = new Rehearsal(config, (progress, at) => report({ progress, at }));

// The command's end of the pipe is its life: when it has gone, all that was started goes. A line asks for an end in order.
process.stdin.on('data', () => rehearsal.stop('interrupted'));
process.stdin.on('end', () => process.exit(1));
process.stdin.on('error', () => process.exit(1));

report(await rehearsal.run());
process.exit(0);
