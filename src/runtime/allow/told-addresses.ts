import { isIP } from 'node:net';
import * as z from 'zod';

/** Word of a node: its name and its addresses, which become names of files. */
const ToldAddresses = z.strictObject({
  host: z.string().min(1),
  addresses: z.array(z.string().refine((text) => isIP(text) !== 0 && !text.includes('%'))),
});
export type ToldAddresses = z.infer<typeof ToldAddresses>;

/** The word of a node in a line of its launcher's output, with a label in front where the launcher is told to write one; `undefined` for any other line. */
export function parseTold(line: string): ToldAddresses | undefined {
  const start = line.indexOf('{"host":');
  if (start === -1) return undefined;
  try {
    return ToldAddresses.safeParse(JSON.parse(line.slice(start))).data;
  } catch {
    return undefined;
  }
}
