import fc from 'fast-check';

/** Anything that an argument can be: no NUL, which the kernel ends it at, and no half of a surrogate pair, which is no UTF-8. */
export const word = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab $`\\\'"!*?[]{}()<>|&;#~=%^,\n\t\r\u0001\u007fé€𝛼'), maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text)),
  fc.constantFrom(
    '',
    '~',
    '-n',
    '--',
    '{args}',
    '{{args}}',
    '{a,b}',
    '$(reboot)',
    '!!',
    'a=b',
    '*',
    '\\',
    "'",
    '"',
    '\n',
    '$HOME',
    '~root',
    '#x',
  ),
);
