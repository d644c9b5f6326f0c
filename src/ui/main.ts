import { defineElements } from './elements.ts';
import { languageChoice, loadLanguage } from './language.ts';

// The page speaks its reader's language from its first picture on; where the words cannot be fetched, English.
await loadLanguage(languageChoice.current).catch(() => languageChoice.choose('en'));
defineElements();
