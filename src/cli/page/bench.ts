import { runSuite, type SuiteEvent, type SuiteOptions } from '../../bench/suite.ts';
import { hostTask } from './host.ts';

await hostTask((options: SuiteOptions, report: (event: SuiteEvent) => void, signal) => runSuite({ ...options, signal }, report));
