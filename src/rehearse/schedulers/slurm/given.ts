/** Options by their long names; the last of each counts. */
export type Options = ReadonlyMap<string, readonly string[]>;

export function lastOf(options: Options, name: string): string | undefined {
  return options.get(name)?.at(-1);
}
