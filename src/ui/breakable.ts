import { html, type TemplateResult } from 'lit';

/** A name that may break after its slashes, dots and underscores, before its number, and before its capitals. */
export const breakable = (name: string): TemplateResult[] =>
  name.split(/(?<=[/=.])|(?=_\d)|(?<=_)(?=\D)|(?<=[a-z])(?=[A-Z])/).map((part, i) => html`${i > 0 ? html`<wbr />` : ''}${part}`);
