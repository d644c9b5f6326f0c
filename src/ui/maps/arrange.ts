/** How the values of a tensor are laid out as a picture, and back from a place in the picture to a value. */

import { arrangement } from '../../data/index.ts';

/** One or more tiles in a grid. The value of cell (x, y) of a tile is at offset + tile · tileStride + y · rowStride + x · columnStride. */
export interface Picture {
  /** Cells across a tile. */
  readonly width: number;
  readonly height: number;
  readonly tiles: number;
  /** Tiles in a row of the grid. */
  readonly columns: number;
  /** Cells between two tiles. */
  readonly gap: number;
  readonly offset: number;
  readonly tileStride: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** Values a tile; the last row may be short. */
  readonly cells: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface ArrangeOptions {
  /** Each column is drawn as an image of this height and width: the weights of a first layer, one picture a unit. */
  readonly image?: readonly [height: number, width: number];
  /** The last two axes are a picture each, as of attention [heads, queries, keys]; not images whose last axis is a channel. */
  readonly planes?: boolean;
  /** Tiles in a row of the grid. */
  readonly columns?: number;
  /** Only this tile. */
  readonly only?: number;
}

const product = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/**
 * The picture of a tensor. A leading axis of 1 (a batch of one) counts for nothing; [h, w] and [h, w, 1] are images, [h, w, c] is c images, [n]
 * is a grid of units (28 × 28 for 784); more axes are rows of their last one.
 */
export function arrange(shape: readonly number[], options: ArrangeOptions = {}): Picture {
  const all = arrangeAll(shape, options);
  const { only } = options;
  if (only === undefined || only >= all.tiles || all.tiles === 1) return all;
  return { ...all, tiles: 1, columns: 1, gap: 0, offset: all.offset + only * all.tileStride };
}

function arrangeAll(shape: readonly number[], { image, planes, columns }: ArrangeOptions): Picture {
  const own = shape.length > 1 && shape[0] === 1 ? shape.slice(1) : shape;
  const plain = { gap: 0, offset: 0, tiles: 1, columns: 1, tileStride: 0 };
  if (image && own.length === 2 && own[0] === image[0] * image[1]) {
    const units = own[1]!;
    const [height, width] = image;
    // About twice as wide as high, whatever the shape of an image.
    const gap = 2;
    const across = columns ?? Math.ceil(Math.sqrt((2 * units * (height + gap)) / (width + gap)));
    return {
      width,
      height,
      tiles: units,
      columns: Math.min(units, across),
      gap,
      offset: 0,
      tileStride: 1,
      rowStride: width * units,
      columnStride: units,
      cells: width * height,
    };
  }
  if (planes && own.length === 3) {
    const [tiles, height, width] = own as [number, number, number];
    const cells = width * height;
    const across = columns ?? Math.ceil(Math.sqrt(tiles));
    return {
      width,
      height,
      tiles,
      columns: Math.min(tiles, across),
      gap: 1,
      offset: 0,
      tileStride: cells,
      rowStride: width,
      columnStride: 1,
      cells,
    };
  }
  if (own.length === 3 && own[2]! > 1) {
    const [height, width, channels] = own as [number, number, number];
    const across = columns ?? Math.ceil(Math.sqrt(channels));
    return {
      width,
      height,
      tiles: channels,
      columns: Math.min(channels, across),
      gap: 1,
      offset: 0,
      tileStride: 1,
      rowStride: width * channels,
      columnStride: channels,
      cells: width * height,
    };
  }
  if (own.length === 2 || own.length === 3) {
    const [height, width] = own as [number, number];
    return { ...plain, width, height, rowStride: width, columnStride: 1, cells: width * height };
  }
  if (own.length > 3) {
    const width = own.at(-1)!;
    const height = product(own) / width;
    return { ...plain, width, height, rowStride: width, columnStride: 1, cells: width * height };
  }
  const count = product(own);
  // Few values, such as a bias or ten classes, stand in one row.
  const grid = count <= 16 ? { width: count, height: 1 } : arrangement([count]);
  return { ...plain, width: grid.width, height: grid.height, rowStride: grid.width, columnStride: 1, cells: count };
}

/** Cells of the whole picture, gaps included. */
export function extent({ width, height, tiles, columns, gap }: Picture): { readonly width: number; readonly height: number } {
  const rows = Math.ceil(tiles / columns);
  return { width: columns * (width + gap) - gap, height: rows * (height + gap) - gap };
}

/** Index of the value at a cell of the whole picture; undefined in a gap and where the tensor has none. */
export function indexAt(picture: Picture, { x, y }: Place): number | undefined {
  const { width, height, tiles, columns, gap } = picture;
  const whole = extent(picture);
  if (x < 0 || y < 0 || x >= whole.width || y >= whole.height) return undefined;
  const tile = Math.floor(y / (height + gap)) * columns + Math.floor(x / (width + gap));
  const [within, down] = [x % (width + gap), y % (height + gap)];
  if (tile >= tiles || within >= width || down >= height || down * width + within >= picture.cells) return undefined;
  return picture.offset + tile * picture.tileStride + down * picture.rowStride + within * picture.columnStride;
}

/** Where the n-th shown value stands, counted tile by tile and row by row. */
export function placeOf(picture: Picture, n: number): Place {
  const { width, height, columns, gap, cells } = picture;
  const tile = Math.floor(n / cells);
  const cell = n % cells;
  return {
    x: (tile % columns) * (width + gap) + (cell % width),
    y: Math.floor(tile / columns) * (height + gap) + Math.floor(cell / width),
  };
}

/** Where the value with this index stands; undefined where it is not shown. */
export function placeOfIndex(picture: Picture, index: number): Place | undefined {
  const { offset, tiles, tileStride, rowStride, columnStride, width, cells } = picture;
  const rest = index - offset;
  if (rest < 0) return undefined;
  // Strides nest either as tile < column < row (the last axis is the tile) or as column < row < tile.
  // One tile of several keeps their strides.
  const tile = tiles === 1 ? 0 : tileStride < columnStride ? rest % columnStride : Math.floor(rest / tileStride);
  const inTile = rest - tile * tileStride;
  const row = Math.floor(inTile / rowStride);
  const column = Math.floor((inTile % rowStride) / columnStride);
  const cell = row * width + column;
  if (tile >= tiles || column >= width || cell >= cells || inTile !== row * rowStride + column * columnStride) return undefined;
  return placeOf(picture, tile * cells + cell);
}
