import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { logTail, runOnProcessExit } from '../../support/processes';

/** Timeout of `waitUntil` in milliseconds. */
const TIMEOUT = 60_000;

/** A system program that runs in the background. It stops when this process exits. */
export interface Program {
  readonly pid: number;
  /**
   * Waits until `check` resolves to true. A rejection counts as false.
   *
   * @param what state for the error message, such as `listening`
   * @throws Error with the end of the log when the program cannot run, exits, or is not in that state after 60 s
   */
  waitUntil(what: string, check: () => Promise<boolean>): Promise<void>;
  /** Sends the signal. Resolves when the program has exited. Safe to call twice. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program in a new process group, so that Ctrl-C in the terminal does not reach it.
 *
 * @param log file to which its output is appended
 */
export function startProgram(command: string, args: readonly string[], log: string): Program {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  let over: string | undefined;
  const exited = new Promise<void>((done) => {
    const end = (how: string) => {
      over = how;
      done();
    };
    child.once('exit', (code, signal) => end(`exited with ${code ?? signal}; the end of ${log}:\n${logTail(log)}`));
    child.once('error', (error) => end(`cannot run: ${error.message}`));
  });
  void exited.then(runOnProcessExit('kill "$1"', [String(child.pid)]));
  return {
    pid: child.pid as number,
    waitUntil: async (what, check) => {
      const deadline = Date.now() + TIMEOUT;
      while (!(await check().catch(() => false))) {
        if (over) throw new Error(`${command} ${over}`);
        if (Date.now() > deadline) {
          throw new Error(`${command}: not ${what} within ${TIMEOUT / 1000} s; the end of ${log}:\n${logTail(log)}`);
        }
        await sleep(20);
      }
    },
    end: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}
