import { InvalidArgumentError } from 'commander';

/** Reads an option's value as a whole number from `least` on, at most `most`. */
export function wholeNumber(least: number, most?: number): (text: string) => number {
  const range = most === undefined ? `${least} on` : `${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= least && value <= (most ?? value)) return value;
    throw new InvalidArgumentError(`a whole number from ${range} is needed.`);
  };
}
