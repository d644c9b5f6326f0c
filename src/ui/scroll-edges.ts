import { type CSSResult, css } from 'lit';

/** Where more can be scrolled to, sideways, the content fades: `.before`, `.after`. To be called when it has scrolled, or changed. */
export function markEdges(box: Element | null): void {
  box?.classList.toggle('before', box.scrollLeft > 1);
  box?.classList.toggle('after', box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
}

export const edgeStyles: CSSResult = css`
  .before,
  .after {
    --before: 0rem;
    --after: 0rem;
    mask-image: linear-gradient(to right, transparent, #000 var(--before), #000 calc(100% - var(--after)), transparent);
  }

  .before {
    --before: 3rem;
  }

  .after {
    --after: 3rem;
  }
`;
