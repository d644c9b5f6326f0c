/** The attacks: a chunk of its own, loaded with the first one. */

export { fgsm, pgd } from '../../explain/local/attack.ts';
