/** An immutable list that grows at its end. Adding an item copies nothing. */
export class Chain<Item> {
  readonly #before: Chain<Item> | undefined;
  readonly last: Item | undefined;
  readonly length: number;

  private constructor(before: Chain<Item> | undefined, last: Item | undefined, length: number) {
    this.#before = before;
    this.last = last;
    this.length = length;
  }

  static empty<Item>(): Chain<Item> {
    return new Chain<Item>(undefined, undefined, 0);
  }

  with(item: Item): Chain<Item> {
    return new Chain(this, item, this.length + 1);
  }

  /** The list with another item in the place of its last. */
  withLast(item: Item): Chain<Item> {
    return new Chain(this.#before, item, this.length);
  }

  toArray(): Item[] {
    const items = new Array<Item>(this.length);
    for (let link: Chain<Item> | undefined = this; link !== undefined && link.length > 0; link = link.#before) {
      items[link.length - 1] = link.last as Item;
    }
    return items;
  }
}
