/** The language of the page, remembered between visits, and numbers as that language writes them. */

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { english, type Messages } from './messages/english.ts';

export type Language = 'en' | 'zh';

const STORAGE_KEY = 'vitrine.language';
/** What each language calls itself, for those who read no other. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: english.languageName, zh: '中文' };

/** Words that are here; English always, for it is what every other catalogue is measured by. */
const catalogues: Partial<Record<Language, Messages>> = { en: english };

/** Fetches the words of a language, where they are not here yet. */
export async function loadLanguage(language: Language): Promise<void> {
  if (!catalogues[language]) catalogues.zh = (await import('./messages/chinese.ts')).chinese;
}

/** What the `lang` attribute says. */
export const LANGUAGE_TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };

/** Storage may be forbidden; the page then asks the browser each time. */
function remembered(): Language | undefined {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return value === 'en' || value === 'zh' ? value : undefined;
  } catch {
    return undefined;
  }
}

class LanguageChoice extends EventTarget {
  #current: Language = remembered() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');

  #wanted: Language = this.#current;

  get current(): Language {
    return this.#current;
  }

  /** Changes to a language: at once where its words are here, else as soon as they are. */
  choose(language: Language): void {
    this.#wanted = language;
    if (!catalogues[language]) {
      // Words that cannot be fetched leave the page in the language that it has.
      loadLanguage(language).then(
        () => this.#wanted === language && this.choose(language),
        () => undefined,
      );
      return;
    }
    this.#current = language;
    try {
      localStorage.setItem(STORAGE_KEY, language);
    } catch {
      // The choice then lasts as long as the page.
    }
    document.documentElement.lang = LANGUAGE_TAGS[language];
    this.dispatchEvent(new Event('change'));
  }
}

export const languageChoice: LanguageChoice = new LanguageChoice();

/** Gives an element its words, and renders it anew when the language changes. */
export class Words implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #renew = (): void => this.#host.requestUpdate();

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    languageChoice.addEventListener('change', this.#renew);
    this.#renew();
  }

  hostDisconnected(): void {
    languageChoice.removeEventListener('change', this.#renew);
  }

  get language(): Language {
    return languageChoice.current;
  }

  get say(): Messages {
    return catalogues[languageChoice.current] ?? english;
  }

  /** 12,345 */
  whole(value: number): string {
    return this.#number(value, { maximumFractionDigits: 0 });
  }

  /** 1.3 */
  oneDigit(value: number): string {
    return this.#number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }

  /** 0.0214: four digits behind the point, three significant ones below a thousandth. */
  small(value: number): string {
    if (!Number.isFinite(value)) return '–';
    if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1).replaceAll('-', '−');
    return this.#number(value, { minimumFractionDigits: value < 10 ? 4 : 1, maximumFractionDigits: value < 10 ? 4 : 1 });
  }

  /** 0.0123, 1.23e−5: three significant digits. */
  significant(value: number, digits: number = 3): string {
    return writeSignificant(value, digits);
  }

  /** Nine significant digits: a float32 and no other. */
  exact(value: number): string {
    return writeSignificant(value, 9);
  }

  /** 97.8 % */
  percent(share: number, digits: number = 1): string {
    return Number.isFinite(share)
      ? this.#number(share, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits })
      : '–';
  }

  /** 1:02:03, or 0:45 */
  duration(seconds: number): string {
    if (!Number.isFinite(seconds)) return '–';
    const whole = Math.max(0, Math.ceil(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (value: number): string => String(value).padStart(2, '0');
    return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  }

  /** 51.2 MB */
  bytes(value: number): string {
    return `${this.#number(value / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} MB`;
  }

  #number(value: number, options: Intl.NumberFormatOptions): string {
    return value.toLocaleString(LANGUAGE_TAGS[languageChoice.current], options).replace(/^-/, '−');
  }
}

function writeSignificant(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const magnitude = Math.abs(value);
  const plain = value === 0 || (magnitude >= 1e-3 && magnitude < 1e5);
  const written = plain ? String(Number(value.toPrecision(digits))) : Number(value.toPrecision(digits)).toExponential();
  return written.replaceAll('-', '−');
}
