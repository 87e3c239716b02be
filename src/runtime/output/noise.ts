import { launchers } from '../../targets/launchers/index.js';

/**
 * Lines that launchers, languages and codes write after the line that says what went wrong, or around it. None says anything of the cause.
 */
const noise: readonly RegExp[] = [
  // Rules and brackets.
  /^[\s\-=*+_#|~^<>{}()[\].,:;!]*$/,
  ...Object.values(launchers).flatMap((launcher) => launcher.noise),
  // MPI's libraries, whatever started the program.
  /^MPI_ABORT was invoked on rank|^with errorcode -?\d+|^application called MPI_Abort|^Abort\(-?\d+\) on node \d+/,
  /^(\[.*\] )?(In: PMI_Abort|PMIX? ERROR)/,
  // Stack traces: C, Fortran, Python, Node.js, Java, Julia, Go
  /^\s*#\d+\s+(0x[0-9a-f]+|\S+ \()|^\s*(Error termination\. )?Backtrace( for this error)?:?\s*$/i,
  /^Image\s+PC\s+Routine|^\S+\s+[0-9A-F]{12,16}\s+\S+\s+\S+\s+\S+|^Stack trace (terminated|buffer)/,
  /^\s+at .*(:\d+\)?|\(.*\))( \{)?$|^\s*\.\.\. \d+ (more|lines matching)/,
  /^Node\.js v\d+|^\s+(errno|syscall|code|path|spawnargs|requireStack|generatedMessage|actual|expected|operator): /,
  /^\s*\[\d+\] .*@? ?\S+\.jl:\d+|^Stacktrace:|^Traceback \(most recent call last\)|^\s+File ".*", line \d+/,
  /^goroutine \d+|^\t.*\.go:\d+|^exit status \d+$|^note: run with `RUST_BACKTRACE/,
  /^\s*\[[\w.-]+:\d+\] (\*\*\* End of error message|\[ ?\d+\])/,
  // R, LAMMPS, OpenFOAM, GROMACS, gfortran
  /^Execution halted|^Calls: |^Last command: |^FOAM (exiting|aborting)|^\s+(From( static)?( function)?|in file) .*/i,
  /^For more information and tips|^website at http|^(ERROR )?STOP( -?\d+)?\s*$|^Note: The following floating-point exceptions are signalling/,
];

/** True for a line that says nothing of why a program failed. */
export function isNoise(line: string): boolean {
  return noise.some((pattern) => pattern.test(line));
}

/** Pattern of words by which a line says that something has gone wrong. */
const complaint =
  /\b(errors?|fatal|exceptions?|panic(ked)?|abort(ed|ing)?|fail(ed|ure|s)?|nan|infinite|singular|diverge[ds]?|divergence|segmentation|killed|oom[-_ ]kill|out of memory|cannot|can't|could not|couldn't|unable|not found|no such|denied|invalid|illegal|overflow|exceed(s|ed)?|timed? ?out|severe|refused|missing|undefined|unknown|blew up|unstable|core dumped)\b|\w(Error|Exception)\b|\bwhat\(\):/i;

/** Pattern of lines that have such a word but report no error: error norms, counts of none, warnings. */
const harmless =
  /\b(0|no|zero|without) (errors?|failures?|warnings?)\b|\bwarning\b|^note\b|\b(l[12i]\w*|rel\w*|abs\w*|max\w*|rms|mean|truncation|discreti[sz]ation)[ _-]+errors?\b|\berrors?\s*[:=]\s*[-+\d.e]+\s*$/i;

/** True for a line that says that something has gone wrong. */
export function isComplaint(line: string): boolean {
  return complaint.test(line) && !harmless.test(line);
}
