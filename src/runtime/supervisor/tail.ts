/** Keeps the last lines of a stream of text. */
export class Tail {
  readonly #limit: number;
  #text = '';

  constructor(limitCharacters = 4000) {
    this.#limit = limitCharacters;
  }

  add(text: string): void {
    this.#text = (this.#text + text).slice(-this.#limit);
  }

  /** The last `count` lines that are not empty. */
  lines(count: number): string[] {
    return this.#text
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '')
      .slice(-count);
  }
}
