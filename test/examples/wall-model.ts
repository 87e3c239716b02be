import { expect } from 'vitest';

interface Found {
  readonly steps: number;
  readonly modelOffLaw: number;
  readonly channels: readonly { readonly reynolds: number; readonly friction: number; readonly direct: number }[];
  readonly passed: boolean;
}

/** Expects in a channels.json what the wall model's workflow finds wherever it runs. */
export function expectRightFriction(text: string): void {
  const { steps, modelOffLaw, channels, passed } = JSON.parse(text) as Found;
  expect(passed).toBe(true);
  expect(steps).toBeGreaterThan(100);
  expect(modelOffLaw).toBeLessThan(0.0005);
  expect(channels.map(({ reynolds, direct }) => [reynolds, direct])).toEqual([
    [10_000, 543.496],
    [20_000, 1000.512],
    [125_000, 5185.897],
  ]);
  // As the solver finds with the law itself in the model's place, to a tenth of a percent.
  for (const [index, friction] of [535.2, 974.4, 5087.8].entries()) {
    const ratio = (channels[index]?.friction ?? 0) / friction;
    expect(Math.abs(ratio - 1), `channel ${index}`).toBeLessThan(0.001);
  }
}
