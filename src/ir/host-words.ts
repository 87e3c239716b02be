/** True for a word of a command that the runtime replaces by hosts of its launch. */
export function standsForHosts(word: string): boolean {
  return word === '{hosts}' || word === '{first_host}';
}
