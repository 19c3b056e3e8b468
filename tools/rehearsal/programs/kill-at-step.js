/**
 * Preloaded into `move.js`. Sends SIGKILL to its own process shortly after the step `KILL_AT` starts. A signal from the parent
 * could arrive after the step.
 */
const MOMENT = 2;
const { stdout, env } = process;
const write = stdout.write.bind(stdout);

stdout.write = (text, ...rest) => {
  if (String(text).includes(`"step":"${env.KILL_AT}"`)) setTimeout(() => process.kill(process.pid, 'SIGKILL'), MOMENT);
  return write(text, ...rest);
};
