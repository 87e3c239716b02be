/** `$0` of the program, with which bash begins its complaints. */
export const workerName = 'simwright';

/** What a worker says first. */
export const readyLine = 'ready';

/**
 * What a worker runs: it starts one application after another. A request on its standard input is a number of words and these words, each
 * with a NUL after it: directory, name, number of variables, the variables as NAME=VALUE, program, arguments. Words are data; none is
 * evaluated. It answers with two lines, the process id and, later, the exit code. Its own names do not clash with variables of
 * applications.
 */
export const workerProgram = `
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || exit 1
# Signals reach the applications from the launch alone; this shell ends with its standard input.
trap 'simwright_told=1' HUP INT QUIT TERM USR1 USR2
printf '${readyLine}\\n'
while IFS= read -r -d '' simwright_count; do
  mapfile -d '' -t -n "$simwright_count" simwright_words
  ((\${#simwright_words[@]} == simwright_count)) || exit 1
  set -m # with job control, what is put in the background gets a process group of its own
  {
    cd -- "\${simwright_words[0]}" && unset OLDPWD &&
      export -- PWD "\${simwright_words[@]:3:simwright_words[2]}" &&
      exec -- "\${simwright_words[@]:3 + simwright_words[2]}" \\
        </dev/null >"\${simwright_words[1]}.out" 2>"\${simwright_words[1]}.err"
  } &
  set +m # without it, only an end ends the waiting, not a stop
  printf '%s\\n' "$!"
  while
    simwright_told=''
    wait "$!"
    simwright_code=$?
    [ -n "$simwright_told" ]
  do :; done
  printf '%s\\n' "$simwright_code"
done
`;
