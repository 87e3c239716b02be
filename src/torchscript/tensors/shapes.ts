import { failed } from '../problem.js';

/** Shape of which all the shapes can be made by repetition. @throws Refusal */
export function broadcast(...shapes: readonly (readonly number[])[]): readonly number[] {
  return shapes.reduce(broadcastTwo, []);
}

function broadcastTwo(one: readonly number[], other: readonly number[]): readonly number[] {
  const rank = Math.max(one.length, other.length);
  return Array.from({ length: rank }, (_, at) => {
    const a = one[at - rank + one.length] ?? 1;
    const b = other[at - rank + other.length] ?? 1;
    if (a === b || b === 1) return a;
    if (a === 1) return b;
    throw failed(`The size of tensor a (${a}) must match the size of tensor b (${b}) at non-singleton dimension ${at}`);
  });
}

/** A dimension's index, counted from the front. @throws Refusal if there is no such dimension among `rank` */
export function dimension(index: number, rank: number): number {
  const size = Math.max(rank, 1);
  if (index >= -size && index < size) return index < 0 ? index + size : index;
  throw failed(`Dimension out of range (expected to be in range of [${-size}, ${size - 1}], but got ${index})`);
}

/** Dimensions, each counted from the front and given once. @throws Refusal */
export function dimensions(indices: readonly number[], rank: number): number[] {
  const found = indices.map((index) => dimension(index, rank));
  const twice = found.find((index, at) => found.indexOf(index) !== at);
  if (twice !== undefined) throw failed(`dim ${twice} appears multiple times in the list of dims`);
  return found;
}

/** The shape after dimensions have been reduced to one element each, which are kept or left out. */
export function reduced(shape: readonly number[], over: readonly number[], keep: boolean): number[] {
  return shape.flatMap((size, at) => (over.includes(at) ? (keep ? [1] : []) : [size]));
}

/** A shape with one size left out (-1) filled in. @throws Refusal if the elements do not fit */
export function inferred(sizes: readonly number[], count: number): number[] {
  const free = sizes.filter((size) => size === -1).length;
  if (free > 1) throw failed('only one dimension can be inferred');
  if (sizes.some((size) => size < -1)) throw failed(`invalid shape dimension ${sizes.find((size) => size < -1)}`);
  const given = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const fits = free === 0 ? given === count : given !== 0 && count % given === 0;
  if (!fits) throw failed(`shape '[${sizes.join(', ')}]' is invalid for input of size ${count}`);
  return sizes.map((size) => (size === -1 ? count / given : size));
}

/** Numbers from 0 up to the end. */
export function range(end: number): number[] {
  return Array.from({ length: end }, (_, at) => at);
}
