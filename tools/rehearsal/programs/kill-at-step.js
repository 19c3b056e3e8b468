/**
 * Loaded into the mover before its own script. It ends by SIGKILL a moment after it began the step `KILL_AT`: by itself, since
 * whoever watches may be late, and then the move goes on.
 */
const MOMENT = 2;
const { stdout, env } = process;
const write = stdout.write.bind(stdout);

stdout.write = (text, ...rest) => {
  if (String(text).includes(`"step":"${env.KILL_AT}"`)) setTimeout(() => process.kill(process.pid, 'SIGKILL'), MOMENT);
  return write(text, ...rest);
};
