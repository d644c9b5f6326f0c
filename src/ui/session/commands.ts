/** What a visitor may do. Regions speak by these; only the session acts. */

import type { Settings } from '../settings.ts';
import type { StopAt } from '../training.ts';
import type { Choices } from './choices.ts';
import type { MethodName } from './methods.ts';

export type Command =
  | { readonly do: 'toggle' | 'step' | 'reset' | 'undoReset' | 'test' | 'retry' | 'cancelReplay' }
  /** Shows a recorded session in place of one that cannot begin. The shell acts on it. */
  | { readonly do: 'openRecording' }
  | { readonly do: 'dismiss'; readonly what: 'fault' | 'recoveredAt' | 'undoStep' | 'compared' }
  | { readonly do: 'recipe'; readonly changes: Partial<Settings> }
  /** Files with data of the visitor's own. */
  | { readonly do: 'data'; readonly files: readonly File[] }
  | { readonly do: 'stopAt'; readonly stopAt: StopAt | undefined }
  /** Chooses what is looked at. Back undoes it. */
  | { readonly do: 'choose'; readonly choices: Partial<Omit<Choices, 'recipe' | 'journal' | 'step'>> }
  /** Computes a map anew, at the step that training is at. */
  | { readonly do: 'refresh'; readonly method: MethodName }
  /** Values of the input that are painted over, in place of those painted before; none ends the challenge. */
  | { readonly do: 'challenge'; readonly painted: readonly number[] }
  | { readonly do: 'report'; readonly error: unknown };

export class CommandEvent extends CustomEvent<Command> {
  constructor(command: Command) {
    super('command', { detail: command, bubbles: true, composed: true });
  }
}

/** Sends a command up to the shell. */
export function send(from: EventTarget, command: Command): void {
  from.dispatchEvent(new CommandEvent(command));
}
