import { hcl } from 'd3-color';
import { blueOrange, type ColorMap } from '../data/index.ts';

/** blueOrange on dark paper: 0 is as dark as the page, and both signs grow lighter alike. Within sRGB throughout. */
const blueOrangeOnDark: ColorMap = {
  name: 'blue–orange on dark',
  kind: 'diverging',
  table: (() => {
    const count = blueOrange.table.length / 4;
    const table = new Uint8Array(4 * count);
    for (let i = 0; i < count; i++) {
      const signed = (2 * i) / (count - 1) - 1;
      const strength = Math.abs(signed);
      const { r, g, b } = hcl(signed < 0 ? 262 : 62, 52 * strength ** 0.8, 15 + 55 * strength)
        .rgb()
        .clamp();
      table.set([Math.round(r), Math.round(g), Math.round(b), 255], 4 * i);
    }
    return table;
  })(),
};

export const weightColors = (dark: boolean): ColorMap => (dark ? blueOrangeOnDark : blueOrange);

/** A colour map as a CSS gradient, from its low end to its high one. */
export function gradientOf({ table }: ColorMap, stops: number = 17): string {
  const last = table.length / 4 - 1;
  const colors = Array.from({ length: stops }, (_, i) => {
    const at = 4 * Math.round((last * i) / (stops - 1));
    return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
  });
  return `linear-gradient(to right, ${colors.join(', ')})`;
}
