import { type CSSResult, css } from 'lit';

/** What every element of the page has in common. */
export const shared: CSSResult = css`
  /* Controls that need what a recorded session has not. */
  fieldset.live {
    display: contents;
    min-width: 0;
  }

  :host {
    display: block;
  }

  :host([hidden]) {
    display: none;
  }

  * {
    box-sizing: border-box;
  }

  h2 {
    margin: 0;
    font: 400 1.1875rem / 1.3 var(--serif);
    letter-spacing: -0.005em;
    text-wrap: balance;
  }

  h3 {
    margin: 0;
    font: 600 0.875rem / 1.4 var(--sans);
  }

  .caption {
    margin: 0.375rem 0 1.25rem;
    max-width: 62ch;
    color: var(--quiet);
    font-size: 0.9375rem;
    text-wrap: pretty;
  }

  .note {
    margin: 0;
    color: var(--quiet);
    font-size: 0.8125rem;
  }

  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .number {
    font-variant-numeric: tabular-nums;
  }

  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-width: 44px;
    min-height: 44px;
    padding: 0 1rem;
    border: 1px solid var(--edge);
    border-radius: 10px;
    background: transparent;
    color: var(--ink);
    font: 500 0.9375rem / 1 var(--sans);
    white-space: nowrap;
    cursor: pointer;
    transition: background-color 120ms;
  }

  button:hover {
    background: var(--wash);
  }

  button:disabled,
  button[aria-disabled='true'] {
    opacity: 0.45;
    cursor: default;
  }

  button.primary {
    border-color: var(--ink);
    background: var(--ink);
    color: var(--on-ink);
  }

  button.primary:hover {
    background: color-mix(in srgb, var(--ink) 86%, var(--paper));
  }

  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }

  input {
    min-height: 44px;
    padding: 0 0.75rem;
    border: 1px solid var(--edge);
    border-radius: 10px;
    background: var(--sheet);
    color: var(--ink);
    font: 400 0.9375rem / 1 var(--sans);
    font-variant-numeric: tabular-nums;
  }

  select {
    min-height: 44px;
    padding: 0 0.625rem;
    border: 1px solid var(--edge);
    border-radius: 10px;
    background: var(--sheet);
    color: var(--ink);
    font: 400 0.9375rem / 1 var(--sans);
  }

  .icon {
    flex: none;
    width: 0.875rem;
    height: 0.875rem;
    overflow: visible;
    fill: currentColor;
  }

  input[type='checkbox'] {
    width: 1rem;
    height: 1rem;
    min-height: 0;
    margin: 0;
    accent-color: var(--ink);
  }

  .check {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
    min-height: 2.25rem;
    font-size: 0.8125rem;
  }

  @media (max-width: 719px), (pointer: coarse) {
    .check {
      min-height: 44px;
    }
  }

  input[aria-invalid='true'] {
    border-color: var(--bad);
  }

  /* A few choices side by side, one of them taken. */
  fieldset.choice {
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    margin: 0;
    padding: 0;
    border: 0;
  }

  fieldset.choice label {
    display: inline-flex;
    align-items: center;
    min-height: 44px;
    padding: 0 0.5rem;
    color: var(--quiet);
    font-size: 0.8125rem;
    cursor: pointer;
  }

  fieldset.choice input {
    min-height: 0;
    width: 1rem;
    height: 1rem;
    margin: 0 0.4rem 0 0;
    accent-color: var(--ink);
  }

  fieldset.choice label:has(:checked) {
    color: var(--ink);
  }

  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }

  th {
    padding: 0.375rem 0.75rem 0.375rem 0;
    border-bottom: 1px solid var(--line);
    color: var(--quiet);
    font-weight: 500;
    font-size: 0.8125rem;
    text-align: start;
    vertical-align: bottom;
  }

  td {
    padding: 0.375rem 0.75rem 0.375rem 0;
    border-bottom: 1px solid var(--line);
  }

  th.number,
  td.number {
    text-align: end;
  }

  th:last-child,
  td:last-child {
    padding-right: 0;
  }

  summary {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    min-height: 44px;
    border-radius: 8px;
    cursor: pointer;
    list-style: none;
  }

  summary::-webkit-details-marker {
    display: none;
  }

  summary::before {
    content: '';
    flex: none;
    width: 0.375rem;
    height: 0.375rem;
    margin: 0 0.25rem 0 0.125rem;
    border: solid var(--quiet);
    border-width: 0 1.5px 1.5px 0;
    transform: rotate(-45deg);
    transition: transform 120ms;
  }

  details[open] > summary::before {
    transform: rotate(45deg);
  }

  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      animation: none !important;
    }
  }
`;
