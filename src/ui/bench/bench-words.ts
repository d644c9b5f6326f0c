import type { Row, Stage } from '../../bench/suite.ts';
import { type Language, Words } from '../language.ts';
import { titleOf } from './bench-run.ts';
import { benchChinese } from './messages-chinese.ts';
import { type BenchMessages, benchEnglish } from './messages-english.ts';

const CATALOGUES: Readonly<Record<Language, BenchMessages>> = { en: benchEnglish, zh: benchChinese };

/** The words of the benchmark's page, in the language of all pages. */
export class BenchWords extends Words {
  get bench(): BenchMessages {
    return CATALOGUES[this.language];
  }

  unit({ unit }: Row): string {
    return this.bench.units[unit] ?? unit;
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
