/** Blue through white to red, equal steps. */
const ANCHORS = ['0b3c7d', '2b6cb0', '6aa6d6', 'b5d4ea', 'f7f7f7', 'f6c3a6', 'e07f63', 'bd3a3a', '7a0c25'].map((hex) =>
  [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)),
);

/** Red, green, blue (0 … 255) of a value from −1 to 1; values beyond take the end colours. @param {number} value */
export function diverging(value) {
  const place = (Math.min(Math.max(value, -1), 1) + 1) * 0.5 * (ANCHORS.length - 1);
  const index = Math.min(Math.floor(place), ANCHORS.length - 2);
  return ANCHORS[index].map((from, i) => Math.round(from + (place - index) * (ANCHORS[index + 1][i] - from)));
}

/** Line colours, told apart by people with colour vision deficiencies too. */
export const SERIES = ['#0072b2', '#d55e00', '#007a5e', '#7b4fa3', '#a0522d', '#444444'];
