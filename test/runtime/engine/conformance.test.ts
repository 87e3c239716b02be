import { describe, test } from 'vitest';
import { lacks, orSkipped } from './support/lacks.js';

/**
 * Tests of the embedded store, run on a server with our module and the AI layer beside it: the same commands, texts and clients. What a
 * server leaves to itself they leave out (`embeddedTest`). Clusters have
 * conformance-of-shards.test.ts.
 */
if (lacks === '') {
  process.env['SIMWRIGHT_TEST_ENGINE'] = 'redis';
  // A suite each, so that the hooks of one file are not those of all.
  describe('commands', async () => void (await import('../orchestrator/commands.test.js')));
  describe('models', async () => void (await import('../orchestrator/models.test.js')));
  describe('scripts and DAGs', async () => void (await import('../orchestrator/scripts-and-dags.test.js')));
  describe('every command', async () => void (await import('../orchestrator/every-command.test.js')));
  describe('transactions', async () => void (await import('../orchestrator/transactions.test.js')));
  describe('warm-up', async () => void (await import('../orchestrator/warm-up.test.js')));
  describe('clients', async () => void (await import('../orchestrator/python-client.test.js')));
} else {
  describe.skip(orSkipped('the commands on a server', lacks), () => test('every command', () => undefined));
}
