// Ends what a run of the tests has left running: started with the id of the run, it waits until its standard input ends, which is when
// whoever started it has ended, in whatever way. Processes of the run have the id in their environment.
import { readdirSync, readFileSync } from 'node:fs';

const mark = `SIMWRIGHT_TEST_RUN=${process.argv[2]}`;

function processesOfRun() {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!/^\d+$/.test(name) || pid === process.pid) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(mark) ? [pid] : [];
    } catch {
      // It has ended, or is somebody else's.
      return [];
    }
  });
}

function tell(signal) {
  const found = processesOfRun();
  for (const pid of found) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended.
    }
  }
  return found.length;
}

// Signals to the terminal's process group are for those who run the tests.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.resume();
process.stdin.on('end', async () => {
  // Time to end in order; what starts others again, or starts late, is met by a further look.
  for (const signal of ['SIGTERM', ...Array(10).fill('SIGKILL')]) {
    if (tell(signal) === 0) break;
    await new Promise((resolve) => setTimeout(resolve, signal === 'SIGTERM' ? 2000 : 200));
  }
  process.exit();
});
