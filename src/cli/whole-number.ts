import { InvalidArgumentError } from 'commander';

/** Reads an option's value as a whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`a whole number from ${least} on is expected.`);
  };
}
