import { type ErfRank, readErf } from '../../src/rehearse/launchers/erf.js';

/** Ranks of an explicit resource file. @throws Error if two of a host share CPUs, of which jsrun would but warn. */
export function ranksOf(text: string): readonly ErfRank[] {
  const { ranks, doubts } = readErf(text);
  if (doubts.length > 0) throw new Error(doubts.join('; '));
  return ranks;
}
