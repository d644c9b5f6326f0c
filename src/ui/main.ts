import { defineElements } from './elements.ts';
import { languageChoice } from './language.ts';

// The page speaks its reader's language from its first picture on; where the words cannot be fetched, English.
await languageChoice.choose(languageChoice.preferred, false);
defineElements();
