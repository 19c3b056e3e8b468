import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOfLog, whenThisProcessDies } from '../../support/processes';

/** Milliseconds that `waitUntil` waits. */
const TIMEOUT = 60_000;

/** A program of the system that runs in the background; it ends by itself when this process dies. */
export interface Program {
  readonly pid: number;
  /**
   * Waits until `check` answers true; one that throws has not yet.
   *
   * @param what for the error, such as `listening`
   * @throws when the program cannot be run, ends, or lets 60 s pass; with the end of its log
   */
  waitUntil(what: string, check: () => Promise<boolean>): Promise<void>;
  /** Sends the signal and resolves when the program is gone. Safe to call twice. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program in a process group of its own, so that a Ctrl-C in the terminal does not reach it.
 *
 * @param log file that its output is appended to
 */
export function startProgram(command: string, args: readonly string[], log: string): Program {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  let over: string | undefined;
  const gone = new Promise<void>((done) => {
    const end = (how: string) => {
      over = how;
      done();
    };
    child.once('exit', (code, signal) => end(`ended with ${code ?? signal}; the end of ${log}:\n${endOfLog(log)}`));
    child.once('error', (error) => end(`cannot be run: ${error.message}`));
  });
  void gone.then(whenThisProcessDies('kill "$1"', [String(child.pid)]));
  return {
    pid: child.pid as number,
    waitUntil: async (what, check) => {
      const deadline = Date.now() + TIMEOUT;
      while (!(await check().catch(() => false))) {
        if (over) throw new Error(`${command} ${over}`);
        if (Date.now() > deadline) {
          throw new Error(`${command}: not ${what} within ${TIMEOUT / 1000} s; the end of ${log}:\n${endOfLog(log)}`);
        }
        await sleep(20);
      }
    },
    end: async (signal) => {
      child.kill(signal);
      await gone;
    },
  };
}
