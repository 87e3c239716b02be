const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '0': '\0',
};

/** The number that a literal names, undefined if it is none of TorchScript's. */
export function numberOf(text: string): bigint | number | undefined {
  const plain = text.replaceAll('_', '');
  if (/^\d+$/.test(plain) || /^0[xob][\da-f]+$/i.test(plain)) return BigInt(plain);
  return /^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

/** The text that a literal names, undefined if it has a prefix. */
export function textOf(literal: string): string | undefined {
  const quoted = /^("""|'''|"|')([\s\S]*)\1$/.exec(literal);
  return quoted?.[2]?.replace(/\\([\s\S])/g, (whole, letter: string) => escapes[letter] ?? whole);
}
