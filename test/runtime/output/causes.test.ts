import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupByCause, tellingLine } from '../../../src/runtime/output/index.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simwright-causes-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function telling(err: string, out = ''): string | undefined {
  writeFileSync(join(directory, 'm.err'), err);
  writeFileSync(join(directory, 'm.out'), out);
  const found = tellingLine(directory, 'm');
  return found === undefined ? undefined : `${found.stream}: ${found.line}`;
}

/** Ends of real programs: the name, standard error, standard output, the line that tells. */
const ends: readonly (readonly [name: string, err: string, out: string, tells: string | undefined])[] = [
  [
    'Python',
    'Traceback (most recent call last):\n  File "/w/a.py", line 3, in <module>\n    step(812)\nValueError: NaN in cell 812\n',
    '',
    'err: ValueError: NaN in cell 812',
  ],
  [
    'Node.js, with the details of a system error',
    "node:fs:560\n  return binding.open(\n                 ^\n\nError: ENOENT: no such file or directory, open 'mesh.in'\n    at openSync (node:fs:560:18)\n    at file:///w/solver.mjs:3:1 {\n  errno: -2,\n  code: 'ENOENT',\n  syscall: 'open',\n  path: 'mesh.in'\n}\n\nNode.js v20.19.0\n",
    '',
    "err: Error: ENOENT: no such file or directory, open 'mesh.in'",
  ],
  [
    'gfortran, a signal',
    '\nProgram received signal SIGFPE: Floating-point exception - erroneous arithmetic operation.\n\nBacktrace for this error:\n#0  0x7f2a3c in ???\n#1  0x55d1 in main at a.f90:3\n',
    '',
    'err: Program received signal SIGFPE: Floating-point exception - erroneous arithmetic operation.',
  ],
  [
    'gfortran, STOP after a line on standard output',
    'STOP 1\n',
    ' step 811\n NaN in cell 812\n',
    'out: NaN in cell 812',
  ],
  [
    'gfortran, ERROR STOP',
    'ERROR STOP NaN in cell 812\n\nError termination. Backtrace:\n#0  0x55 in main\n',
    ' step 811\n',
    'err: ERROR STOP NaN in cell 812',
  ],
  [
    'Intel Fortran',
    'forrtl: severe (174): SIGSEGV, segmentation fault occurred\nImage              PC                Routine            Line        Source\na.out              0000000000402D1A  Unknown               Unknown  Unknown\n',
    '',
    'err: forrtl: severe (174): SIGSEGV, segmentation fault occurred',
  ],
  [
    'C++',
    "terminate called after throwing an instance of 'std::runtime_error'\n  what():  NaN in cell 812\n",
    'step 811\n',
    'err: what():  NaN in cell 812',
  ],
  [
    'under srun, which has the last word',
    'FATAL: matrix is singular at step 812\nsrun: error: n1: task 0: Exited with exit code 1\nsrun: Terminating StepId=12.0\n',
    '',
    'err: FATAL: matrix is singular at step 812',
  ],
  [
    'under srun, out of memory',
    'slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been OOM Killed.\nsrun: error: n1: task 0: Out Of Memory\nsrun: Terminating StepId=12.0\n',
    '',
    'err: srun: error: n1: task 0: Out Of Memory',
  ],
  [
    'under mpirun',
    'rank 3: NaN in cell 812\n--------------------------------------------------------------------------\nMPI_ABORT was invoked on rank 3 in communicator MPI_COMM_WORLD\nwith errorcode 1.\n\nNOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.\nYou may or may not see output from other processes, depending on\nexactly when Open MPI kills them.\n--------------------------------------------------------------------------\n',
    '',
    'err: rank 3: NaN in cell 812',
  ],
  [
    'OpenFOAM, on standard output',
    '',
    '--> FOAM FATAL ERROR: \nMaximum number of iterations exceeded: 100\n\n    From function Foam::thermo\n    in file thermoI.H at line 66.\n\nFOAM exiting\n\n',
    'out: Maximum number of iterations exceeded: 100',
  ],
  [
    'LAMMPS, on standard output, with a warning on the other',
    'WARNING: 2 of 3 atoms were ignored\n',
    'ERROR: Lost atoms: original 4000 current 3999 (src/thermo.cpp:494)\nLast command: run 1000\n',
    'out: ERROR: Lost atoms: original 4000 current 3999 (src/thermo.cpp:494)',
  ],
  [
    'a code that cleans up afterwards',
    'FATAL: it diverged\nwriting restart\nelapsed 12 s\n',
    '',
    'err: FATAL: it diverged',
  ],
  ['an error norm, which is none', '', 'step 812\nL2 error = 0.25\nmax error 0.5\nlast step\n', 'out: last step'],
  ['a progress bar and colours', '', '10 %\r20 %\r30 %\n\u001b[31mout of memory\u001b[0m\n', 'out: out of memory'],
  ['nothing at all', '', '', undefined],
  ['nothing but a launcher', 'srun: error: n1: task 0: Exited with exit code 3\n', '', undefined],
];

describe('the line that tells why', () => {
  test.each(ends)('%s', (_name, err, out, tells) => expect(telling(err, out)).toBe(tells));

  test('of a file larger than memory should hold, the end alone is read', () => {
    const long = `${'x'.repeat(200)}\n`.repeat(5000);
    expect(telling(`${long}FATAL: at the end\n`)).toBe('err: FATAL: at the end');
  });
});

describe('failures with one cause', () => {
  const texts = (...lines: readonly string[]) =>
    groupByCause(lines.map((line) => ({ line, exit: 1 }))).map(({ text, failures }) => `${failures.length} ${text}`);

  test('differ in numbers, paths and times at most', () => {
    expect(
      texts(
        'NaN in cell 12',
        'NaN in cell 4711',
        'cannot open /scratch/a/e_1/mesh.in',
        'NaN in cell (3, 4, 5)',
        'NaN in cell -1.5e-3',
        'cannot open /scratch/b/e_2/mesh.in',
        '2026-11-28T10:00:00.123Z ERROR at 0x7ffe10',
        '2026-11-28T10:00:07.456Z ERROR at 0x7ffe20',
      ),
    ).toEqual([
      "3 'NaN in cell …' (exit code 1)",
      "2 'cannot open …' (exit code 1)",
      "2 '… ERROR at …' (exit code 1)",
      "1 'NaN in cell (3, 4, 5)' (exit code 1)",
    ]);
  });

  test('keep their line where it is the same for all', () => {
    expect(texts('NaN at step 7', 'NaN at step 7')).toEqual(["2 'NaN at step 7' (exit code 1)"]);
  });

  test('may end with different codes, but not where the line complains of nothing', () => {
    const all = [
      { line: 'NaN in cell 1', exit: 1 },
      { line: 'NaN in cell 2', exit: 3 },
      { line: 'step 812', exit: 137, signal: 'SIGKILL' },
      { line: 'step 90', exit: 137, signal: 'SIGKILL' },
      { line: 'step 7', exit: 2 },
      { exit: 9 },
      { reason: "e_1: 'lbm' cannot be started", exit: 127 },
      { reason: "e_20: 'lbm' cannot be started", exit: 127 },
    ];
    expect(groupByCause(all).map(({ text, failures }) => `${failures.length} ${text}`)).toEqual([
      "2 'NaN in cell …' (exit code 1, exit code 3)",
      "2 'step …' (SIGKILL)",
      "2 e_…: 'lbm' cannot be started",
      "1 'step 7' (exit code 2)",
      '1 exit code 9',
    ]);
  });
});
