/** `$0` of the program, with which bash begins its complaints. */
export const workerName = 'simwright';

/** First line of a worker. */
export const readyLine = 'ready';

/** Text before the process id and the exit code in a worker's answers. */
export const pidMark = 'pid ';
export const codeMark = 'code ';

/**
 * Program of a worker: it starts one application after another. A request on its standard input is a number of words and these words, each
 * with a NUL after it: directory, name, number of variables, the variables as NAME=VALUE, program, arguments. Words are data; none is
 * evaluated. It answers with two lines, `pid` and the process id and, later, `code` and the exit code. Its own names do not clash with
 * variables of applications.
 */
export const workerProgram = `
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || exit 1
# Signals reach the applications from the launch alone; this shell ends with its standard input. They are ignored, not trapped: bash
# loses the exit code of what ends while a trapped signal interrupts its waiting.
trap '' HUP INT QUIT TERM USR1 USR2
printf '${readyLine}\\n'
while IFS= read -r -d '' simwright_count; do
  mapfile -d '' -t -n "$simwright_count" simwright_words
  ((\${#simwright_words[@]} == simwright_count)) || exit 1
  set -m # with job control, what is put in the background gets a process group of its own
  {
    trap - HUP INT QUIT TERM USR1 USR2
    printf '${pidMark}%s\\n' "$BASHPID" # not before it can be told to end
    cd -- "\${simwright_words[0]}" && unset OLDPWD &&
      export -- PWD "\${simwright_words[@]:3:simwright_words[2]}" &&
      {
        [ -z "\${1-}" ] || umask "$1" # its output is as private as this shell's files, what it makes itself need not be
        exec -- "\${simwright_words[@]:3 + simwright_words[2]}"
      } </dev/null >"\${simwright_words[1]}.out" 2>"\${simwright_words[1]}.err"
  } &
  set +m # without it, only an end ends the waiting, not a stop
  wait "$!"
  printf '${codeMark}%s\\n' "$?"
done
`;
