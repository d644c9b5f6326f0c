import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import { textChinese } from './messages-chinese.ts';
import { textEnglish } from './messages-english.ts';

bringChinese(textChinese, 'text.');
const texts: Spoken<typeof textEnglish> = spoken(textEnglish, 'text.');

export class TextWords extends Words {
  readonly texts: Spoken<typeof textEnglish> = texts;
}
