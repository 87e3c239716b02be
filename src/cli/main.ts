#!/usr/bin/env node
/*
 * The command line's first file. Every Node.js can read it: it has nothing in it that one of 2018 does not know, and the build leaves it so. An
 * older Node.js than the rest of Simwright needs would stop at that one's syntax.
 */
// biome-ignore-all lint/complexity/useArrowFunction: see above
// biome-ignore-all lint/style/useTemplate: see above
// biome-ignore-all lint/complexity/noCommaOperator: see above
(function () {
  const needed = [20, 19];
  const parts = process.versions.node.split('.');
  const major = Number(parts[0]);
  if (major > Number(needed[0]) || (major === needed[0] && Number(parts[1]) >= Number(needed[1]))) {
    import('./program.js');
    return;
  }
  process.stderr.write(
    'simwright needs Node.js ' +
      needed.join('.') +
      ' or newer, and this is ' +
      process.version +
      ' (' +
      process.execPath +
      ')\n',
  );
  process.exitCode = 2;
})();
