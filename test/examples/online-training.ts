import { expect } from 'vitest';

interface Training {
  readonly epochs: number;
  readonly epochsWhileRunning: number;
  readonly samples: number;
  readonly samplesAtFirst: number;
  readonly versions: number;
  readonly firstLoss: number;
  readonly lossAtEndOfStream: number;
  readonly lastLoss: number;
}

interface Surrogate {
  readonly fields: number;
  readonly usedWhileRunning: number;
  readonly firstError: number;
  readonly lastErrorWhileRunning: number;
  readonly error: number;
}

/** Expects in the run of the online training what it finds wherever it runs. `read` reads a file of the compiled folder. */
export function expectLearned(read: (path: string) => string): void {
  const training = JSON.parse(read('run/trainer/training.json')) as Training;
  expect(training.samples, 'four cavities, 80 fields each').toBe(320);
  expect(training.samplesAtFirst).toBeLessThan(320);
  expect(training.epochsWhileRunning).toBeGreaterThan(0);
  // The end may come while the trainer asks for it: the epoch after that has all samples, too, and counts.
  expect([150, 151]).toContain(training.epochs - training.epochsWhileRunning);
  expect(training.versions).toBeGreaterThanOrEqual(2);
  expect(training.lastLoss).toBeLessThan(training.firstLoss / 50);
  const surrogate = JSON.parse(read('run/held-out/surrogate.json')) as Surrogate;
  expect(surrogate.fields).toBe(80);
  expect(surrogate.usedWhileRunning).toBeGreaterThan(0);
  expect(surrogate.error).toBeLessThan(0.05);
  expect(surrogate.firstError).toBeGreaterThan(surrogate.error);
  expect(read('run/held-out/held-out.out')).toMatch(/^ +240 +80 .* ok$/m);
  const picture = read('run/trainer/loss.svg');
  const [samples, losses] = [...picture.matchAll(/<polyline .* points="([^"]*)"/g)].map(([, points = '']) =>
    points.split(' '),
  );
  expect(samples).toHaveLength(training.epochs);
  expect(losses).toHaveLength(training.epochs);
  // SVG counts downwards: the last epoch's loss is below the first's.
  const heightOf = (point: string | undefined) => Number(point?.split(',')[1]);
  expect(heightOf(losses?.at(-1))).toBeGreaterThan(heightOf(losses?.[0]) + 50);
}
