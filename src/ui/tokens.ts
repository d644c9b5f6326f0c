import { type CSSResult, unsafeCSS } from 'lit';
import css from './tokens.css?inline';

/** Colours, type and measures, for an element that stands in a page of someone else's. */
export const tokens: CSSResult = unsafeCSS(css);
