/** Hosts of a rehearsal: how a process gets onto one, and how one fails. */
export interface Hosts {
  /** Sentence for users: what each node has of its own. */
  readonly says: string;
  /** Makes a host ready; at once where it is. */
  ready(host: string): Promise<void>;
  /** Prefix of a command that brings it onto a host. */
  enter(host: string): readonly string[];
  /** Variables that a process on a host has. */
  environment(host: string): Readonly<Record<string, string>>;
  /** Takes a host off the network and ends what runs on it. */
  cut(host: string): void;
}

/** Address of a host, by its place among all, on a network: 0 is that of its name. */
export function addressOf(place: number, network = 0): string {
  return `10.${97 + network}.${1 + Math.floor(place / 250)}.${1 + (place % 250)}`;
}

/** Names that a host is called by as well: those who know nodes by their numbers look for `nid00012`. */
export function otherNames(name: string): string[] {
  const number = /^\D+(\d+)$/.exec(name)?.[1];
  return number === undefined ? [] : [`nid${number.padStart(5, '0')}`].filter((other) => other !== name);
}
