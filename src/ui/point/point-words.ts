import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import { pointChinese } from './messages-chinese.ts';
import { pointEnglish } from './messages-english.ts';

bringChinese(pointChinese, 'point.');
const card: Spoken<typeof pointEnglish> = spoken(pointEnglish, 'point.');

export class PointWords extends Words {
  readonly card: Spoken<typeof pointEnglish> = card;
}
