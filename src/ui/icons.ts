import { html, type SVGTemplateResult, svg, type TemplateResult } from 'lit';

export type IconName = 'run' | 'pause' | 'step' | 'reset' | 'draw' | 'share' | 'save' | 'close' | 'add' | 'refresh' | 'paint';

const ICONS: Readonly<Record<IconName, SVGTemplateResult>> = {
  run: svg`<path d="M3 1.5v13l11-6.5z" />`,
  pause: svg`<path d="M3 2h3.5v12H3zM9.5 2H13v12H9.5z" />`,
  step: svg`<path d="M2 2v12l8.5-6zM11.5 2H14v12h-2.5z" />`,
  reset: svg`<path d="M8 2.5a5.5 5.5 0 1 1-5.3 4l1.6.45A3.85 3.85 0 1 0 8 4.15V7L3.6 3.3 8 -.2z" />`,
  draw: svg`<path d="M11.3 1.3a1.6 1.6 0 0 1 2.3 0l1.1 1.1a1.6 1.6 0 0 1 0 2.3L5.6 13.8 1 15l1.2-4.6zM10 4.2 3.6 10.700l-.5 2.200 2.200-.5L11.800 6z" />`,
  share: svg`<path d="M8 .8 12 4.800l-1.100 1.100L8.800 3.800V10H7.200V3.800L5.100 5.900 4 4.800zM2 8h1.600v5.400h8.800V8H14v7H2z" />`,
  save: svg`<path d="M8 11 4 7l1.100-1.100 2.100 2.100V1h1.600v7l2.100-2.100L12 7zM2 10h1.600v3.400h8.800V10H14v5H2z" />`,
  close: svg`<path d="m3.400 2.300 4.600 4.600 4.600-4.600 1.100 1.100L9.100 8l4.600 4.600-1.100 1.100L8 9.100l-4.600 4.600-1.100-1.100L6.900 8 2.300 3.400z" />`,
  add: svg`<path d="M7.200 2h1.600v5.200H14v1.600H8.800V14H7.200V8.800H2V7.200h5.200z" />`,
  refresh: svg`<path d="M8 2.500a5.500 5.500 0 0 1 4.300 2.100V2H14v5.500H8.500V5.800h2.700A3.850 3.850 0 1 0 11.700 9.100h1.700A5.500 5.500 0 1 1 8 2.500z" />`,
  paint: svg`<path d="M2 2h12v12H2zM3.600 3.600v8.800h8.800V3.600zM5.200 5.200h5.600v5.600H5.200z" />`,
};

export const icon = (name: IconName): TemplateResult => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${ICONS[name]}</svg>`;
