/** A run of the suite and what it has given so far. It outlives the page that shows it. */

import { type ContenderName, contenders as facts } from '../../bench/contender.ts';
import type { Row, Stage, SuiteEvent, SuiteOptions } from '../../bench/suite.ts';
import { browserName } from './browser-name.ts';
import type { Outcome } from './outcome.ts';

export type Choice = Pick<SuiteOptions, 'workloads' | 'contenders' | 'baseline' | 'repeats' | 'sampleMilliseconds' | 'tune'>;

/** Something that has no row and failed. */
export interface Fault {
  readonly stage: Stage;
  readonly message: string;
}

/** @fires change - something of it changed */
export class BenchRun extends EventTarget {
  outcome: Outcome | undefined;
  choice: Choice | undefined;
  stage: Stage | undefined;
  faults: readonly Fault[] = [];
  /** Workloads that are behind it, of those that were asked for. */
  done = 0;
  /** Contenders that were stopped one by one. */
  stopped: ReadonlySet<ContenderName> = new Set();
  #control: AbortController | undefined;
  #stops = new Map<ContenderName, AbortController>();

  get running(): boolean {
    return this.#control !== undefined;
  }

  /** Runs the suite, whose module is loaded only now. It always settles; what failed is in `outcome` and `faults`. */
  async start(choice: Choice): Promise<void> {
    if (this.running) return;
    const control = new AbortController();
    this.#control = control;
    this.#stops = new Map(choice.contenders.map((contender) => [contender, new AbortController()]));
    this.stopped = new Set();
    this.choice = choice;
    this.done = 0;
    this.faults = [];
    this.stage = undefined;
    this.outcome = {
      date: new Date().toISOString(),
      browser: browserName(),
      baseline: choice.baseline,
      stopped: false,
      hidden: document.hidden,
      adapter: null,
      rows: [],
      profile: [],
    };
    const watch = (): void => {
      if (document.hidden) this.#change({ hidden: true });
    };
    document.addEventListener('visibilitychange', watch);
    this.#tell();
    try {
      const { runSuite } = await import('../../bench/suite.ts');
      const stops = Object.fromEntries([...this.#stops].map(([name, { signal }]) => [name, signal]));
      await runSuite({ ...choice, signal: control.signal, stops }, (event) => this.#take(event));
    } catch (error) {
      this.faults = [...this.faults, { stage: { task: 'reference' }, message: (error as Error).message }];
    } finally {
      document.removeEventListener('visibilitychange', watch);
      this.#control = undefined;
      this.stage = undefined;
      this.#change({ stopped: control.signal.aborted });
    }
  }

  stop(): void {
    this.#control?.abort();
  }

  /** Stops one contender from here on; the rest goes on. */
  stopContender(name: ContenderName): void {
    this.#stops.get(name)?.abort();
    this.stopped = new Set([...this.stopped, name]);
    this.#tell();
  }

  #take(event: SuiteEvent): void {
    if (event.kind === 'stage') {
      this.stage = event.stage;
      const at = this.choice?.workloads.indexOf(event.stage.workload ?? '') ?? -1;
      this.done = Math.max(this.done, at);
      this.#tell();
    } else if (event.kind === 'failure') {
      // Whoever stopped it knows.
      if (this.#control?.signal.aborted) return;
      this.faults = [...this.faults, event];
      this.#tell();
    } else if (event.kind === 'adapter') this.#change({ adapter: event.adapter });
    else if (event.kind === 'profile') this.#change({ profile: [...(this.outcome?.profile ?? []), ...event.profile] });
    else this.#change({ rows: this.#placed(event.rows) });
  }

  /** All rows, with those of one workload in place of what it had. */
  #placed(rows: readonly Row[]): Row[] {
    const { workloads = [] } = this.choice ?? {};
    const others = (this.outcome?.rows ?? []).filter(({ workload }) => workload !== rows[0]?.workload);
    return [...others, ...rows].sort((a, b) => workloads.indexOf(a.workload) - workloads.indexOf(b.workload));
  }

  #change(changes: Partial<Outcome>): void {
    if (this.outcome) this.outcome = { ...this.outcome, ...changes };
    this.#tell();
  }

  #tell(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** A contender's name for a person; its own, where a link names one that is not known here. */
export const titleOf = (contender: string): string => facts[contender as ContenderName]?.title ?? contender;
