/** A row of a table as it is shown: its columns, which a map has a value of each. */
export interface ShownRow {
  readonly names: readonly string[];
  /** Columns whose value is taken away. */
  readonly struck: readonly number[];
  /** A click takes a value away, or puts it back. */
  readonly strikable: boolean;
}
