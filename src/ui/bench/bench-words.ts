import type { Row, Stage } from '../../bench/suite.ts';
import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import { titleOf } from './bench-run.ts';
import { benchChinese } from './messages-chinese.ts';
import { benchEnglish } from './messages-english.ts';

bringChinese(benchChinese, 'bench.');

/** Not one for each element that asks. */
const bench: Spoken<typeof benchEnglish> = spoken(benchEnglish, 'bench.');

/** The words of the benchmark's page, in the language of all pages. */
export class BenchWords extends Words {
  readonly bench: Spoken<typeof benchEnglish> = bench;

  title(workload: string): string {
    const titles: Readonly<Record<string, string>> = this.bench.titles;
    return titles[workload] ?? workload;
  }

  unit({ unit }: Row): string {
    const units: Readonly<Record<string, string>> = this.bench.units;
    return units[unit] ?? unit;
  }

  date(iso: string): string {
    return new Date(iso).toLocaleString(this.language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  }

  stage({ task, workload = '', contender, round = 0, rounds = 0 }: Stage): string {
    const { stages } = this.bench;
    const title = titleOf(contender ?? '');
    if (task === 'adapter' || task === 'explaining') return stages[task];
    if (task === 'profile' || task === 'reference') return stages[task](workload);
    if (task === 'round') return stages.round(workload, title, this.whole(round), this.whole(rounds));
    return stages[task](workload, title);
  }
}
