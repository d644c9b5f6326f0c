/** How the workspace is laid out, as in the styles of its regions. */

/** The regions stand one under another. */
export const SMALL = '(max-width: 1023px)';
/** Every region has its place, and more is shown. */
export const ROOMY = '(min-width: 1800px)';
