import { type StrResult, str } from '@lit/localize';

/** The words of the views of texts. Every other catalogue has the same keys. */
export const textEnglish = {
  text: 'Text',
  editHint: 'Change the words and press Enter: the network reads what is written here.',
  generated: 'A made-up clause: a small grammar writes them from a seed. They are no legal texts.',
  evidence: 'Underlined: the words that decide the class, as the grammar knows.',
  edited: 'Changed by you: no label is known of it.',
  empty: 'There is no word in it: the network reads padding alone.',
  restore: 'Back to the clause',
  unknownWords: (words: string): StrResult => str`Not in the vocabulary, read as the unknown word: ${words}.`,
  cut: (count: string, most: string): StrResult => str`Words left out at the end: ${count}. The network reads ${most}.`,
  mapOf: (name: string): StrResult => str`${name}, word by word`,
  word: (word: string, value: string): StrResult => str`${word}: ${value}`,
  struckWord: (word: string): StrResult => str`${word}, struck out`,
  strike: (word: string): StrResult => str`Strike out ${word}`,
  restoreWord: (word: string): StrResult => str`Put ${word} back`,
  onEvidence: (share: string): StrResult => str`On the words that decide: ${share} of what speaks for the class`,
  limits: (limit: string, step: string): StrResult => str`−${limit} … +${limit} · step ${step}`,
  limitsAlone: (limit: string): StrResult => str`−${limit} … +${limit}`,
  shows: {
    inputXGradient: 'What each word adds, if the network were as steep everywhere as it is here.',
    integratedGradients: 'What each word adds on the way from padding alone; the shares sum to the logit’s change.',
    deepLift: 'What each word adds against padding, in one backward pass; the shares sum to the logit’s change.',
    lrp: 'The logit handed back layer by layer to the words, attention held as it is.',
    occlusion: 'How much the logit falls when this word is struck out.',
  },
  hides: {
    inputXGradient: 'Not what happens when a word is really gone.',
    integratedGradients: 'Not words that only count together: their share is divided between them.',
    deepLift: 'Not why a word was attended to: the division is by rule.',
    lrp: 'Not what moved the attention to other words.',
    occlusion: 'Not words that stand in for one another: striking one alone changes little.',
  },
};
