import type { Dataset } from '../engine/dataset.ts';
import { parseTable } from './csv.ts';

/**
 * loadGermanCredit: 1,000 credit applicants, 700 good (class 0) and 300 bad (class 1).
 *
 * **Shapes** inputs [1000, 61], unscaled; categories are one-hot, a column `Category.Level` each (see `columnGroups`).
 * Two levels never occur (`Purpose.Vacation`, `Personal.Female.Single`): their columns are 0 throughout.
 *
 * **Source** H. Hofmann, "Statlog (German Credit Data)", UCI Machine Learning Repository, 1994, doi 10.24432/C5NC77; CC BY 4.0;
 * encoded as in the R package caret.
 */
export async function loadGermanCredit(): Promise<Dataset> {
  const { default: text } = await import('./sets/german-credit.csv?raw');
  return parseTable(text, { name: 'german credit', label: 'class', classes: ['good', 'bad'] });
}

/**
 * loadBreastCancer: 569 tumours, 357 benign (class 0) and 212 malignant (class 1).
 *
 * **Shapes** inputs [569, 30], unscaled: mean, standard error and worst of ten measures of the cell nuclei.
 *
 * **Source** W. Wolberg, O. Mangasarian, N. Street, W. Street, "Breast Cancer Wisconsin (Diagnostic)", UCI Machine Learning
 * Repository, 1995, doi 10.24432/C5DW2B; CC BY 4.0.
 */
export async function loadBreastCancer(): Promise<Dataset> {
  const { default: text } = await import('./sets/breast-cancer-wisconsin.csv?raw');
  return parseTable(text, { name: 'breast cancer', label: 'diagnosis', classes: ['benign', 'malignant'] });
}

/** Columns that say one thing together: the levels of a category, or a number by itself. */
export interface ColumnGroup {
  readonly name: string;
  /** Indices of its columns. */
  readonly columns: readonly number[];
}

/**
 * columnGroups: columns named `Category.Level` belong together, as one-hot indicators that sum to 1; an explanation must change
 * them together, since no applicant has two purposes.
 */
export function columnGroups(features: readonly string[]): ColumnGroup[] {
  const groups = new Map<string, number[]>();
  for (const [column, feature] of features.entries()) {
    const category = feature.split('.', 1)[0]!;
    groups.set(category, [...(groups.get(category) ?? []), column]);
  }
  return Array.from(groups, ([name, columns]) => ({ name, columns }));
}
