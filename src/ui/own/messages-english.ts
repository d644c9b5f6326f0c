import { type StrResult, str } from '@lit/localize';

/** The words for images of the visitor's own. Every other catalogue has the same keys. */
export const ownEnglish = {
  title: 'Your images',
  private: 'They stay in this page; the address names them by their hash only.',
  choose: (name: string): StrResult => str`Look at ${name}`,
  asMnist: 'Grey, scaled to 20 pixels and centred by its ink, as MNIST is.',
  fitted: (rows: string, columns: string): StrResult => str`Grey, fitted into ${rows} × ${columns} in its own proportions.`,
  inverted: 'It was dark on light: inverted, so that ink is 1 and paper 0.',
  plain: 'Light on dark, as the network expects it.',
  taken: (count: string, classes: string, names: string): StrResult =>
    str`${count} images of ${classes} classes (${names}) are the data; a fifth is held out for the test.`,
  takenSize: (rows: string, columns: string): StrResult => str`Grey, ${rows} × ${columns}, as they are.`,
  takenResized: (rows: string, columns: string): StrResult =>
    str`Of different sizes, or large: grey, fitted into ${rows} × ${columns} in their own proportions.`,
  takenInverted: 'Most were dark on light: all are inverted.',
};
