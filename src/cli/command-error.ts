/** A command that cannot go on: two lines for a person, and the exit status for a script. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, mend: string, exitCode = 1) {
    super(`${message}\nTo mend: ${mend}`);
    this.exitCode = exitCode;
  }
}

/** Arguments that mean nothing: exit status 2, as for every Unix command. */
export function usageError(message: string, mend: string): CommandError {
  return new CommandError(message, mend, 2);
}

/** The person stopped the command: nothing to mend. 130 is what a shell makes of Ctrl-C. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted';
  readonly exitCode: number = 130;
}
