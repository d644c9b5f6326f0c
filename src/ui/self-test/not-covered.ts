/**
 * Kernel files that no case runs, each with the reason: the page says so, and a test holds it to it. The tests of the repository run them
 * all.
 */
export const NOT_COVERED: Readonly<Record<string, 'benchmark' | 'drawing' | 'explanation'>> = {
  copy: 'benchmark',
  'multiply-add-peak': 'benchmark',
  'view-column': 'drawing',
  'view-statistics': 'drawing',
  'view-tensor': 'drawing',
  'weight-histogram': 'drawing',
  'attack-step': 'explanation',
  'changed-rows': 'explanation',
  'combine-rows': 'explanation',
  'group-products': 'explanation',
  'ranked-rows': 'explanation',
  rescale: 'explanation',
  'rise-masks': 'explanation',
  shapley: 'explanation',
  spread: 'explanation',
  'weight-reductions': 'explanation',
  'weight-spectrum': 'explanation',
};
