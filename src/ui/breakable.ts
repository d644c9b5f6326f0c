import { html, type TemplateResult } from 'lit';

/** A name that may break after its slashes and underscores, and before its capitals. */
export const breakable = (name: string): TemplateResult[] =>
  name.split(/(?<=[/_=])|(?<=[a-z])(?=[A-Z])/).map((part, i) => html`${i > 0 ? html`<wbr />` : ''}${part}`);
